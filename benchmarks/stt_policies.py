"""The policies that the speech-to-text benchmark compares, run on a clock of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from speech_material import frames

from kame_ros.runtime import weights
from kame_ros.stt.agreement import AgreementConfig
from kame_ros.stt.config import TranscriberConfig
from kame_ros.stt.engines.whisper import WhisperRecogniser
from kame_ros.stt.recogniser import Hypothesis, Recogniser
from kame_ros.stt.speech_to_text import Output
from kame_ros.stt.transcriber import Transcriber
from kame_ros.turns.speech_gate import GateConfig
from kame_ros.turns.vad import SileroVad
from kame_ros.wire.frame import SAMPLE_RATE
from kame_ros.wire.transcript import Transcript, Word
from kame_ros.wire.turn import TurnEvent

METERS: dict[str, Callable[[], float]] = {'wall': time.perf_counter, 'cpu': time.process_time}


@dataclass
class Run:
    """What a policy said of a sound, and when: (s on the audio clock, output)."""

    seconds: float
    outputs: list[tuple[float, Output]] = field(default_factory=list)
    decoding: float = 0.0
    counters: dict[str, float] = field(default_factory=dict)

    @property
    def transcripts(self) -> list[tuple[float, Transcript]]:
        return [(t, o) for t, o in self.outputs if isinstance(o, Transcript)]

    @property
    def finals(self) -> list[tuple[float, Transcript]]:
        return [(t, o) for t, o in self.transcripts if o.final]

    @property
    def events(self) -> list[tuple[float, TurnEvent]]:
        return [(t, o) for t, o in self.outputs if isinstance(o, TurnEvent)]

    @property
    def text(self) -> str:
        return ' '.join(o.text for _, o in self.finals)


class Policy:
    """A recogniser and a configuration, driven frame by frame.

    On the real clock the time moves by what `meter` says that decoding cost, and the frames that
    arrive meanwhile wait, as in a node; on the virtual clock decoding costs nothing.
    """

    def __init__(
        self, recogniser: Recogniser, config: TranscriberConfig, meter: str | Callable[[], float]
    ) -> None:
        self._recogniser = recogniser
        self._config = config
        self._meter = METERS[meter] if isinstance(meter, str) else meter
        self._vad = SileroVad()
        recogniser.warm_up()

    def run(self, sound: np.ndarray, real: bool, played: np.ndarray | None = None) -> Run:
        """Hear float32 at 24 kHz, and what the robot played at the same time."""
        self._vad.reset()
        meter = self._meter if real else (lambda: 0.0)
        transcriber = Transcriber(self._recogniser, self._vad, self._config, meter)
        run = Run(len(sound) / SAMPLE_RATE)
        waiting = list(frames(sound))
        echo = list(frames(played)) if played is not None else []
        now, i = 0.0, 0
        while i < len(waiting) or transcriber.busy:
            if i < len(waiting):
                now = max(now, waiting[i].end)
            begun, outputs = meter(), []
            while i < len(waiting) and waiting[i].end <= now + 1e-9:
                if i < len(echo):
                    transcriber.played(echo[i])
                outputs += transcriber.feed(waiting[i])
                i += 1
            now += meter() - begun
            run.outputs += [(now, o) for o in outputs]
            begun, cpu = meter(), self._meter()
            outputs = transcriber.work()
            run.decoding += self._meter() - cpu
            now += meter() - begun
            run.outputs += [(now, o) for o in outputs]
        run.counters = transcriber.counters()
        return run


def ours(model: str, meter: str, **changes: Any) -> Policy:
    """The policy of kame_ros as it is configured by default."""
    config = TranscriberConfig(**changes)
    return Policy(WhisperRecogniser(model, language='en'), config, meter)


def full_redecode(model: str, meter: str) -> Policy:
    """Re-decode the 30 s window every 0.5 s, LocalAgreement-2, a final decode at the end.

    As most streaming Whispers do; it shares our voice activity and our end of speech, and has no
    decode ahead of that end, no short window and no word settled by its probability.
    """
    config = TranscriberConfig(
        step_s=0.5,
        pause_s=9.0,
        load=1e9,
        agreement=AgreementConfig(sure_probability=2.0, min_probability=0.0, margin_s=0.0),
        gate=GateConfig(min_silence_s=0.5),
    )
    return Policy(_Stock(model, beam=5, vad=False, max_sound_s=28.0), config, meter)


class _Stock:
    """faster-whisper's own `transcribe`, padded to 30 s."""

    def __init__(self, model: str, beam: int, vad: bool, max_sound_s: float) -> None:
        from faster_whisper import WhisperModel

        path = str(weights.find(model, 'stt'))
        self._model = WhisperModel(path, device='cpu', compute_type='int8', cpu_threads=1)
        self._options = {'beam_size': beam, 'vad_filter': vad}
        self.max_sound_s = max_sound_s

    def warm_up(self) -> None:
        self.recognise(np.zeros(16_000, np.float32), True)

    def recognise(self, sound: np.ndarray, final: bool) -> Hypothesis:
        """Decode; no temperature but 0, no conditioning on earlier text."""
        segments, _ = self._model.transcribe(
            sound,
            language='en',
            temperature=0.0,
            condition_on_previous_text=False,
            word_timestamps=True,
            **self._options,
        )
        words = [w for segment in segments for w in segment.words or ()]
        return Hypothesis(tuple(Word(w.word, w.start, w.end, w.probability) for w in words))


class Offline:
    """faster-whisper on the whole recording, beam 5 and its voice filter: the ceiling."""

    def __init__(self, model: str, meter: str) -> None:
        self._stock = _Stock(model, beam=5, vad=True, max_sound_s=1e9)
        self._meter = METERS[meter]
        self._stock.warm_up()

    def run(self, sound: np.ndarray) -> tuple[Run, tuple[Word, ...]]:
        """One final, given when the recording has ended and is decoded; and its words."""
        import soxr

        run = Run(len(sound) / SAMPLE_RATE)
        begun = self._meter()
        words = self._stock.recognise(soxr.resample(sound, SAMPLE_RATE, 16_000), True).words
        run.decoding = self._meter() - begun
        text = ''.join(w.text for w in words).strip()
        final = Transcript(0, 0, text, len(text), True, 0.0, run.seconds)
        if text:
            run.outputs.append((run.seconds + run.decoding, final))
        return run, words
