"""What `kame ask` counts as lost, and writes at its end."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from kame_ros.audio.wav import read_wav
from kame_ros.commands.ask import _report, all_played, counters, written
from kame_ros.commands.show import turn_table
from kame_ros.record.record import Record, RecordedTurn, TakenBack

SESSION = SimpleNamespace(answer=lambda: np.full(24_000, 9, np.int16))
FULL = Path('/dev/full')


def told(**nodes: dict[str, object]):
    """A graph whose nodes told these diagnostics last."""
    health = {name: SimpleNamespace(values=values) for name, values in nodes.items()}
    return SimpleNamespace(conductor=SimpleNamespace(health=health))


@pytest.mark.parametrize(
    ('playback', 'dropped', 'flushed'),
    [
        ({}, 0, 0),
        ({'flushed': '7', 'frames_flushed': 2}, 0, 9),  # a barge-in is no loss
        ({'dropped_speech': 1, 'skipped': 3, 'late': 4}, 8, 0),
        ({'late': '1.0', 'flushed': 1}, 1, 1),
    ],
)
def test_what_an_interruption_throws_away_is_not_lost(playback, dropped, flushed) -> None:
    count = counters(told(audio_playback=playback))
    assert (count['frames_dropped'], count['frames_flushed']) == (dropped, flushed)


def test_silence_that_wins_back_a_delay_is_counted_apart() -> None:
    count = counters(told(audio_playback={'dropped_silent': 2, 'underruns': 3}))
    assert (count['frames_dropped'], count['frames_left_out'], count['underruns']) == (0, 2, 3)


@pytest.mark.parametrize(
    ('heard', 'playback', 'done'),
    [
        (9, {'pushed': 9, 'played': 9}, True),
        (8, {'pushed': 8, 'played': 8}, False),  # one is on its way to the front-end
        (9, {'pushed': 8, 'played': 8}, False),  # one answer is on its way
        (9, {'pushed': 9, 'played': 8, 'depth': 1}, False),  # one waits to be played
        (9, {'pushed': 9, 'played': 8, 'dropped_silent': 1}, True),  # nothing comes any more
    ],
)
def test_when_all_is_played(heard, playback, done) -> None:
    run = told(audio_capture={'frames_sent': 9}, s2s={'frames_in': heard}, audio_playback=playback)
    assert all_played(run) is done


def test_frames_are_lost_in_every_node() -> None:
    count = counters(
        told(s2s={'frames_dropped': 1, 'frames_missing': 2}, audio_playback={'late': 4})
    )
    assert count['frames_dropped'] == 7


def test_a_node_that_told_nothing_lost_nothing() -> None:
    count = counters(told(s2s=None))
    assert set(count.values()) == {0}


# One file that cannot be written keeps no other from it.


def test_both_are_written(tmp_path):
    args = SimpleNamespace(output=tmp_path / 'a.wav', json=tmp_path / 'a.json')
    assert not written(args, SESSION, {'turns': []})
    assert len(read_wav(args.output).samples) == 24_000
    assert json.loads(args.json.read_text()) == {'turns': []}


@pytest.mark.skipif(not FULL.exists(), reason='this system has no /dev/full')
def test_a_full_disk_is_named_and_the_record_written_all_the_same(tmp_path, capsys):
    args = SimpleNamespace(output=FULL, json=tmp_path / 'a.json')
    assert written(args, SESSION, {'turns': []})
    assert '/dev/full cannot be written (No space left on device)' in capsys.readouterr().err
    assert args.json.exists()
    args = SimpleNamespace(output=tmp_path / 'a.wav', json=FULL)
    assert written(args, SESSION, {'turns': []})
    assert '/dev/full cannot be written (No space left on device)' in capsys.readouterr().err
    assert len(read_wav(args.output).samples) == 24_000


def test_nothing_asked_for_is_nothing_written():
    assert not written(SimpleNamespace(output=None, json=None), SESSION, {})


def test_what_nodes_warned_of_is_told_at_the_end(capsys):
    said = 'the end-of-turn strategy failed: RuntimeError: [boom]'
    run = told(s2s={'warnings': f'{said}\nand more'}, stt={}, oracle=None)
    run.graph = SimpleNamespace(config='tandem', names=('s2s', 'stt', 'oracle'))
    args = SimpleNamespace(output=None, json=None)
    assert _report(args, run, Record(transcribes=True), 'answered') == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[-2:] == [f's2s: {said}', 's2s: and more']


def test_the_table_shows_turns_as_they_were_said():
    turns = [
        RecordedTurn(
            user_text='I would like to. Know [/this].',
            robot_text='Yes.',
            user_speech_end=4.0,
            robot_speech_start=4.5,
            oracles=[],
            utterances=('I would like to.', 'Know [/this].'),
            taken_back=(TakenBack(2.0, 0),),
        ),
        RecordedTurn('', '', 9.0, None, []),
    ]
    shown = Console(file=io.StringIO(), width=120)
    shown.print(turn_table(turns))
    text = shown.file.getvalue()
    assert 'I would like to. (taken back) Know [/this].' in text
    assert '+0.50 s' in text
    assert 'no transcriber' in text
