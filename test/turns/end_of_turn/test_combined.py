"""Melody, words, silence and habits together: more of one needs less of the other."""

import itertools
import logging
from dataclasses import replace

import numpy as np
import pytest
from fake_end_model import FakeEndModel, FakeExecutor
from fake_vad import FakeVad
from pauses import pause_of, silence_that_ends

from kame_ros.runtime import weights
from kame_ros.turns.end_listener import EndListener
from kame_ros.turns.end_of_turn import EndOfTurnSettings, combined
from kame_ros.turns.end_of_turn.combined import Combined, make, mean_pause_s, odds
from kame_ros.turns.end_of_turn.words import WordsAndSilence
from kame_ros.turns.turn_tracker import TurnTracker
from kame_ros.wire.frame import FRAME_S

WHOLE, HALF, QUESTION = 'It is late.', 'I would like to', 'What time is it?'


def ends_after(over, text=None, quickness=0.5, **others):
    listener = EndListener(FakeEndModel(over), FakeExecutor())
    strategy = Combined(EndOfTurnSettings(quickness=quickness), listener)
    return silence_that_ends(strategy, text, **others)[0]


def ascending(values):
    return all(a <= b for a, b in itertools.pairwise(values)) and values[0] < values[-1]


@pytest.mark.parametrize('text', [None, WHOLE, HALF])
def test_the_more_the_melody_goes_on_the_longer_it_waits(text):
    assert ascending([ends_after(over, text) for over in (0.99, 0.9, 0.7, 0.3, 0.05)])


@pytest.mark.parametrize('over', [0.9, 0.7, 0.3])
def test_whole_sentences_end_sooner_than_halves(over):
    unknown = ends_after(over, WHOLE, covers=False)
    assert ends_after(over, WHOLE) <= unknown <= ends_after(over, HALF)
    assert ends_after(over, WHOLE) < ends_after(over, HALF)


@pytest.mark.parametrize('text', [None, WHOLE])
def test_after_a_word_the_melody_of_an_end_counts_for_less(text):
    short, longer, long = (ends_after(0.75, text, voice_end_s=0.5 + s) for s in (0.4, 0.8, 2.0))
    assert short > longer > long
    assert ends_after(0.9, 'Yes.', voice_end_s=0.9) <= 0.32


def test_in_noise_the_melody_of_an_end_counts_for_less():
    rng = np.random.default_rng(0)
    waits = []
    for noise in (0.0, 0.002, 0.03):
        sound = noise * rng.standard_normal(64_000).astype(np.float32)
        sound[20_000:32_000] += 0.1 * np.sin(np.arange(12_000) / 5).astype(np.float32)
        strategy = Combined(None, EndListener(FakeEndModel(0.9), FakeExecutor()))
        pauses = (pause_of(0.02 * k, WHOLE) for k in range(1, 200))
        for pause in pauses:
            pause.sound.push(sound)
            if strategy.decide(pause).over:
                break
        waits.append(pause.silence_s)
    assert waits[0] == waits[1] < waits[2]


def test_who_goes_on_after_ends_is_a_story_teller_and_the_melody_counts_for_less():
    strategy = Combined(None, EndListener(FakeEndModel(0.97), FakeExecutor()))
    waits = []
    for number in range(6):
        pauses = (pause_of(0.02 * k, WHOLE, voice_end_s=2.0 + number) for k in range(1, 200))
        waits.append(next(p.silence_s for p in pauses if strategy.decide(p).over))
    assert ascending([round(wait_s, 2) for wait_s in waits])
    # In later turns less and less; and of an end that it did not hear it learns nothing.
    last = pause_of(1.0, WHOLE, voice_end_s=99.0)
    for number in range(4):
        strategy.decide(replace(last, turn_start_s=90.0 + number))
    assert strategy._misled == 0


def heard(first, whole, **others):
    """After how much silence a turn ends, and how often the model was asked."""
    model = FakeEndModel(first, whole)
    strategy = Combined(None, EndListener(model, FakeExecutor()))
    return silence_that_ends(strategy, None, **{'voice_end_s': 3.0, **others})[0], len(model.asked)


