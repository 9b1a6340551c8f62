"""Text-to-speech: a clause of text in, its sound and the times of its words out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from kame_ros.runtime import weights
from kame_ros.s2s.tts.config import VoiceConfig
from kame_ros.s2s.tts.mouth import VOICED_PEAK


@dataclass(frozen=True)
class Speech:
    """float32[n] in [-1, 1] at 24 kHz, and for each word the sample at which it begins."""

    samples: np.ndarray
    starts: tuple[int, ...]

    def trimmed(self) -> Speech:
        """Without the silence before the first and after the last voiced sample."""
        voiced = np.flatnonzero(np.abs(self.samples) > VOICED_PEAK)
        if not len(voiced):
            return Speech(self.samples[:0], (0,) * len(self.starts))
        first, last = int(voiced[0]), int(voiced[-1])
        starts = tuple(min(max(0, start - first), last - first) for start in self.starts)
        return Speech(self.samples[first : last + 1], starts)


class Synthesiser(Protocol):
    """A voice; owned by one thread."""

    def say(self, words: Sequence[str]) -> Speech:
        """The words of a clause as speech; empty where none of them can be spoken."""


def spread(length: int, words: Sequence[str]) -> tuple[int, ...]:
    """Starts of the words in `length` samples where a voice tells no times: by their letters."""
    sizes = [len(word) + 1 for word in words]
    total = max(1, sum(sizes))
    befores = accumulate(sizes[:-1], initial=0) if sizes else ()
    return tuple(length * before // total for before in befores)


class HibariVoice:
    """hibari-tts: a distilled Kokoro-82M, 6 M parameters, about 1 % of a core per second spoken.

    One thread is faster than two. The model predicts the duration of each phoneme but does not
    give it out; it is made an output here, so that the times of the words are exact.
    """

    _HOP = 600  # samples per unit of duration: the decoder doubles it to frames of 300 samples
    _DURATIONS = '/Clip_output_0'  # [L], after rounding and clipping

    def __init__(
        self, model: str | Path = VoiceConfig.voice, speed: float = VoiceConfig.speed
    ) -> None:
        """Loads in about 1 s. `model`: a name of `runtime.weights`, or the path of an ONNX file of
        the same interface. Raises MissingWeights or CorruptWeights, ValueError for a `speed`
        outside 0.5 to 2.
        """
        VoiceConfig(speed=speed)
        path = weights.find(str(model), 'tts')
        path = path / 'hibari.onnx' if path.is_dir() else path
        try:
            from hibari import Hibari
        except ImportError as error:
            raise weights.MissingWeights(
                f'the voice hibari is not installed; get it with: {weights.KNOWN["hibari"].install}'
            ) from error
        self._speed = np.asarray([speed], np.float32)
        self.failures = 0  # words and clauses that it could not read
        self._outputs = ['lh', 'theta', 'ln', 'lr', 'phi', 'f0']
        self._tts = self._load(Hibari, path)
        _ = self._tts.g2p  # loaded lazily else, in the first clause

    def say(self, words: Sequence[str]) -> Speech:
        """The words as one intonation; pauses between its sentences, if any, are the voice's."""
        parts, starts, length = [], [], 0
        for phonemes in self._phonemes(words):
            sound, groups = self._sentence(phonemes)
            starts += [length + start for start in groups]
            parts.append(sound)
            length += len(sound)
        if not length:
            return Speech(np.zeros(0, np.float32), (0,) * len(words))
        return Speech(np.concatenate(parts), self._align(words, starts, length))

    def _phonemes(self, words: Sequence[str]) -> list[str]:
        """The sentences of a clause; word by word, without those that it cannot read, if need be.

        Its grapheme-to-phoneme rules raise IndexError for some numbers.
        """
        try:
            return list(self._tts.phonemize(' '.join(words)))
        except Exception:
            self.failures += 1
        known = []
        for word in words:
            try:
                known += self._tts.phonemize(word)
            except Exception:
                self.failures += 1
        return known

    def _load(self, hibari: Any, path: Path) -> Any:
        model = path.read_bytes() + _graph_output(self._DURATIONS)
        try:
            tts = hibari(model=model, threads=1)
            self._outputs.append(self._DURATIONS)
        except Exception:  # another export: names differ, words get their times by length
            tts = hibari(model=str(path), threads=1)
        tts.model_path = str(path)
        return tts

    def _sentence(self, phonemes: str) -> tuple[np.ndarray, list[int]]:
        """The sound of a phoneme string, and the start of each group between its spaces."""
        from hibari import dsp

        known = [c for c in phonemes if c in self._tts.vocab]
        if not any(c.isalpha() for c in known):
            return np.zeros(0, np.float32), []
        ids = np.asarray([[0, *(self._tts.vocab[c] for c in known), 0]], np.int64)
        spectra = self._tts.sess.run(self._outputs, {'ids': ids, 'speed': self._speed})
        # A fixed seed: the same clause sounds the same, so that a replay can be compared.
        sound = dsp.synth(*(part[0] for part in spectra[:6]), np.random.default_rng(0))
        begins = [i for i, c in enumerate(known) if c != ' ' and (i == 0 or known[i - 1] == ' ')]
        if len(spectra) < 7:
            return sound, [len(sound) * i // len(known) for i in begins]
        ends = np.cumsum(np.ravel(spectra[6])) * self._HOP  # ends[i]: end of id i, start of i + 1
        return sound, [int(ends[i]) for i in begins]

    def _align(self, words: Sequence[str], groups: list[int], length: int) -> tuple[int, ...]:
        """A start per word from a start per group: "42" is two groups, "3 km" may be one."""
        if len(groups) == len(words):
            return tuple(groups)
        counts = [sum(len(p.split()) for p in self._phonemes([word])) for word in words]
        if sum(counts) != len(groups):
            return spread(length, words)
        firsts = accumulate(counts[:-1], initial=0)
        return tuple(groups[min(first, len(groups) - 1)] for first in firsts)


def _graph_output(name: str) -> bytes:
    """Bytes that, appended to an ONNX file, make the inner value `name` an output of its graph.

    Protocol buffers merge a message that comes twice; fields: ModelProto.graph 7,
    GraphProto.output 12, ValueInfoProto.name 1 (onnx/onnx.proto).
    """
    part = name.encode()
    for number in (1, 12, 7):
        assert len(part) < 128
        part = bytes([number << 3 | 2, len(part)]) + part
    return part
