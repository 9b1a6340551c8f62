"""A human voice that reads 568 telephone prompts: is the final what an offline decode says?

    apt-get download asterisk-core-sounds-en-g722 asterisk-core-sounds-en   # CC-BY-SA 3.0
    for file in asterisk-*.deb; do dpkg-deb -x $file prompts; done
    python benchmarks/stt_prompts.py prompts --json prompts.json

Every prompt goes through the transcriber on a virtual clock, and is decoded offline twice: by
faster-whisper with its 30 s window, and once by the engine that streams. `monologue` is prompts
read one after the other, 0.25 s apart, for `--seconds`: nobody pauses long enough to end it.
"""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
from option_types import how_often, in_seconds, whisper_model
from result_file import Results
from speech_material import LEAD_S, Clip
from spoken_numbers import Remembering, Timing, broken_promises, digits, lost, stream
from stt_policies import Offline
from stt_scores import errors, normal

from kame_ros.stt.engines.whisper import WhisperRecogniser
from kame_ros.wire.frame import SAMPLE_RATE

_GAP_S = 0.25
_TIMING = Timing(step=0.32, cost=0.25)  # about a CPU's


def prompts(folder: Path) -> list[Clip]:
    """The spoken prompts of unpacked Debian packages, float32 at 24 kHz, -20 dBFS, by name."""
    listing = next(folder.rglob('core-sounds-en.txt.gz'), None)
    if listing is None:
        raise SystemExit(f'there is no core-sounds-en.txt.gz below {folder}')
    sounds = {path.stem: path for path in folder.rglob('*.g722')}
    sounds |= {f'{p.parent.name}/{p.stem}': p for p in folder.rglob('*.g722')}
    out = []
    for line in gzip.decompress(listing.read_bytes()).decode().splitlines():
        name, _, text = line.partition(': ')
        if line.startswith(';') or '[' in text or not text.strip() or name not in sounds:
            continue
        sound = _read(sounds[name])
        sound = 0.1 * sound / max(1e-6, float(np.sqrt(np.mean(sound**2))))
        lead, trail = np.zeros(int(LEAD_S * SAMPLE_RATE)), np.zeros(2 * SAMPLE_RATE)
        whole = np.concatenate([lead, np.clip(sound, -0.99, 0.99), trail]).astype(np.float32)
        out.append(Clip(name, text.strip(), whole, LEAD_S + len(sound) / SAMPLE_RATE))
    return out


def _read(path: Path) -> np.ndarray:
    """Raw G.722 as float32 at 24 kHz, without the silence around it."""
    import av
    import soxr

    with av.open(str(path), format='g722') as file:
        parts = [frame.to_ndarray().reshape(-1) for frame in file.decode(audio=0)]
    sound = soxr.resample(np.concatenate(parts).astype(np.float32) / 32_768, 16_000, SAMPLE_RATE)
    loud = np.flatnonzero(np.abs(sound) > 0.01 * np.abs(sound).max())
    return sound[loud[0] : loud[-1] + 1]


def monologue(material: list[Clip], seconds: float) -> Clip:
    """Prompts, one after the other, until there are so many seconds of them."""
    parts, texts, length = [np.zeros(int(LEAD_S * SAMPLE_RATE))], [], 0.0
    for clip in material:
        end = round(clip.speech_end * SAMPLE_RATE)
        parts += [clip.sound[int(LEAD_S * SAMPLE_RATE) : end], np.zeros(int(_GAP_S * SAMPLE_RATE))]
        texts.append(clip.text)
        length += clip.speech_s + _GAP_S
        if length >= seconds:
            break
    sound = np.concatenate([*parts, np.zeros(2 * SAMPLE_RATE)]).astype(np.float32)
    return Clip('monologue', ' '.join(texts), sound, LEAD_S + length)


def compare(recogniser: Remembering, offline: Offline, clip: Clip) -> dict[str, Any]:
    """What was heard of a clip, streaming and offline, as texts."""
    import soxr

    run, _ = offline.run(clip.sound)
    once = None
    if clip.speech_s <= recogniser.max_sound_s - 1.0:
        sound = soxr.resample(clip.sound, SAMPLE_RATE, 16_000).astype(np.float32)
        sound = sound[8_000 : int((clip.speech_end + 0.3) * 16_000)]
        once = recogniser.recognise(sound[: int(recogniser.max_sound_s * 16_000)], True).text
    heard = stream(recogniser, clip.sound, _TIMING)
    recogniser.forget()
    texts = {'name': clip.name, 'said': clip.text, 'offline': run.text, 'once': once}
    finals = [t for t in heard if t.final]
    return texts | {
        'streaming': ' '.join(t.text for t in finals),
        'utterances': len(finals),
        'broken': broken_promises(heard),
        'partials': len(heard) - len(finals),
    }


def figures(cases: list[dict[str, Any]]) -> dict[str, Any]:
    """Word errors, equal texts and lost digits over all cases."""

    def wer(key: str) -> float:
        wrong = sum(errors(normal(c['said']), normal(c[key] or '')) for c in cases)
        return round(100 * wrong / sum(len(normal(c['said'])) for c in cases), 2)

    short = [c for c in cases if c['once'] is not None]
    one = [c for c in short if c['utterances'] == 1]
    return {
        'prompts': len(cases),
        'wer_streaming': wer('streaming'),
        'wer_offline': wer('offline'),
        'one_utterance': len(one),
        'equal_to_one_decode': sum(normal(c['streaming']) == normal(c['once']) for c in one),
        'equal_to_offline': sum(normal(c['streaming']) == normal(c['offline']) for c in cases),
        'digits': sum(len(digits(c['offline'])) for c in cases),
        'digits_lost': sum(lost(digits(c['offline']), digits(c['streaming'])) for c in cases),
        'unheard': sum(bool(normal(c['offline'])) > bool(normal(c['streaming'])) for c in cases),
        'broken_promises': sum(c['broken'] for c in cases),
    }


def main() -> None:
    """Run what the command line asks for, print the figures, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('folder', type=Path, help='where the two packages are unpacked')
    parser.add_argument('--model', type=whisper_model, default='whisper-base')
    parser.add_argument('--count', type=how_often(), default=150, help='prompts, spread over all')
    parser.add_argument('--seconds', type=in_seconds, default=75.0, help='of the monologue')
    writer = Results(parser, 'stt_prompts', timed=False)
    options = parser.parse_args()
    every = prompts(options.folder)
    chosen = every[:: max(1, len(every) // options.count)][: options.count]
    recogniser = Remembering(WhisperRecogniser(options.model, language='en'))
    offline = Offline(options.model, 'cpu')
    long = [clip for clip in every if clip.speech_s > 2.5]
    monologues = [monologue(long[i:], options.seconds) for i in (0, len(long) // 2)]
    result: dict[str, Any] = {
        'monologues': [compare(recogniser, offline, clip) for clip in monologues],
        'cases': [compare(recogniser, offline, clip) for clip in chosen],
    }
    result |= {name: figures(result[name]) for name in ('monologues', 'cases')} | {
        'texts': result['monologues'] + result['cases']
    }
    print(json.dumps({name: result[name] for name in ('monologues', 'cases')}, indent=2))
    writer.write(options, {name: result[name] for name in ('monologues', 'cases')}, result)


if __name__ == '__main__':
    main()