def test_where_the_first_hearing_is_not_sure_all_of_the_turn_is_heard():
    agreed, disagreed = heard(0.88, 0.88), heard(0.88, 0.05)
    assert agreed[0] < 0.3 < disagreed[0] == combined.AGAIN_S  # then the first counts alone
    assert agreed[1] == disagreed[1] == 2
    assert heard(0.6, 0.99)[0] < heard(0.6, 0.6)[0]


@pytest.mark.parametrize(
    ('first', 'voice_end_s'),
    [(0.97, 3.0), (0.3, 3.0), (0.88, 1.6)],  # sure, not likely at all, nothing more to hear
)
def test_else_it_is_heard_once(first, voice_end_s):
    once = heard(first, 0.05, voice_end_s=voice_end_s)
    assert once == (heard(first, first, voice_end_s=voice_end_s)[0], 1)


def test_words_and_silence_decide_while_the_second_hearing_is_late():
    class Once(FakeExecutor):
        def release(self):
            if self._held is False:
                super().release()
                self._held = True

    listener = EndListener(FakeEndModel(0.88), Once())
    strategy = Combined(None, listener)
    assert silence_that_ends(strategy, WHOLE, voice_end_s=3.0) == (0.6, 'complete')


def wait_in(strategy, turn_start_s, voice_end_s, text=WHOLE):
    """After how much silence the strategy ends this turn."""
    pauses = (
        replace(pause_of(0.02 * k, text, voice_end_s=voice_end_s), turn_start_s=turn_start_s)
        for k in range(1, 200)
    )
    return round(next(p.silence_s for p in pauses if strategy.decide(p).over), 2)


def test_who_went_on_after_a_wrong_end_is_given_clearly_more_time():
    strategy = Combined(None, EndListener(FakeEndModel(0.99), FakeExecutor()))
    assert wait_in(strategy, 0.5, 2.0) < 0.3
    assert wait_in(strategy, 0.5, 4.0) == 0.82  # the same turn
    assert wait_in(strategy, 0.5, 6.0, QUESTION) <= 0.32  # a whole question ends any turn
    after = [wait_in(strategy, t, t + 2.0) for t in (20.0, 30.0, 40.0, 50.0)]
    assert after[0] > after[1] > 0.3 > after[2] >= after[3]  # but not for ever


def test_a_voice_that_the_model_does_not_know_is_given_more_time_too():
    strategy = Combined(None, EndListener(Told(), FakeExecutor()))
    turns(strategy, [0.001] * 5)
    assert strategy.is_strange
    assert wait_in(strategy, 50.0, 52.0) == 0.6  # by words and silence
    assert wait_in(strategy, 50.0, 54.0) == 0.82


def test_a_cough_after_the_end_teaches_nothing():
    strategy = Combined(None, EndListener(FakeEndModel(0.99), FakeExecutor()))
    first = wait_in(strategy, 0.5, 2.0)
    for silence_s in (0.2, 0.4, 0.8):
        pause = pause_of(silence_s, WHOLE, voice_end_s=3.0)
        if silence_s > 0.2:
            pause.words.noise_until = 3.0
        decision = strategy.decide(pause)
    assert (decision.over, decision.why) == (True, 'noise')
    assert wait_in(strategy, 20.0, 22.0) == first


def test_however_often_it_was_wrong_there_is_a_bound():
    strategy = Combined(None, EndListener(FakeEndModel(0.99), FakeExecutor()))
    waits = [wait_in(strategy, 0.5, 2.0 + k, QUESTION) for k in range(9)]
    assert max(waits) <= 0.32
    assert wait_in(strategy, 0.5, 20.0) <= 2.0
    strategy.reset()
    assert wait_in(strategy, 0.5, 2.0) < 0.3


def test_a_long_pause_that_no_end_was_found_in_was_no_mistake():
    strategy = Combined(None, EndListener(FakeEndModel(0.05), FakeExecutor()))
    for k in range(4):
        assert not strategy.decide(pause_of(0.5, HALF, voice_end_s=2.0 + k)).over
    assert strategy._wrong.count == 0


