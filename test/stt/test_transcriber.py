from dataclasses import replace

import numpy as np
import pytest
from fake_speech import FakeRecogniser, check, finals, run, speech, words_of
from fake_vad import FakeVad
from hypothesis import given, settings
from hypothesis import strategies as st

from kame_ros.stt.config import TranscriberConfig
from kame_ros.stt.transcriber import Transcriber
from kame_ros.wire.frame import FRAME_S, Frame
from kame_ros.wire.transcript import Transcript
from kame_ros.wire.turn import TurnEvent, TurnKind

TEXT = 'what is the tallest mountain in the world'


def one_utterance(text=TEXT, **options):
    script = words_of(text)
    spans = [(1.0, script[-1].end)]
    return FakeRecogniser(script, **options), speech(spans, script[-1].end + 2.0), script[-1].end


def test_an_utterance_grows_and_ends_in_one_final():
    recogniser, frames, end = one_utterance()
    outputs, transcriber = run(recogniser, frames)
    check(outputs)
    (final,) = finals(outputs)
    assert final.text == TEXT
    assert final.language == 'en'
    assert final.start == pytest.approx(1.0, abs=0.05)
    assert final.end == pytest.approx(end, abs=0.05)
    assert transcriber.counters()['partials'] >= 4
    kinds = [o.kind for _, o in outputs if isinstance(o, TurnEvent)]
    assert kinds == [TurnKind.USER_SPEECH_START, TurnKind.USER_SPEECH_END]


def test_the_final_is_decoded_ahead_of_the_end_of_speech():
    recogniser, frames, end = one_utterance()
    outputs, _ = run(recogniser, frames)
    (when,) = [t for t, o in outputs if isinstance(o, Transcript) and o.final]
    told = [t for t, o in outputs if isinstance(o, TurnEvent)][-1]
    assert when == told  # nothing was left to decode
    assert when - end < 0.4 + 3 * FRAME_S
    assert recogniser.calls[-1][2]  # and it was a decode in final quality
    assert recogniser.calls[-1][1] >= end + 0.06


@pytest.mark.parametrize('later', [0.0, 0.02, 0.04, 0.06])
def test_the_end_is_decoded_once_and_soon_wherever_it_lies_in_a_frame(later):
    script = [
        replace(word, start=word.start + later, end=word.end + later) for word in words_of(TEXT)
    ]
    end = script[-1].end
    recogniser = FakeRecogniser(script)
    run(recogniser, speech([(1.0 + later, end)], end + 2.0))
    ends = [until for _, until, final in recogniser.calls if final]
    assert len([until for until in ends if until > end]) == 1  # nothing is decoded again
    assert end + 0.03 <= ends[-1] <= end + 0.096 + FRAME_S + 0.032


def told_over(spans, at, cost=0.0):
    """The outputs, with their times, when the turn is told to be over at `at` s."""
    script = words_of(TEXT)
    transcriber = Transcriber(FakeRecogniser(script), FakeVad())
    outputs = []
    for k, frame in enumerate(speech(spans, spans[-1][1] + 2.0)):
        now = (k + 1) * FRAME_S
        if at <= now < at + FRAME_S:
            transcriber.end_turn(at)
        outputs += [(now, output) for output in transcriber.feed(frame)]
        while transcriber.busy:
            outputs += [(now, output) for output in transcriber.work()]
    check(outputs)
    return outputs


def test_the_final_comes_when_the_turn_is_over():
    end = words_of(TEXT)[-1].end
    (late,) = [t for t, o in told_over([(1.0, end)], 99.0) if isinstance(o, Transcript) and o.final]
    outputs = told_over([(1.0, end)], end + 0.24)
    (when,) = [t for t, o in outputs if isinstance(o, Transcript) and o.final]
    assert finals(outputs)[0].text == TEXT
    assert when <= end + 0.24 + 2 * FRAME_S
    assert late - when >= FRAME_S
    told = [(t, o.kind) for t, o in outputs if isinstance(o, TurnEvent)]
    assert told[-1] == (when, TurnKind.USER_SPEECH_END)


