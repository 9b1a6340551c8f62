"""When a model that speaks on its own is heard."""

import pytest

from kame_ros.turns.voice_gate import VoiceGate


def heard(speak, turn, floor, words):
    """One letter for each frame: o, open; -, closed. In the others, x is yes."""
    gate = VoiceGate(speak)
    frames = zip(turn, floor, words, strict=True)
    return ''.join('o' if gate.is_open(*(c == 'x' for c in f)) else '-' for f in frames)


@pytest.mark.parametrize(
    ('speak', 'turn', 'floor', 'words', 'expected'),
    [
        ('always', ' xxxx ', '  x   ', '      ', 'oooooo'),
        ('after_turn', ' xxxx ', '      ', '      ', 'o----o'),
        ('after_turn', ' xxxx ', '     x', '     x', 'o----o'),
        # It spoke already: the user speaks over it, until it is silent.
        ('after_turn', ' xxxx ', 'xxx   ', '      ', 'ooo--o'),
        # It begins in the middle of the turn.
        ('after_turn', ' xxxx ', '  xx  ', '      ', 'o----o'),
        ('guided', ' xxxx ', '     x', '  xxxx', '-----o'),
        ('guided', '      ', ' xxx  ', '  xx  ', '--oo--'),
        ('guided', ' xxxx ', 'xxxxx ', 'xxxx  ', 'oooo--'),
    ],
)
def test_gate(speak, turn, floor, words, expected):
    assert heard(speak, turn, floor, words) == expected


def test_it_counts_what_it_held():
    gate = VoiceGate('guided')
    assert [gate.is_open(False, False, k > 2) for k in range(5)].count(False) == gate.held == 3


def test_another_rule_is_refused():
    with pytest.raises(ValueError, match='speak is one of always, after_turn, guided'):
        VoiceGate('never')