def talk_of(pauses_s, gap_s):
    """A story told twice, sentences of 2 s with these pauses; then four short turns, to a robot."""
    tracker = TurnTracker(
        FakeVad(), Combined(None, EndListener(FakeEndModel(0.98), FakeExecutor())), 1.0
    )
    spans, t = [], 0.8
    for pause_s in (*pauses_s, gap_s, *pauses_s, gap_s, gap_s, gap_s, gap_s, gap_s):
        spans.append((t, t + 2.0))
        t += 2.0 + pause_s
    ends, story = [], len(pauses_s) + 1
    for k in range(round(t / FRAME_S)):
        loud = any(a <= k * FRAME_S + 1e-9 < b - 1e-9 for a, b in spans)
        if tracker.hear(np.full(1920, 12_000 if loud else 0, np.int16)).turn_ended:
            ends.append((k + 1) * FRAME_S)
    late = [
        round(next(e for e in ends if e > b) - b, 2) for _, b in spans[story - 1 :: story][:2]
    ] + [round(next(e for e in ends if e > b) - b, 2) for _, b in spans[2 * story :]]
    wrong = [sum(a[1] < e < b[0] for e in ends) for a, b in itertools.pairwise(spans)]
    return sum(wrong[: story - 1]), sum(wrong[story : 2 * story - 1]), late


@pytest.mark.parametrize('seed', range(5))
def test_a_story_is_broken_once_and_short_turns_after_it_are_not_slow_for_ever(seed):
    pauses_s = 0.4 + 0.5 * np.random.default_rng(seed).random(12)
    first, second, late = talk_of(pauses_s, 6.0)
    assert first == 1  # nobody could know it
    assert second <= 1
    assert max(late[:2]) <= 3.3  # the ends of the stories
    assert late[2] < 1.5
    assert max(late[-2:]) < 0.4


@pytest.mark.parametrize(
    ('language', 'text'),
    [
        ('de', 'Ja, bitte.'),
        ('fr', "Oui, s'il vous plaît."),
        ('es', 'No, gracias.'),
        ('ja', 'はい。'),
    ],
)
def test_short_answers_end_a_turn_in_other_languages(language, text):
    assert ends_after(0.001, text, language=language) <= 0.32
    assert ends_after(0.001, text, language='fi') > 1.0


def test_two_words_are_no_question_yet():
    assert ends_after(0.001, 'Is it?') > 1.0
    assert ends_after(0.001, 'Is it late?') <= 0.32
    assert ends_after(0.001, 'いつ？', language='ja') <= 0.32


def test_patience_is_one_number():
    waits = [ends_after(0.8, WHOLE, quickness) for quickness in (1.0, 0.75, 0.5, 0.25, 0.0)]
    assert ascending(waits)


def test_who_pauses_long_is_given_more_time():
    usual, slow, quick = (
        ends_after(0.5, earlier_s=earlier) for earlier in ((), (1.5,) * 6, (0.2,) * 6)
    )
    assert quick < usual < slow
    assert mean_pause_s(()) == pytest.approx(0.8)
    assert mean_pause_s((9.0,) * 20) == 1.2


def test_who_has_gone_on_before_is_given_more_time():
    def wait(gone_on):
        strategy = Combined(None, EndListener(FakeEndModel(0.6), FakeExecutor()))
        pauses = (replace(pause_of(0.02 * k, WHOLE), gone_on=gone_on) for k in range(1, 200))
        return next(p.silence_s for p in pauses if strategy.decide(p).over)

    assert ascending([wait(times) for times in (1, 2, 3, 4)])
    assert wait(0) == wait(1)
    assert wait(5) == wait(50)


def test_a_long_turn_ends_after_a_longer_silence():
    def wait(turn_s, quickness=0.5):
        return ends_after(0.99, None, quickness, voice_end_s=0.5 + turn_s)

    assert wait(2.0) == wait(4.0) < wait(6.0) < wait(8.0) < wait(20.0)
    assert wait(20.0) == wait(200.0) == 0.5  # a bound
    assert wait(20.0, 1.0) < wait(20.0) < wait(20.0, 0.25)
    assert ends_after(0.99, QUESTION, voice_end_s=60.0) <= 0.32  # a question is one in any turn


def test_nobody_waits_for_ever():
    assert ends_after(0.0001, HALF, quickness=0.0) == 3.0
    assert ends_after(0.0001, quickness=0.0) == 3.0
    assert ends_after(0.0001, WHOLE, quickness=0.0) == 2.0


def test_what_is_sure_needs_no_words():
    assert ends_after(0.99, WHOLE, covers=False) <= 0.2


