"""When the model is asked about a pause, and which of its answers count."""

import time

import numpy as np
import pytest
from fake_end_model import FakeEndModel, FakeExecutor

from kame_ros.turns.end_listener import WHOLE_S, EndListener, sound_of
from kame_ros.turns.end_of_turn import Pause
from kame_ros.turns.recent_sound import RecentSound
from kame_ros.turns.words_heard import WordsHeard


def pause(silence_s, voice_end_s=2.0, turn_start_s=1.0):
    sound = RecentSound()
    sound.push(np.zeros(160_000, np.float32))
    return Pause(turn_start_s, voice_end_s, voice_end_s + silence_s, WordsHeard(), sound)


def test_it_asks_once_for_each_pause():
    model = FakeEndModel(0.1, 0.2)
    listener = EndListener(model, FakeExecutor())
    assert [listener.hear(pause(0.08 * k)) for k in range(1, 6)] == [None, 0.1, 0.1, 0.1, 0.1]
    assert [listener.hear(pause(0.08 * k, 3.0)) for k in range(1, 4)] == [None, 0.2, 0.2]
    assert listener.calls == len(model.asked) == 2


def test_it_hears_the_end_of_the_turn_with_little_silence():
    model = FakeEndModel(0.5)
    listener = EndListener(model, FakeExecutor())
    listener.hear(pause(0.2, voice_end_s=2.0, turn_start_s=1.0))
    listener.hear(pause(0.5, voice_end_s=60.0, turn_start_s=1.0))
    assert [len(sound) / 16_000 for sound in model.asked] == pytest.approx([1.36, 1.5])


def test_who_wants_to_hear_more_of_the_turn_asks_once_more():
    model = FakeEndModel(0.9, 0.2, 0.5)
    listener = EndListener(model, FakeExecutor())
    for silence_s in (0.2, 0.28, 0.36):
        now = pause(silence_s, voice_end_s=9.0)
        assert (listener.hear(now), listener.hear(now, WHOLE_S)) == (0.9, 0.2)
    assert [len(sound) / 16_000 for sound in model.asked] == pytest.approx([1.5, WHOLE_S], abs=0.2)
    assert listener.hear(pause(0.2, voice_end_s=9.8), WHOLE_S) == 0.5  # of another pause


@pytest.mark.parametrize('silence_s', [0.1, 0.2, 1.0])
def test_the_silence_that_is_heard_does_not_grow(silence_s):
    spoken = RecentSound()
    spoken.push(np.ones(16_000, np.float32))
    spoken.push(np.zeros(round(16_000 * silence_s), np.float32))
    heard = sound_of(Pause(0.3, 1.0, 1.0 + silence_s, WordsHeard(), spoken))
    assert len(heard) / 16_000 == pytest.approx(1.06, abs=1e-3)
    assert (heard == 0.0).sum() / 16_000 == pytest.approx(0.06, abs=1e-3)


def test_an_answer_about_an_earlier_pause_is_dropped():
    executor = FakeExecutor(held=True)
    listener = EndListener(FakeEndModel(0.9, 0.2), executor)
    assert listener.hear(pause(0.2, voice_end_s=2.0)) is None
    assert listener.hear(pause(0.2, voice_end_s=3.0)) is None  # one call at a time
    executor.release()
    assert listener.hear(pause(0.28, voice_end_s=3.0)) is None
    executor.release()
    assert listener.hear(pause(0.36, voice_end_s=3.0)) == 0.2


def test_what_the_model_raises_is_raised_while_the_pause_lasts():
    listener = EndListener(FakeEndModel(RuntimeError('no'), 0.7), FakeExecutor())
    for silence_s in (0.2, 0.28, 0.6):
        with pytest.raises(RuntimeError, match='no'):
            listener.hear(pause(silence_s))
    assert listener.calls == 1
    assert listener.hear(pause(0.2, voice_end_s=3.0)) == 0.7


@pytest.mark.parametrize('answer', [float('nan'), 1.5, -0.1])
def test_what_is_no_probability_is_no_answer(answer):
    listener = EndListener(FakeEndModel(answer), FakeExecutor())
    with pytest.raises(ValueError, match='no probability'):
        listener.hear(pause(0.2))


def test_what_the_model_raised_about_an_earlier_pause_is_dropped():
    executor = FakeExecutor(held=True)
    listener = EndListener(FakeEndModel(RuntimeError('no'), 0.7), executor)
    listener.hear(pause(0.2))
    executor.release()
    assert listener.hear(pause(0.2, voice_end_s=3.0)) is None


def test_a_thread_of_its_own_does_the_work():
    listener = EndListener(FakeEndModel(0.7))
    opinion = listener.hear(pause(0.2))
    while opinion is None:
        opinion = listener.hear(pause(0.2))
    assert opinion == 0.7


def test_a_new_session_begins_with_nothing():
    listener = EndListener(FakeEndModel(0.7), FakeExecutor())
    listener.hear(pause(0.2))
    listener.reset()
    assert listener.hear(pause(0.08)) is None


def test_whoever_has_time_waits_for_a_slow_model():
    class Slow(FakeEndModel):
        def probability(self, sound):
            time.sleep(0.2)  # longer than a frame of a talk waits
            return super().probability(sound)

    listener = EndListener(Slow(0.4), wait_s=60.0)
    assert [listener.hear(pause(0.08 * k)) for k in (1, 2, 3)] == [None, None, 0.4]
