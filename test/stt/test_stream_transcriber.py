"""An engine that streams by itself: its failures, its backlog, and what it takes back."""

import math
import random
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from fake_speech import FakeRecogniser, check, drive, finals, speech, words_of
from fake_vad import FakeVad
from hypothesis import given, settings
from hypothesis import strategies as st

from kame_ros.stt.config import TranscriberConfig
from kame_ros.stt.recogniser import Hypothesis, RecogniserError
from kame_ros.stt.stream_transcriber import StreamTranscriber
from kame_ros.wire.frame import FRAME_S
from kame_ros.wire.transcript import Transcript, Word
from kame_ros.wire.turn import TurnEvent, TurnKind


@dataclass
class FakeStream:
    """Hears the words of a script; all but the last `open_s` s of what it heard is settled.

    `fails`: numbers of calls (begin, hear, finish together) that raise. `takes_back`: the chance
    that it writes some of the words, settled ones too, in another way, joins or splits them.
    """

    script: list
    fails: tuple = ()
    takes_back: float = 0.0
    open_s: float = 0.5
    seed: int = 0
    calls: int = 0
    longest: float = 0.0
    changed: int = 0
    sound: list = field(default_factory=list)

    def warm_up(self):
        pass

    def _call(self):
        self.calls += 1
        if self.calls - 1 in self.fails:
            raise RecogniserError('as the script says')

    def begin(self):
        self.sound = []
        self._call()

    def hear(self, sound):
        self.longest = max(self.longest, len(sound) / 16_000)
        self.sound.append(sound)
        self._call()
        return self._said(final=False)

    def finish(self):
        self._call()
        return self._said(final=True)

    def _said(self, final):
        whole = np.concatenate(self.sound)
        heard = FakeRecogniser(self.script, max_sound_s=math.inf).recognise(whole, final)
        edge = len(whole) / 16_000 - self.open_s
        settled = sum(word.end <= edge for word in heard.words)
        words = list(heard.words)
        rng = random.Random(self.seed * 1000 + self.calls)
        if settled and rng.random() < self.takes_back:
            self.changed += 1
            i = rng.randrange(settled)
            old = words[i]
            other = [
                [replace(old, text=' other')],
                [],
                [replace(old, text=' spl'), replace(old, text=' it')],
            ]
            new = rng.choice(other)
            words[i : i + 1] = new
            settled += len(new) - 1
        return Hypothesis(tuple(words), language='en', settled=settled)


def hear(engine, frames, config=None):
    transcriber = StreamTranscriber(engine, FakeVad(), config)
    outputs = drive(transcriber, frames)
    check(outputs)
    assert engine.longest <= 0.32 + 1e-6
    return outputs, transcriber


def monologue(count):
    script = words_of(' '.join(f'w{i}' for i in range(count)))
    return script, speech([(1.0, script[-1].end)], script[-1].end + 2.0)


def test_what_is_settled_is_committed_and_the_final_has_all():
    script, frames = monologue(60)
    outputs, transcriber = hear(FakeStream(script), frames)
    (final,) = finals(outputs)
    assert final.text.split() == [f'w{i}' for i in range(60)]
    partials = [o for _, o in outputs if isinstance(o, Transcript) and not o.final]
    assert len(partials) > 50
    assert len(partials[-1].committed_text.split()) >= 57
    counters = transcriber.counters()
    assert counters['failed'] == counters['taken_back'] == counters['dropped_s'] == 0


@pytest.mark.parametrize('first', range(6))
def test_an_engine_that_fails_loses_no_more_than_the_sound_of_its_failures(first):
    script, frames = monologue(60)
    fails = (first, first + 1, 20, 21, 22, 23, 24, 25, 40)
    outputs, transcriber = hear(FakeStream(script, fails), frames)
    counters = transcriber.counters()
    assert counters['failed'] == len(set(fails))
    assert 0.0 < counters['dropped_s'] <= 0.32 * len(fails) + 1e-6
    assert transcriber.take_error() == 'as the script says'
    assert transcriber.take_error() == ''
    (final,) = finals(outputs)
    words = [w for w in final.text.split() if w.startswith('w')]
    numbers = [int(w[1:]) for w in words]
    assert numbers == sorted(numbers)
    assert numbers[-1] == 59
    missing = set(range(60)) - set(numbers)
    assert len(missing) <= counters['dropped_s'] / 0.4 + 2 * counters['failed']


