"""`kame doctor --config --set`: values that a node would refuse are told before it is started."""

from __future__ import annotations

import json
import re

import pytest

pytest.importorskip('rclpy')

from kame_ros import cli
from kame_ros.graph.description import config_names, load_graph
from kame_ros.nodes.common.tables import problems


def told(capsys, *given):
    status = cli.main(['doctor', '--json', *given])
    found = json.loads(capsys.readouterr().out)
    return status, [f'{f["what"]}: {f["detail"]}' for f in found if f['level'] == 'missing']


@pytest.mark.parametrize(
    ('given', 'says'),
    [
        ('stt.step_s=-3', 'stt: step_s is between'),
        ('stt.step_s=often', "stt: step_s is a number, not 'often'"),
        ('oracle.no_such=1', 'oracle: there is no parameter no_such'),
        ('audio_capture.source=wave', "audio_capture: source is one of .*did you mean 'wav'"),
        ('audio_playback.sink=[]', 'audio_playback: sink is one of'),
        ('s2s.front_ent=tts', 's2s: there is no parameter front_ent; did you mean front_end'),
        ('oracle.backend=nobody:x', 'oracle: .*nobody'),
        ('oracle.backend=embedded:nobody', "oracle: no weights called 'nobody'"),
        ('oracle.fallback=embedded:hibari', 'oracle: hibari is for tts, not for llm'),
        ('oracle.settings=/nowhere.yaml', 'oracle: /nowhere.yaml cannot be read: No such file'),
        ('stt.model=nobody', "stt: no weights called 'nobody': give a path, or one of whisper"),
        ('stt.model=hibari', 'stt: hibari is for tts, not for stt'),
        ('s2s.tts.voice=nobody', "s2s: no weights called 'nobody'"),
    ],
)
def test_what_the_node_would_refuse(capsys, given, says):
    status, found = told(capsys, '--set', given)
    assert status == 1
    assert len(found) == 1
    assert re.search(says, found[0]), found


def test_each_of_them_is_told(capsys):
    _, found = told(capsys, '--set', 'stt.step_s=-3', '--set', 'stt.x=1', '--set', 'oracle.y=1')
    assert len(found) == 3


@pytest.mark.parametrize('name', config_names())
def test_nothing_is_wrong_with_our_configurations(name):
    assert [list(problems(spec)) for spec in load_graph(name).nodes if list(problems(spec))] == []