def test_an_end_of_another_clock_ends_nothing_later():
    """It is told by the clock of before, which is a second to a day ahead, and is forgotten."""
    end = words_of(TEXT)[-1].end
    (late,) = [t for t, o in told_over([(1.0, end)], 99.0) if isinstance(o, Transcript) and o.final]
    transcriber = Transcriber(FakeRecogniser(words_of(TEXT)), FakeVad())
    frames = speech([(1.0, end)], end + 2.0)
    transcriber.feed(frames[0])
    transcriber.end_turn(90_000.0)
    finals_at = []
    for k, frame in enumerate(frames[1:], 1):  # then the clock comes to where it was told
        outputs = transcriber.feed(replace(frame, t=frame.t + 90_000.0 - end - 0.2))
        while transcriber.busy:
            outputs += transcriber.work()
        finals_at += [(k + 1) * FRAME_S for o in outputs if isinstance(o, Transcript) and o.final]
    assert finals_at == [late]


def test_who_has_gone_on_is_heard_out():
    end = words_of(TEXT)[-1].end
    for at in (2.0, 2.45):  # while they speak; after they have gone on
        outputs = told_over([(1.0, 2.05), (2.3, end)], at)
        assert [final.text for final in finals(outputs)] == [TEXT]


def test_a_word_said_right_at_the_end_is_not_lost():
    """The last word comes after a pause shorter than the end of speech."""
    script = words_of('please stop the', 1.0) + words_of('music', 2.45)
    frames = speech([(1.0, 2.2), (2.45, 2.8)], 5.0)
    outputs, _ = run(FakeRecogniser(script), frames)
    check(outputs)
    assert [f.text for f in finals(outputs)] == ['please stop the music']


def test_two_utterances_have_two_numbers():
    script = words_of('first one') + words_of('second one', 4.0)
    outputs, _ = run(FakeRecogniser(script), speech([(1.0, 1.8), (4.0, 4.8)], 7.0))
    check(outputs)
    assert [(f.utterance, f.text) for f in finals(outputs)] == [(0, 'first one'), (1, 'second one')]


@pytest.mark.parametrize('flicker', [0.1, 0.3, 0.6])
def test_flicker_is_outlived(flicker):
    recogniser, frames, _ = one_utterance(TEXT + ' and how high is it', flicker=flicker)
    outputs, _ = run(recogniser, frames)
    check(outputs)
    assert finals(outputs)[0].text.split()[-4:] == ['how', 'high', 'is', 'it']


def test_loops_are_cut():
    recogniser, frames, _ = one_utterance(loops=(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12))
    outputs, transcriber = run(recogniser, frames)
    check(outputs)
    assert finals(outputs)[0].text == TEXT
    assert transcriber.counters()['loops'] > 0


def test_noise_gets_no_transcript():
    recogniser, frames, _ = one_utterance(
        'you', probability=0.2, log_probability=-1.5, no_speech=0.9
    )
    outputs, transcriber = run(recogniser, frames)
    check(outputs)
    assert not any(isinstance(o, Transcript) for _, o in outputs)
    assert transcriber.counters()['noise'] == 1


def test_an_engine_that_fails_at_the_end_leaves_the_last_partial():
    recogniser, frames, _ = one_utterance()
    run(recogniser, frames)
    last = len(recogniser.calls) - 1
    recogniser, frames, _ = one_utterance(fails=tuple(range(last - 1, last + 9)))
    outputs, transcriber = run(recogniser, frames)
    check(outputs)
    assert transcriber.counters()['failed'] > 0
    assert finals(outputs)[0].text.startswith('what is the tallest')


