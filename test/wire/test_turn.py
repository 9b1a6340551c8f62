"""One enum for what happens in a conversation, and the message says the same."""

import re
from pathlib import Path

from kame_ros.wire.turn import TurnKind

MESSAGE = Path(__file__).parents[2] / 'msg' / 'TurnEvent.msg'


def test_the_kinds_are_those_of_the_message():
    told = re.findall(r'^uint8 ([A-Z_]+)=(\d+)', MESSAGE.read_text(), re.MULTILINE)
    assert {name: int(value) for name, value in told} == {
        kind.name: kind.value for kind in TurnKind if kind < 100
    }