@pytest.mark.parametrize('over', [0.001, 0.5])
@pytest.mark.parametrize('text', [QUESTION, 'Yes, please.'])
def test_a_whole_question_or_answer_needs_no_melody(over, text):
    assert ends_after(over, text) <= 0.46
    assert ends_after(over, 'What is the...') > 1.0


def test_a_whole_request_needs_no_melody_but_more_silence_than_a_question():
    assert 0.98 <= ends_after(0.001, 'Show me how to boil an egg.') <= 1.16
    assert ends_after(0.001, 'Show me how to boil an.') == 3.0
    assert ends_after(0.001, 'I show you how it works.') == 2.0
    waits = [ends_after(0.001, 'Show me how it works.', q) for q in (0.75, 0.5, 0.25, 0.0)]
    assert ascending(waits)


def turns(strategy, overs):
    """Turns of one speaker, each with an end of that melody; after how much silence each ended."""
    out = []
    for number, over in enumerate(overs):
        strategy._listener._model.over = over
        pauses = (
            replace(pause_of(0.02 * k, WHOLE), turn_start_s=float(number)) for k in range(1, 200)
        )
        out.append(next(p.silence_s for p in pauses if strategy.decide(p).over))
        strategy._listener.reset()
    return [round(silence_s, 2) for silence_s in out]


class Told:
    """A model for tests that says what it is told."""

    over = 0.0

    def probability(self, sound):
        return self.over


def test_a_voice_that_the_model_does_not_know_is_judged_by_its_words():
    strategy = Combined(None, EndListener(Told(), FakeExecutor()))
    waits = turns(strategy, [0.001] * 5)
    assert waits[0] == 2.0
    assert waits[-1] == 0.6
    assert strategy.is_strange
    strategy.reset()
    assert turns(strategy, [0.001])[0] == 2.0


def test_a_voice_that_it_knows_stays_known():
    strategy = Combined(None, EndListener(Told(), FakeExecutor()))
    turns(strategy, [0.9, 0.9, 0.001, 0.95, 0.001, 0.9])
    assert not strategy.is_strange


def test_noise_ends_as_noise():
    pause = pause_of(0.7, WHOLE)
    pause.words.noise_until = 2.0
    listener = EndListener(FakeEndModel(0.001), FakeExecutor())
    assert Combined(None, listener).decide(pause).why == 'noise'


@pytest.mark.parametrize(
    ('text', 'ended'), [(WHOLE, (0.6, 'complete')), (HALF, (1.8, 'incomplete'))]
)
def test_where_the_model_does_not_answer_words_and_silence_decide(text, ended):
    listener = EndListener(FakeEndModel(0.99), FakeExecutor(held=True))
    assert silence_that_ends(Combined(None, listener), text) == ended


@pytest.mark.parametrize('over', [0.0, 1.0])
def test_a_model_is_never_quite_sure(over):
    assert -20.0 < odds(over, 'complete', 0.2, 0.8) < 20.0


def test_without_the_model_words_and_silence_decide(monkeypatch, caplog):
    monkeypatch.setattr(weights.Pinned, 'locate', lambda self: None)
    settings = EndOfTurnSettings(complete_s=0.9)
    combined._tell_that_it_is_missing.cache_clear()
    for _ in range(3):
        strategy = make(settings)
        assert isinstance(strategy, WordsAndSilence)
        assert strategy.settings == settings
    (record,) = caplog.records  # once, and so that it is seen: the robot is worse without it
    assert record.levelno == logging.WARNING
    assert 'the robot interrupts more often' in record.message
    assert 'pip install --no-deps pipecat-ai==' in record.message


def test_a_model_that_cannot_be_used_is_told_and_words_and_silence_decide(monkeypatch, caplog):
    def broken():
        raise weights.CorruptWeights('the file is not the pinned one')

    monkeypatch.setattr(combined, 'SmartTurn', broken)
    monkeypatch.setattr(combined.smart_turn, 'is_there', lambda: True)
    settings = EndOfTurnSettings(complete_s=0.9)
    assert make(settings).settings == settings
    (record,) = caplog.records
    assert 'CorruptWeights: the file is not the pinned one' in record.message


def test_without_onnxruntime_too(monkeypatch):
    import importlib.util

    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, 'find_spec', lambda name: None if name == 'onnxruntime' else found(name)
    )
    assert isinstance(make(EndOfTurnSettings()), WordsAndSilence)