def test_an_engine_that_fails_at_the_end_leaves_what_was_said():
    script, frames = monologue(12)
    engine = FakeStream(script)
    hear(engine, frames)
    outputs, transcriber = hear(FakeStream(script, (engine.calls - 1,)), frames)
    (final,) = finals(outputs)
    assert final.text.split() == [f'w{i}' for i in range(12)]
    assert transcriber.counters()['failed'] == 1


def test_an_engine_that_always_fails_is_asked_once_for_each_piece():
    script, frames = monologue(60)
    outputs, transcriber = hear(FakeStream(script, range(10_000)), frames)
    counters = transcriber.counters()
    assert finals(outputs) == []
    assert counters['noise'] == 1
    assert counters['failed'] <= 25.0 / 0.32 + 2
    assert counters['dropped_s'] == pytest.approx(24.0 + 0.4 + 0.3, abs=0.2)


def test_word_times_are_right_after_a_failure():
    script, frames = monologue(40)
    config = TranscriberConfig(word_times=True)
    outputs, _ = hear(FakeStream(script, (12, 30)), frames, config)
    (final,) = finals(outputs)
    heard = {w.text: w for w in final.words}
    right = [w for w in script if w.text.strip() in heard]
    assert len(right) >= 34
    for word in right:
        assert heard[word.text.strip()].end == pytest.approx(word.end, abs=0.5)
    assert [w.start for w in final.words] == sorted(w.start for w in final.words)


def test_the_sound_that_waits_has_a_bound_and_the_rest_keeps_its_times():
    script, frames = monologue(250)
    config = TranscriberConfig(word_times=True, max_backlog_s=20.0)
    transcriber = StreamTranscriber(FakeStream(script), FakeVad(), config)
    outputs, waiting = [], 0.0
    for frame in frames:
        outputs += [(frame.end, o) for o in transcriber.feed(frame)]
        waiting = max(waiting, transcriber._open.length_s if transcriber._open else 0.0)
        if frame.seq < 100 or frame.end > 60.0:  # an owner that is away for 52 s
            while transcriber.busy:
                outputs += [(frame.end, o) for o in transcriber.work()]
    check(outputs)
    counters = transcriber.counters()
    assert waiting <= 20.0 + 1e-6
    assert 52.0 - 20.0 <= counters['dropped_s'] <= 52.0 - 0.9 * 20.0 + 0.1
    (final,) = finals(outputs)
    numbers = [int(w.text[1:]) for w in final.words if w.text.startswith('w')]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 249
    assert 250 - len(numbers) <= counters['dropped_s'] / 0.4 + 2
    for word in final.words:
        if word.text.startswith('w'):
            assert word.end == pytest.approx(script[int(word.text[1:])].end, abs=0.5)


def test_utterances_wait_for_their_turn_and_each_gets_its_end():
    script, spans = [], []
    for i in range(12):
        script += words_of(f'a{i} b{i} c{i}', 1.0 + 2 * i)
        spans.append((1.0 + 2 * i, 2.2 + 2 * i))
    transcriber = StreamTranscriber(FakeStream(script), FakeVad(), TranscriberConfig(max_waiting=4))
    outputs = []
    for frame in speech(spans, 26.0):
        outputs += transcriber.feed(frame)
    assert transcriber.counters()['waiting_finals'] == 4
    assert transcriber.counters()['undecoded'] == 8
    while transcriber.busy:
        outputs += transcriber.work()
    outputs = [(0, o) for o in outputs]
    check(outputs)
    assert [f.text for f in finals(outputs)] == [f'a{i} b{i} c{i}' for i in range(8, 12)]
    ends = [o for _, o in outputs if isinstance(o, TurnEvent) and o.kind is TurnKind.SILENT]
    assert len(ends) == 8


