"""Into which pauses a front-end speaks, and how soon it is heard after the turn."""

import numpy as np
import pytest
from scripted_robot import ScriptedRobot

bench = pytest.importorskip('turn_front_ends', reason='pip install jiwer soundfile soxr')

from kame_ros.wire.transcript import Transcript  # noqa: E402 - after what may be absent

LOUD, SILENT = np.full(24_000, 0.1), np.zeros(24_000)


def said(*texts):
    """Words that are told 0.4 s after each second, the last ones final."""
    last = len(texts) - 1
    return [
        (1.4 + k, Transcript(0, k, text, len(text) * (k == last), k == last, 0.0, 1.0))
        for k, text in enumerate(texts)
    ]


def turn(*parts, pauses=(), end):
    sound = np.concatenate([*parts, SILENT, SILENT])
    return bench.Turn('a', 'human', '', sound.astype(np.float32), pauses, end)


def test_who_waits_for_two_frames_breaks_into_a_pause_of_a_second():
    paused = turn(LOUD, SILENT, LOUD, pauses=((1.0, 2.0),), end=3.0)
    found = bench.Score()
    for waits in (2, 15):
        found.add(paused, *bench.hear(ScriptedRobot(waits=waits), paused, said('one two')))
    told = found.told()
    assert (told['pauses'], told['broken_into'], told['usual_broken_into']) == (2, 1, 1)
    assert told['never_answers'] == 0
    # The one that waits 15 frames: from the frame that ends at 3.04 s on, heard 14 frames later.
    assert told['first_sound_median_s'] == pytest.approx(3.04 + 15 * 0.08 - 3.0, abs=0.09)


def test_the_answer_is_timed_from_its_first_word():
    plain = turn(LOUD, end=1.0)
    loud, words = bench.hear(ScriptedRobot(waits=2, lead_in='Well,'), plain, said('one two'))
    assert loud[0] == pytest.approx(1.2)
    assert words[0] > loud[0] + bench.ORACLE_S


def test_a_newer_answer_is_asked_for_after_two_more_words_and_at_the_end():
    answers = bench._answers(said('one', 'one two', 'one two three', 'one two three'))
    assert [round(t, 2) for t, _ in answers] == [1.7, 3.7, 4.7]
    assert [oracle.generation for _, oracle in answers] == [1, 2, 3]
    assert {oracle.priority for _, oracle in answers} == {0}
