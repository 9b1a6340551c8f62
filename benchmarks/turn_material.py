"""Turns with pauses in them: human recordings and synthetic voices, for `turns.py`."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from speech_material import VoiceMissing, pink, read_wav

from kame_ros.wire.frame import SAMPLE_RATE

LEAD_S, TRAIL_S = 0.8, 4.0  # silence around a turn
PACKAGES = ('asterisk-core-sounds-en-g722', 'asterisk-core-sounds-en')
VOICES = {  # who reads the prompts, by language: four women and a man
    'en': 'en_US_f_Allison',
    'es': 'es_MX_f_Allison',
    'fr': 'fr_CA_f_June',
    'it': 'it_IT_m_Carlo',
    'ru': 'ru_RU_f_IvrvoiceRU',
}
_FLOOR = 10 ** (-62 / 20)  # root mean square of the room's noise, of full scale
_LEVEL = 0.1  # root mean square of speech: -20 dBFS
# Prompts without a full stop that wait for more; all the others say a whole thing.
_OPEN_ENDS = """
conference number|message from phone number|caller number|have is|listen to|currently|at extension|
to call this number.
"""
_OPEN = tuple(part.strip() for part in _OPEN_ENDS.split('|'))


@dataclass(frozen=True)
class Turn:
    """One turn of a user, float32 at 24 kHz. Times in seconds of the sound.

    `pauses` are where they are silent and will go on: (start, end); `end` is their last sound.
    `whole`: whether it ends a sentence (false: only the pauses count).
    """

    name: str
    group: str
    text: str
    sound: np.ndarray
    pauses: tuple[tuple[float, float], ...]
    end: float
    language: str = 'en'
    whole: bool = True


@dataclass(frozen=True)
class Prompt:
    """A recording float32 at 24 kHz without silence around it, and its words with times, s."""

    name: str
    text: str
    sound: np.ndarray
    words: tuple[tuple[str, float, float], ...] = ()


# Human voices


def fetch(cache: Path, packages: Sequence[str] = PACKAGES) -> Path:
    """Unpacks Debian packages of recordings below `cache`, once. Raises VoiceMissing."""
    root = cache / 'debian'
    root.mkdir(parents=True, exist_ok=True)
    for package in packages:
        done = root / f'.{package}'
        if done.exists():
            continue
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            try:
                subprocess.run(
                    ['apt-get', 'download', package], cwd=folder, check=True, capture_output=True
                )
                (deb,) = Path(folder).glob('*.deb')
                subprocess.run(['dpkg', '-x', str(deb), str(root)], check=True)
            except (OSError, ValueError, subprocess.CalledProcessError) as error:
                raise VoiceMissing(
                    f'the package {package} cannot be fetched ({error}): unpack it with '
                    f'`dpkg -x` in {root}'
                ) from error
        done.touch()
    return root


def prompts(cache: Path, recogniser: WordTimes, longest_s: float) -> list[Prompt]:
    """The English prompts of three words and more, read by one woman (CC-BY-SA-3.0)."""
    found = [prompt for prompt in _prompts(cache) if len(prompt.text.split()) >= 3]
    found = [prompt for prompt in found if len(prompt.sound) <= longest_s * SAMPLE_RATE]
    return [replace(p, words=recogniser.of(f'human/{p.name}', p.sound)) for p in found]


def longest_prompt(cache: Path) -> Prompt:
    """The one that explains for 70 s."""
    return max(_prompts(cache), key=lambda prompt: len(prompt.sound))


def long_prompts(cache: Path, language: str, shortest_s: float) -> list[Prompt]:
    """The speeches: what is longer than so much."""
    return [p for p in _prompts(cache, language) if len(p.sound) > shortest_s * SAMPLE_RATE]


def short_prompts(cache: Path) -> list[Prompt]:
    """Those that are a whole sentence of one or two words."""
    short = [prompt for prompt in _prompts(cache) if len(prompt.text.split()) < 3]
    return [p for p in short if p.text.endswith(('.', '?', '!')) and not p.text.endswith('...')]


def foreign_prompts(
    cache: Path, recogniser: WordTimes, language: str, longest_s: float, most: int
) -> list[Prompt]:
    """Whole sentences of four words and more by another voice, in another language; at most so
    many, which are spread over all.
    """
    found = [
        prompt
        for prompt in _prompts(cache, language)
        if len(prompt.text.split()) >= 4
        and not re.search(r'(\.\.|…|[.?!;]\s+\S|:$)', prompt.text)
        and len(prompt.sound) <= longest_s * SAMPLE_RATE
    ]
    found = found[:: max(1, len(found) // most)][:most]
    return [
        replace(p, words=recogniser.of(f'human-{language}/{p.name}', p.sound, language))
        for p in found
    ]


def _prompts(cache: Path, language: str = 'en') -> Iterator[Prompt]:
    package = f'asterisk-core-sounds-{language}'
    root = fetch(cache, (f'{package}-g722', package))
    with gzip.open(root / f'usr/share/doc/{package}/core-sounds-{language}.txt.gz') as file:
        lines = file.read().decode().splitlines()
    folder = root / 'usr/share/asterisk/sounds' / VOICES[language]
    for line in lines:
        name, _, text = line.partition(':')
        path = folder / f'{name}.g722'
        said = path.is_file() and path.stat().st_size > 0
        if said and not line.startswith(';') and not re.search(r'[\[(]', text):
            yield Prompt(name, text.strip(), trimmed(*g722(path)))


def is_whole(text: str) -> bool:
    """Whether a prompt says all that it wants to say."""
    text = text.rstrip().lower()
    return not text.endswith(('...', ':', *_OPEN))


def g722(path: Path) -> tuple[np.ndarray, int]:
    """Decodes a raw G.722 file: float32 at 16 kHz, by the PyAV that faster-whisper brings."""
    import av

    with av.open(str(path), format='g722') as file:
        parts = [frame.to_ndarray().reshape(-1) for frame in file.decode(audio=0)]
    return np.concatenate(parts).astype(np.float32) / 32_768, 16_000


def write_whole(path: Path, content: Any) -> None:
    """Writes JSON; who stops in the middle leaves the file as it was."""
    new = path.with_suffix(f'.{os.getpid()}')
    new.write_text(json.dumps(content))
    new.replace(path)


class WordTimes:
    """When each word of a recording is said, by Whisper; kept in a file."""

    def __init__(self, cache: Path, model: str) -> None:
        self._path = cache / f'words-{model}.json'
        self._known = json.loads(self._path.read_text()) if self._path.exists() else {}
        self._name = model
        self._model: Any = None

    def of(
        self, key: str, sound: np.ndarray, language: str = 'en'
    ) -> tuple[tuple[str, float, float], ...]:
        """(text, start, end) of each word of float32 at 24 kHz."""
        if key not in self._known:
            self._known[key] = self._recognise(sound, language)
            write_whole(self._path, self._known)
        return tuple((text, start, end) for text, start, end in self._known[key])

    def _recognise(self, sound: np.ndarray, language: str) -> list[tuple[str, float, float]]:
        import soxr
        from faster_whisper import WhisperModel

        from kame_ros.runtime import weights

        if self._model is None:
            path = str(weights.find(self._name, 'stt'))
            self._model = WhisperModel(path, device='cpu', compute_type='int8', cpu_threads=1)
        segments, _ = self._model.transcribe(
            soxr.resample(sound, SAMPLE_RATE, 16_000),
            language=language,
            temperature=0.0,
            beam_size=1,
            word_timestamps=True,
        )
        return [
            (w.word.strip(), float(w.start), float(w.end)) for s in segments for w in s.words or ()
        ]


# Synthetic voices

ESPEAK = {'en': 'en-us', 'de': 'de', 'fr': 'fr-fr', 'es': 'es', 'ja': 'ja', 'it': 'it'}


def spoken(voice: str, text: str, language: str = 'en') -> np.ndarray:
    """The text in a voice: `espeak`, `flite-NAME` or `hibari`; float32 at 24 kHz."""
    if voice == 'hibari':
        from hibari import Hibari

        return trimmed(np.asarray(Hibari()(text), np.float32), 24_000)
    command = ['flite', '-voice', voice[6:]] if voice.startswith('flite-') else ['espeak-ng']
    if shutil.which(command[0]) is None:
        raise VoiceMissing(f'the voice {voice} is absent: apt-get install {command[0]}')
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'out.wav'
        flags = ['-t', text, '-o', str(path)] if command[0] == 'flite' else []
        flags = flags or ['-v', ESPEAK[language], '-w', str(path), text]
        subprocess.run([*command, *flags], check=True, capture_output=True)
        return trimmed(*read_wav(path))


# Turns made of them


def paused(
    prompt: Prompt, group: str, rng: np.random.Generator, pause_s: float, language: str = 'en'
) -> Turn | None:
    """The recording with a pause at an inner gap between words of one sentence."""
    gaps = [
        (before[2] + after[1]) / 2
        for before, after in zip(prompt.words, prompt.words[1:], strict=False)
        if not before[0].endswith(('.', '?', '!'))
        and before[2] >= 0.4
        and after[1] <= len(prompt.sound) / SAMPLE_RATE - 0.3
    ]
    if not gaps:
        return None
    at = quietest(prompt.sound, float(rng.choice(gaps)))
    head, tail = faded(prompt.sound[:at], out=True), faded(prompt.sound[at:], out=False)
    return joined(prompt.name, group, prompt.text, (head, tail), (pause_s,), rng, language)


def joined(
    name: str,
    group: str,
    text: str,
    parts: Sequence[np.ndarray],
    pauses_s: Sequence[float],
    rng: np.random.Generator,
    language: str = 'en',
    whole: bool = True,
) -> Turn:
    """Parts with pauses between them, in a quiet room. A pause is counted from sound to sound."""
    at = int(LEAD_S * SAMPLE_RATE)
    sounds, pauses = [np.zeros(at)], list[tuple[int, int]]()
    for index, part in enumerate(parts):
        first, last = audible(part)
        if index:
            begin = pauses.pop()[0]
            silence = max(0, int(pauses_s[index - 1] * SAMPLE_RATE) - (at - begin) - first)
            sounds.append(np.zeros(silence))
            at += silence
            pauses.append((begin, at + first))
        sounds.append(part)
        pauses.append((at + last, 0))
        at += len(part)
    end = pauses.pop()[0]
    sounds.append(np.zeros(int(TRAIL_S * SAMPLE_RATE)))
    sound = np.concatenate(sounds)
    sound = sound + _FLOOR * pink(len(sound), rng)
    seconds = tuple((a / SAMPLE_RATE, b / SAMPLE_RATE) for a, b in pauses)
    return Turn(
        name, group, text, sound.astype(np.float32), seconds, end / SAMPLE_RATE, language, whole
    )


def noisy(turn: Turn, snr_db: float, rng: np.random.Generator) -> Turn:
    """The turn in pink noise, so much below its speech."""
    noise = _LEVEL * 10 ** (-snr_db / 20) * pink(len(turn.sound), rng)
    return replace(turn, group=f'{turn.group} at {snr_db:.0f} dB', sound=turn.sound + noise)


def trimmed(sound: np.ndarray, rate: int) -> np.ndarray:
    """At 24 kHz, -20 dBFS, without silence at its ends (but for 50 ms)."""
    import soxr

    sound = soxr.resample(sound, rate, SAMPLE_RATE) if rate != SAMPLE_RATE else sound
    sound = _LEVEL * sound / max(1e-6, float(np.sqrt(np.mean(sound**2))))
    sound = np.clip(sound, -0.99, 0.99).astype(np.float32)
    first, last = audible(sound)
    spare = SAMPLE_RATE // 20
    return sound[max(0, first - spare) : last + spare]


def audible(sound: np.ndarray) -> tuple[int, int]:
    """The first and the last sample that is heard: louder than 2 % of the peak, in 10 ms."""
    window = SAMPLE_RATE // 100
    peaks = np.abs(sound[: len(sound) // window * window]).reshape(-1, window).max(1)
    loud = np.flatnonzero(peaks > max(0.02 * peaks.max(), 1e-4))
    return int(loud[0]) * window, (int(loud[-1]) + 1) * window


def quietest(sound: np.ndarray, at_s: float, within_s: float = 0.08) -> int:
    """The sample in the middle of the quietest 20 ms near a time."""
    half = SAMPLE_RATE // 100
    first = max(half, int((at_s - within_s) * SAMPLE_RATE))
    last = min(len(sound) - half, int((at_s + within_s) * SAMPLE_RATE))
    places = range(first, max(first + 1, last), SAMPLE_RATE // 400)
    return min(places, key=lambda k: float(np.sum(sound[k - half : k + half] ** 2)))


def faded(sound: np.ndarray, *, out: bool) -> np.ndarray:
    """A copy whose end (or begin) does not click: 8 ms."""
    count = min(len(sound), SAMPLE_RATE // 125)
    ramp, sound = np.linspace(0.0, 1.0, count, dtype=np.float32), sound.copy()
    if out:
        sound[-count:] *= ramp[::-1]
    else:
        sound[:count] *= ramp
    return sound


def pause_lengths(count: int) -> Iterator[float]:
    """So many pauses from 0.3 to 2.0 s, evenly spread, in an order that shuffles them."""
    lengths = np.linspace(0.3, 2.0, count)
    yield from np.random.default_rng(7).permutation(lengths)