@pytest.mark.parametrize('cost', [0.2, 0.6, 1.5, 4.0])
def test_a_slow_engine_makes_partials_rarer_and_loses_no_final(cost):
    """The bound: a partial is never older than two decodes and a step when it is published."""
    script = words_of(' '.join(f'w{i}' for i in range(75)), 1.0)
    ends = [script[24].end, script[49].end, script[74].end]
    spans = [(1.0, ends[0]), (script[25].start + 0.0, ends[1]), (script[50].start, ends[2])]
    frames = speech(spans, ends[2] + 12.0)
    outputs, transcriber = run(FakeRecogniser(script), frames, cost=cost)
    check(outputs)
    text = ' '.join(f.text for f in finals(outputs)).split()
    assert text == [f'w{i}' for i in range(75)]
    counters = transcriber.counters()
    assert counters['dropped_s'] == 0.0
    step = max(TranscriberConfig().step_s, cost / 0.7)
    heard = [(t, o.end) for t, o in outputs if isinstance(o, Transcript) and not o.final]
    assert max(t - end for t, end in heard) <= 2 * cost + step + 2 * FRAME_S
    assert counters['decodes'] <= 31 / step + 8


def test_utterances_that_wait_have_a_bound_and_each_its_final():
    script, spans = [], []
    for i in range(12):
        script += words_of(f'a{i} b{i} c{i}', 1.0 + 2 * i)
        spans.append((1.0 + 2 * i, 2.2 + 2 * i))
    transcriber = Transcriber(FakeRecogniser(script), FakeVad(), TranscriberConfig(max_waiting=4))
    outputs = []
    for frame in speech(spans, 26.0):
        outputs += transcriber.feed(frame)
        if frame.seq % 100 == 0:  # an owner that hardly ever comes to decode
            outputs += transcriber.work()
    assert transcriber.counters()['waiting_finals'] == 4
    assert transcriber.counters()['undecoded'] > 0
    while transcriber.busy:
        outputs += transcriber.work()
    check([(0, o) for o in outputs])
    ended = [o for o in outputs if not isinstance(o, Transcript) and o.kind is TurnKind.SILENT]
    assert len(finals([(0, o) for o in outputs])) + len(ended) == 12


def test_the_sound_that_waits_has_a_bound():
    spans = [(1.0 + 21 * i, 21.0 + 21 * i) for i in range(8)]
    script = [w for start, end in spans for w in words_of('a b c', start)]
    transcriber = Transcriber(FakeRecogniser(script), FakeVad(), TranscriberConfig())
    outputs = []
    for frame in speech(spans, 170.0):  # an owner that never comes to decode
        outputs += transcriber.feed(frame)
    assert transcriber.counters()['waiting_finals'] == 5  # of 20.7 s each
    assert transcriber.counters()['undecoded'] == 3
    while transcriber.busy:
        outputs += transcriber.work()
    check([(0, o) for o in outputs])


def test_ten_minutes_of_speech_without_a_pause():
    script = words_of(' '.join(f'w{i}' for i in range(1490)), 1.0)
    frames = speech([(1.0, script[-1].end)], 600.0)
    recogniser = FakeRecogniser(script)
    outputs, transcriber = run(recogniser, frames)
    check(outputs)
    (final,) = finals(outputs)
    assert final.text.split() == [f'w{i}' for i in range(1490)]
    assert transcriber.counters()['cuts'] > 40
    assert transcriber.counters()['dropped_s'] == 0.0
    assert transcriber.counters()['max_lag_s'] < 1.0


def test_ten_minutes_of_silence():
    outputs, transcriber = run(FakeRecogniser([]), speech([], 600.0))
    assert outputs == []
    assert transcriber.counters()['decodes'] == 0


def test_ten_minutes_in_which_the_engine_hears_nothing():
    """Music that the voice filter takes for a voice: bounded sound, no transcript, few decodes."""
    outputs, transcriber = run(FakeRecogniser([]), speech([(1.0, 590.0)], 600.0))
    check(outputs)
    assert finals(outputs) == []
    assert transcriber.counters()['noise'] == 1


