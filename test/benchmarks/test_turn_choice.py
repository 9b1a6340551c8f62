"""Weights are chosen on one half of the recordings, and found where they are best."""

from types import SimpleNamespace

import pytest
from fake_end_model import FakeEndModel, FakeExecutor
from pauses import pause_of

from kame_ros.turns.end_of_turn import combined

turn_choice = pytest.importorskip('turn_choice', reason='pip install soundfile soxr')


def turn(name, language='en'):
    return SimpleNamespace(name=name, language=language)


@pytest.mark.parametrize('language', ['en', 'fr'])
def test_a_half_of_two_languages_is_for_the_choice(language):
    chosen = [turn_choice.is_chosen_on(turn(f'prompt-{k}', language)) for k in range(400)]
    assert 160 < sum(chosen) < 240


@pytest.mark.parametrize('language', ['es', 'it', 'ru'])
def test_the_other_languages_are_kept_apart(language):
    assert not any(turn_choice.is_chosen_on(turn(f'prompt-{k}', language)) for k in range(400))


def test_weights_are_as_before_afterwards():
    before = turn_choice.current()
    with turn_choice.weighing({'MELODY': 9.0, 'complete': 8.0}):
        assert combined.MELODY == 9.0
        assert combined.WORDS['complete'] == 8.0
    assert turn_choice.current() == before
    assert before['MELODY'] == combined.MELODY


def test_pauses_that_are_taken_cost_more_than_to_wait():
    costs = [
        turn_choice.cost(taken, [late]) for taken, late in ((0.08, 1.0), (0.08, 9.0), (0.2, 1.0))
    ]
    assert costs[0] == 1.0
    assert costs[1] == 3.0  # nobody waits for longer
    assert costs[2] > costs[1]


def test_the_best_weights_are_found():
    def costs():
        now = turn_choice.current()
        return abs(now['BEGIN'] - 3.0) + abs(now['complete'] + 0.3)

    found = turn_choice.choose(costs, say=lambda _: None)
    assert found['BEGIN'] == pytest.approx(3.0, abs=0.1)
    assert found['complete'] == pytest.approx(-0.3, abs=0.1)
    assert found['MELODY'] == combined.MELODY


@pytest.mark.parametrize('answers', [(0.97,), (0.9, 0.05), (0.6, 0.6)])
def test_what_was_asked_is_decided_as_if_it_were_heard(answers):
    def ear():
        return FakeEndModel(*answers), FakeExecutor()

    watcher = turn_choice.Watcher().listening(*ear())
    strategy = combined.Combined(None, turn_choice.EndListener(*ear()))
    pauses = [pause_of(0.08 * k, 'It is late.', voice_end_s=3.0) for k in range(1, 60)]
    ended = [pause.now_s for pause in pauses if strategy.decide(pause).over]
    for pause in pauses:
        assert not watcher.decide(pause).over
    assert turn_choice.ends_told(watcher.asked) == pytest.approx(ended[:1])


def test_noise_is_taken_out_of_a_sound_once_for_all_strategies():
    turn_hearing = pytest.importorskip('turn_hearing', reason='pip install faster-whisper')
    model = SimpleNamespace(judged={}, probability=FakeEndModel(0.9, 0.1).probability)
    for _ in range(3):
        listener = turn_hearing.KnownListener(model, FakeExecutor())
        assert listener.hear(pause_of(0.2)) == 0.9
    assert len(model.judged) == 1
