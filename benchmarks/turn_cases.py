"""The turns that `turns.py` listens to: pauses inside sentences, and true ends."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from turn_material import (
    Prompt,
    Turn,
    WordTimes,
    fetch,
    foreign_prompts,
    g722,
    is_whole,
    joined,
    long_prompts,
    longest_prompt,
    noisy,
    pause_lengths,
    paused,
    prompts,
    short_prompts,
    spoken,
    trimmed,
)
from turn_texts import MONOLOGUE, OF

from kame_ros.wire.frame import SAMPLE_RATE

VOICES = ('espeak', 'flite-slt', 'flite-rms', 'hibari')
_NOISY = 5  # one of so many human turns is heard in noise, too
_SNR_DB = 10.0
_LONGEST_S = 8.0  # what is longer is a speech of several sentences
_CONTINUED = ('digits/5', 'digits/20', 'digits/7', 'vm-options', 'vm-goodbye')


def human(cache: Path, times: WordTimes) -> list[Turn]:
    """Prompts with a pause; those that wait for more, and go on after one; some in noise."""
    every = prompts(cache, times, _LONGEST_S)
    lengths = list(pause_lengths(len(every)))
    out: list[Turn] = []
    for k, (prompt, length) in enumerate(zip(every, lengths, strict=True)):
        rng = np.random.default_rng(k)
        if is_whole(prompt.text):
            turn = paused(prompt, f'human{_kind(prompt.text)}', rng, length)
            out += [turn] if turn else []
        else:
            out.append(_carried_on(cache, prompt, k, length, rng))
    loud = [turn for turn in out if turn.whole][::_NOISY]
    out += [noisy(turn, _SNR_DB, np.random.default_rng(k)) for k, turn in enumerate(loud)]
    for k, prompt in enumerate(short_prompts(cache)):
        rng = np.random.default_rng(k)
        out.append(joined(prompt.name, 'human, short', prompt.text, (prompt.sound,), (), rng))
    return out


def _kind(text: str) -> str:
    """Where several sentences are said, the speaker pauses between them."""
    return ', several sentences' if re.search(r'[.?!;]\s+\S', text.strip()) else ''


def _carried_on(
    cache: Path, prompt: Prompt, k: int, pause_s: float, rng: np.random.Generator
) -> Turn:
    """A prompt that asks for more, a pause, and more."""
    sounds = fetch(cache) / 'usr/share/asterisk/sounds/en_US_f_Allison'
    more = trimmed(*g722(sounds / f'{_CONTINUED[k % len(_CONTINUED)]}.g722'))
    parts = (prompt.sound, more)
    return joined(prompt.name, 'human, open', prompt.text, parts, (pause_s,), rng, whole=False)


def foreign(cache: Path, times: WordTimes, language: str, most: int) -> list[Turn]:
    """Sentences of another human voice, in another language, each with a pause."""
    every = foreign_prompts(cache, times, language, _LONGEST_S, most)
    lengths = pause_lengths(len(every))
    out = []
    for k, (prompt, length) in enumerate(zip(every, lengths, strict=True)):
        turn = paused(prompt, f'human {language}', np.random.default_rng(k), length, language)
        out += [turn] if turn else []
    return out


def synthetic(
    cache: Path, times: WordTimes, voices: Sequence[str] = VOICES, language: str = 'en'
) -> list[Turn]:
    """Sentences in synthetic voices, each said whole, with a pause where the text has a bar."""
    out = []
    for voice in voices:
        texts = OF[language]
        for k, (text, length) in enumerate(zip(texts, pause_lengths(len(texts)), strict=True)):
            plain = text.replace('| ', '')
            sound = _kept(cache, voice, plain, language)
            key = f'{voice}-{language}/{zlib.crc32(plain.encode()):08x}'
            words = times.of(key, sound, language)
            prompt = Prompt(f'{voice}-{k}', plain, sound, _at_bar(text, words, len(sound)))
            group = voice.split('-')[0] if language == 'en' else f'{voice} {language}'
            turn = paused(prompt, group, np.random.default_rng(k), length, language)
            out += [turn] if turn else []
    return out


def monologue(cache: Path) -> Turn:
    """A long turn with pauses of 0.4 to 0.9 s between its sentences and inside of them."""
    parts = [_kept(cache, 'hibari', text, 'en') for text in MONOLOGUE]
    pauses = 0.4 + 0.5 * np.random.default_rng(3).random(len(parts) - 1)
    text = ' '.join(MONOLOGUE)
    return joined(
        'monologue', 'monologue', text, parts, [float(p) for p in pauses], np.random.default_rng(0)
    )


def told(cache: Path) -> Turn:
    """The longest prompt: somebody explains for 70 s, and pauses where they like."""
    longest = longest_prompt(cache)
    rng = np.random.default_rng(0)
    return joined(longest.name, 'told', longest.text, (longest.sound,), (), rng)


def speeches(cache: Path, language: str) -> list[Turn]:
    """What is longer than a sentence: the speaker pauses where they like, and nothing is put in."""
    return [
        joined(p.name, 'speech', p.text, (p.sound,), (), np.random.default_rng(0), language)
        for p in long_prompts(cache, language, _LONGEST_S)
    ]


def _at_bar(
    text: str, words: Sequence[tuple[str, float, float]], samples: int
) -> tuple[tuple[str, float, float], ...]:
    """The two words beside the bar, or where they are by their share of the letters."""
    before, _, after = text.partition(' | ')
    count, heard = len(before.split()), len(words)
    if heard != len(before.split()) + len(after.split()):
        share = len(before) / (len(before) + len(after))
        near = [abs((w[2] * SAMPLE_RATE) - share * samples) for w in words[:-1]]
        if not near:
            return ()
        count = int(np.argmin(near)) + 1
    first, second = words[count - 1 : count + 1]
    return ((first[0].rstrip('.?!'), first[1], first[2]), second)


def _kept(cache: Path, voice: str, text: str, language: str) -> np.ndarray:
    folder = cache / 'spoken'
    folder.mkdir(exist_ok=True)
    path = folder / f'{voice}-{language}-{zlib.crc32(text.encode()):08x}.npy'
    if not path.exists():
        np.save(path, spoken(voice, text, language))
    return np.load(path)