def test_word_times_are_on_the_audio_clock():
    script = words_of(' '.join(f'w{i}' for i in range(60)), 1.0)
    frames = [
        replace(f, t=f.t + 1000.0) for f in speech([(1.0, script[-1].end)], script[-1].end + 2)
    ]
    outputs, _ = run(FakeRecogniser(script), frames, TranscriberConfig(word_times=True))
    (final,) = finals(outputs)
    assert [w.text for w in final.words] == [w.text.strip() for w in script]
    for heard, said in zip(final.words, script, strict=True):
        assert heard.start == pytest.approx(said.start + 1000.0, abs=0.1)


def test_reset_concludes_what_was_published():
    recogniser, frames, _ = one_utterance()
    transcriber = Transcriber(recogniser, FakeVad())
    outputs = []
    for frame in frames[:28]:
        outputs += transcriber.feed(frame) + transcriber.work()
    assert not finals([(0, o) for o in outputs])
    outputs += transcriber.reset()
    check([(0, o) for o in outputs])
    events = [o.kind for o in outputs if isinstance(o, TurnEvent)]
    assert events == [TurnKind.USER_SPEECH_START, TurnKind.USER_SPEECH_END]
    assert len(finals([(0, o) for o in outputs])) == 1
    for frame in frames:
        outputs += transcriber.feed(frame) + transcriber.work()
    check([(0, o) for o in outputs])
    assert finals([(0, o) for o in outputs])[-1].text == TEXT


def test_a_clock_that_jumps_keeps_the_length_of_the_speech():
    recogniser, frames, end = one_utterance()
    jumped = [f if i < 25 else replace(f, t=f.t - 500.0) for i, f in enumerate(frames)]
    outputs, transcriber = run(recogniser, jumped)
    check(outputs)
    (final,) = finals(outputs)
    assert final.text == TEXT
    assert final.end - final.start == pytest.approx(end - 1.0, abs=0.1)
    assert final.end == pytest.approx(end - 500.0, abs=0.1)
    assert transcriber.counters()['jumps'] == 1


def test_lost_frames_are_concealed_and_counted():
    recogniser, frames, _ = one_utterance()
    outputs, transcriber = run(recogniser, frames)
    kept = [f for f in frames if f.seq not in (20, 21, 30)]
    transcriber = Transcriber(one_utterance()[0], FakeVad())
    outputs = [o for f in kept for o in transcriber.feed(f) + transcriber.work()]
    check([(0, o) for o in outputs])
    counters = transcriber.counters()
    assert (counters['gaps'], counters['concealed']) == (2, 3)
    assert finals([(0, o) for o in outputs])[0].text == TEXT


def test_clipped_and_odd_sound_is_survived():
    rng = np.random.default_rng(0)
    loud = [
        Frame(i, i * FRAME_S, rng.choice([-32_768, 32_767], 1920).astype(np.int16))
        for i in range(100)
    ]
    outputs, transcriber = run(FakeRecogniser([]), loud)
    check(outputs)
    assert transcriber.counters()['clipped'] == 100


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.1, 5.0), st.floats(0.05, 2.0)), min_size=1, max_size=5),
    st.floats(0.0, 0.8),
    st.floats(0.0, 2.0),
    st.sets(st.integers(0, 40), max_size=8),
    st.integers(0, 99),
)
def test_promises_hold_for_any_speech(spans, flicker, cost, fails, seed):
    """The committed prefix only grows, the final starts with it, one final per utterance."""
    t, voiced, script = 1.0, [], []
    for i, (length, pause) in enumerate(spans):
        voiced.append((t, t + length))
        text = ' '.join(f'w{i}x{j}' for j in range(max(1, int(length / 0.4))))
        script += words_of(text, t)
        t += length + pause
    recogniser = FakeRecogniser(script, flicker=flicker, fails=tuple(fails), seed=seed)
    outputs, _ = run(recogniser, speech(voiced, t + 1.0), cost=cost)
    check(outputs)