@pytest.mark.parametrize('seed', range(20))
def test_what_was_published_as_settled_stays(seed):
    """The engine takes words back, joins and splits them: none that was promised is changed."""
    script, frames = monologue(60)
    engine = FakeStream(script, takes_back=0.4, seed=seed)
    outputs, transcriber = hear(engine, frames)
    assert engine.changed > 10
    assert transcriber.counters()['taken_back'] > 5
    (final,) = finals(outputs)
    numbers = [int(w[1:]) for w in final.text.split() if w[1:].isdigit()]
    assert numbers == sorted(set(numbers)), 'doubled'
    assert len(numbers) >= 60 - engine.changed
    assert numbers[-1] == 59


@pytest.mark.parametrize('times', [True, False])
def test_a_settled_word_that_is_written_otherwise_costs_no_later_word(times):
    said = [
        ([('one', 0, 1), ('two', 1, 2), ('three', 2, 3)], 3),
        ([('one', 0, 1), ('too', 1, 2), ('three', 2, 3), ('four', 3, 4)], 4),
        ([('x', 0, 1), ('y', 1, 2), ('z', 2, 3), ('a', 3, 4), ('five', 4, 5)], 5),
    ]
    said += [
        ([('onetwo', 0, 2), ('three', 2, 3), ('four', 3, 4), ('five', 4, 5), ('six', 5, 6)], 5),
        ([('six', 5, 6), ('seven', 6, 7)], 0),
    ][: 2 * times]  # joined and forgotten: only times tell

    class Scripted(FakeStream):
        def _said(self, final):
            told, settled = said[min(max(0, self.calls - 5), len(said) - 1)]
            words = [Word(f' {w}', a / 9 * times, b / 9 * times, 0.9) for w, a, b in told]
            return Hypothesis(tuple(words), settled=settled)

    transcriber = StreamTranscriber(Scripted([]), FakeVad())
    outputs = drive(transcriber, speech([(1.0, 5.0)], 7.0))
    check(outputs)
    texts = [o.text for _, o in outputs if isinstance(o, Transcript)]
    names = ['one', 'two', 'three', 'four', 'five', 'six', 'seven']
    right = [' '.join(names[:n]) for n in (range(3, 8) if times else range(3, 6))]
    assert list(dict.fromkeys(texts)) == right


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.2, 6.0), st.floats(0.3, 2.0)), min_size=1, max_size=5),
    st.sets(st.integers(0, 60), max_size=10),
    st.floats(0.0, 1.0),
    st.integers(1, 40),
    st.integers(0, 99),
)
def test_promises_hold_for_any_engine(spans, fails, takes_back, every, seed):
    """It fails, takes back what it settled, and its owner comes seldom."""
    t, voiced, script = 1.0, [], []
    for i, (length, pause) in enumerate(spans):
        voiced.append((t, t + length))
        words = ' '.join(f'w{i}x{j}' for j in range(max(1, int(length / 0.4))))
        script += words_of(words, t)
        t += length + pause
    engine = FakeStream(script, tuple(fails), takes_back, seed=seed)
    config = TranscriberConfig(max_backlog_s=3.0, max_waiting=2)
    transcriber = StreamTranscriber(engine, FakeVad(), config)
    outputs = []
    for i, frame in enumerate(speech(voiced, t + 1.0)):
        outputs += [(i * FRAME_S, o) for o in transcriber.feed(frame)]
        if i % every == 0:
            outputs += [(i * FRAME_S, o) for o in transcriber.work()]
    while transcriber.busy:
        outputs += [(t, o) for o in transcriber.work()]
    outputs += [(t, o) for o in transcriber.reset()]
    check(outputs)
    assert transcriber.counters()['failed'] <= len(fails)
