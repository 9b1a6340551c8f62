"""Speech without a voice: sound whose level tells the time, and a recogniser that reads it."""

import random
from dataclasses import dataclass, field, replace

import numpy as np
from fake_vad import FakeVad

from kame_ros.stt.config import TranscriberConfig
from kame_ros.stt.recogniser import Hypothesis, RecogniserError
from kame_ros.stt.transcriber import Transcriber
from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES, Frame
from kame_ros.wire.transcript import Transcript, Word
from kame_ros.wire.turn import TurnEvent, TurnKind

_LONGEST = 700.0  # s; the level runs from 0.1 to 0.9 in that time


def speech(spans, seconds):
    """Frames with 'voice' in the spans [(start, end)], silence elsewhere."""
    count = round(seconds / FRAME_S)
    t = np.arange(count * FRAME_SAMPLES) / 24_000
    voiced = np.zeros(len(t), bool)
    for start, end in spans:
        voiced |= (t >= start) & (t < end)
    sound = np.where(voiced, 0.1 + 0.8 * t / _LONGEST, 0.0)
    pcm = (sound * 32_767).astype(np.int16).reshape(-1, FRAME_SAMPLES)
    return [Frame(i, i * FRAME_S, samples) for i, samples in enumerate(pcm)]


def words_of(text, start=1.0, step=0.4):
    """A script: the words of a text, one every `step` s from `start`."""
    return [
        Word(f' {w}', start + i * step, start + (i + 0.9) * step)
        for i, w in enumerate(text.split())
    ]


@dataclass
class FakeRecogniser:
    """Hears the words of a script that lie in the sound it is given.

    The word at the edge is misheard (`flicker`: the words after it as well, with that chance, in
    partials). `fails`: numbers of calls that raise. `loops`: calls that repeat the last word.
    """

    script: list
    flicker: float = 0.0
    fails: tuple = ()
    loops: tuple = ()
    probability: float = 0.7
    log_probability: float = -0.2
    no_speech: float = 0.0
    max_sound_s: float = 13.0
    seed: int = 0
    calls: list = field(default_factory=list)  # (start, end, final) of the sounds

    def warm_up(self):
        pass

    def recognise(self, sound, final):
        assert len(sound) / 16_000 <= self.max_sound_s + 1e-6
        begin = self._begin(sound)
        edge = begin + len(sound) / 16_000
        self.calls.append((begin, edge, final))
        number = len(self.calls) - 1
        if number in self.fails:
            raise RecogniserError('as the script says')
        rng = random.Random(self.seed * 1000 + number)
        heard = []
        for word in self.script:
            if word.end < begin + 0.05 or word.start > edge - 0.05:
                continue
            text = word.text
            if word.end > edge or (not final and rng.random() < self.flicker):
                text = f' {rng.choice(["uh", "mis", "hear"])}'
            heard.append(
                replace(
                    word,
                    text=text,
                    start=max(0.0, word.start - begin),
                    end=min(edge, word.end) - begin,
                    probability=self.probability,
                )
            )
        if heard and number in self.loops:
            heard += [heard[-1]] * 20
        return Hypothesis(tuple(heard), self.log_probability, self.no_speech, 'en')

    @staticmethod
    def _begin(sound):
        blocks = np.abs(sound[: len(sound) // 100 * 100]).reshape(-1, 100).min(axis=1) > 0.05
        steady = np.flatnonzero(
            blocks[:-4] & blocks[1:-3] & blocks[2:-2] & blocks[3:-1] & blocks[4:]
        )
        if len(steady) == 0:
            return 0.0
        at = 100 * int(steady[0] + 2)  # away from the ringing at an edge
        level = float(np.median(sound[at : at + 100]))
        return (level - 0.1) / 0.8 * _LONGEST - at / 16_000


def run(recogniser, frames, config=None, cost=0.0, played=()):
    """All outputs with the time at which they came: [(now, output)], and the transcriber.

    A virtual clock: a decode takes `cost` s, in which the frames wait.
    """
    now = [0.0]

    class Paid:
        max_sound_s = recogniser.max_sound_s

        def recognise(self, sound, final):
            now[0] += cost
            return recogniser.recognise(sound, final)

        def warm_up(self):
            pass

    transcriber = Transcriber(Paid(), FakeVad(), config or TranscriberConfig(), lambda: now[0])
    for frame in played:
        transcriber.played(frame)
    out = []
    i = 0
    while i < len(frames) or transcriber.busy:
        if i < len(frames):
            now[0] = max(now[0], (i + 1) * FRAME_S)
        while i < len(frames) and (i + 1) * FRAME_S <= now[0] + 1e-9:
            out += [(now[0], o) for o in transcriber.feed(frames[i])]
            i += 1
        out += [(now[0], o) for o in transcriber.work()]
    return out, transcriber


def drive(heard, frames):
    """All outputs of a speech-to-text that takes no time: [(now, output)]."""
    out = []
    for i, frame in enumerate(frames):
        now = (i + 1) * FRAME_S
        out += [(now, o) for o in heard.feed(frame)]
        while heard.busy:
            out += [(now, o) for o in heard.work()]
    return out


def finals(outputs):
    return [o for _, o in outputs if isinstance(o, Transcript) and o.final]


def check(outputs):
    """What must hold of the outputs of any run."""
    last = {}
    ended = set()
    started = []
    for _, o in outputs:
        if isinstance(o, TurnEvent):
            if o.kind is TurnKind.USER_SPEECH_START:
                started.append(o.utterance)
            if o.kind is TurnKind.SILENT:
                assert o.utterance not in last
                assert o.utterance not in ended
                ended.add(o.utterance)
            continue
        assert o.utterance in started
        assert o.utterance not in ended, 'a transcript after the end'
        previous = last.get(o.utterance)
        assert o.revision == (previous.revision + 1 if previous else 0)
        if previous:
            assert o.text.startswith(previous.committed_text)
            assert o.committed >= previous.committed
        last[o.utterance] = o
        if o.final:
            ended.add(o.utterance)
    assert started == sorted(set(started))
    assert set(last) <= ended, 'an utterance without a final'
