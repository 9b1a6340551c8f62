"""Voices in a room in which the user is silent are not taken for the user's."""

import numpy as np
import pytest
from fake_vad import FakeVad

from kame_ros.s2s.small.room_vad import NOBODY, NOBODY_FRAMES, SPEAKS, RoomVad

LOUD = np.full(1280, 0.3)  # 80 ms at 16 kHz
SILENT, SPEAKING = NOBODY + 0.5, SPEAKS - 2.0  # odds that the user has finished


def hears(vad, frames, odds, level_dbfs=-46.0, listens=True):
    """In which of the frames, all of them loud for the detector, a voice was heard."""
    heard = []
    for _ in range(frames):
        vad.hear(odds, level_dbfs, listens)
        heard.append(max(vad.push(LOUD)) > 0.5)
    return heard


def test_a_voice_in_which_the_model_hears_no_user_for_a_second_is_the_rooms():
    heard = hears(RoomVad(FakeVad()), 2 * NOBODY_FRAMES, SILENT)
    assert heard == [True] * (NOBODY_FRAMES - 1) + [False] * (NOBODY_FRAMES + 1)


def test_a_user_is_heard_as_soon_as_they_are_louder_or_the_model_hears_them():
    vad = RoomVad(FakeVad())
    hears(vad, NOBODY_FRAMES, SILENT)
    assert hears(vad, 1, SILENT, level_dbfs=-40.0) == [True]
    assert hears(vad, 2, SILENT) == [False, False]
    assert hears(vad, 3, SPEAKING)[-1]
    assert all(hears(RoomVad(FakeVad()), 40, SPEAKING))


def test_new_words_are_against_it_and_the_same_ones_are_not():
    vad = RoomVad(FakeVad())
    vad.hear_words('where is it')
    hears(vad, NOBODY_FRAMES, SILENT)
    vad.hear_words('where is it')
    assert hears(vad, 1, SILENT) == [False]
    vad.hear_words('where is it now')
    assert all(hears(vad, NOBODY_FRAMES - 1, SILENT))


@pytest.mark.parametrize('odds', [SILENT, SPEAKING])
def test_while_the_robot_speaks_the_odds_tell_nothing_and_the_room_stays_known(odds):
    assert all(hears(RoomVad(FakeVad()), 40, odds, listens=False))
    vad = RoomVad(FakeVad())
    hears(vad, NOBODY_FRAMES, SILENT)
    assert not any(hears(vad, 40, odds, listens=False))


def test_after_a_reset_no_room_is_known():
    vad = RoomVad(FakeVad())
    hears(vad, NOBODY_FRAMES, SILENT)
    vad.reset()
    assert all(hears(vad, 3, SILENT))
