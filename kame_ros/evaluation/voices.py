"""The voices of users: free synthesisers, with the exact time of each stretch of voice."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from kame_ros.evaluation.suite import BadSuite
from kame_ros.text.markup import plain
from kame_ros.text.spoken_words import words_of
from kame_ros.wire.frame import SAMPLE_RATE

DEFAULT = 'hibari'
_FLITE = ('slt', 'rms', 'awb', 'kal16', 'kal')
NAMES = ('hibari', 'hibari-low', *_FLITE, 'en-us', 'en-gb', 'espeak:VOICE')
_LEVEL = 0.1  # of full scale: root mean square -20 dBFS
_SENTENCE_GAP_S = 0.35
_HALF = re.compile(r'(?<=[.!?:;])\s+|\n+')
_MOST_WORDS = 30  # in one breath: what is longer is cut at a comma, or there


@dataclass(frozen=True)
class SpokenSound:
    """float32[n] at 24 kHz at -20 dBFS, and the stretches of voice in it, in seconds."""

    sound: np.ndarray
    speech: tuple[tuple[float, float], ...]


def spoken_form(text: str) -> str:
    """A text as a voice is given it: markup is left out, numbers and signs are words."""
    return ' '.join(word.speech for word in words_of(plain(text), ended=True))


def say(text: str, voice: str = DEFAULT) -> SpokenSound:
    """Speaks a text, sentence by sentence.

    Raises BadSuite for a voice that there is not, or that says nothing.
    """
    parts: list[np.ndarray | float] = []
    for sentence in _sentences(text):
        if (form := spoken_form(sentence)) and any(c.isalnum() for c in form):
            parts += [_SENTENCE_GAP_S] * bool(parts)
            parts.append(_spoken(form, voice))
    if not parts:
        raise BadSuite(f'nothing in {text[:60]!r} can be spoken')
    return joined(parts)


def joined(parts: Sequence[np.ndarray | float]) -> SpokenSound:
    """Sounds and the silences between them, in seconds, one after the other."""
    sounds, speech, at = [], [], 0
    for part in parts:
        if isinstance(part, np.ndarray):
            speech.append((at / SAMPLE_RATE, (at + len(part)) / SAMPLE_RATE))
            sounds.append(part)
        else:
            sounds.append(np.zeros(round(part * SAMPLE_RATE), np.float32))
        at += len(sounds[-1])
    return SpokenSound(np.concatenate(sounds), tuple(speech))


def part(text: str, voice: str = DEFAULT) -> np.ndarray:
    """A text in one breath, from its first to its last sound, to be joined with others."""
    return _spoken(spoken_form(text), voice)


def _sentences(text: str) -> list[str]:
    out = []
    for sentence in _HALF.split(text):
        words = sentence.split()
        while len(words) > _MOST_WORDS:
            commas = [n for n, word in enumerate(words[:_MOST_WORDS], 1) if word.endswith(',')]
            at = commas[-1] if commas and commas[-1] > 5 else _MOST_WORDS
            out.append(' '.join(words[:at]))
            words = words[at:]
        out.append(' '.join(words))
    return [sentence for sentence in out if sentence.strip()]


def _spoken(form: str, voice: str) -> np.ndarray:
    from kame_ros.runtime.weights import MissingWeights

    ctypes.CDLL(None).srand(0)  # flite draws noise from it: the same text sounds the same
    try:
        sound = _talker(voice).say(form).sound
    except BadSuite:
        raise
    except (RuntimeError, ValueError, MissingWeights) as error:  # of the synthesisers
        raise BadSuite(f'the voice {voice} cannot be used: {error}') from error
    level = _LEVEL / max(1e-6, float(np.sqrt(np.mean(sound**2))))
    return np.clip(sound * level, -0.99, 0.99).astype(np.float32)


@cache
def _talker(name: str):  # type: ignore[no-untyped-def]  # a Talker: imported only when spoken
    from kame_ros.training.small.voices import EspeakVoice, FliteVoice, Talker, WarpedHibari

    if name in ('hibari', 'hibari-low'):
        return Talker(WarpedHibari(1.0 if name == 'hibari' else 0.82))
    if name in _FLITE:
        return Talker(FliteVoice(name))
    if name.startswith('espeak:') or name in ('en-us', 'en-gb'):
        return Talker(EspeakVoice(name.removeprefix('espeak:')))
    raise BadSuite(f'there is no voice {name!r}; there are {", ".join(NAMES)}')
