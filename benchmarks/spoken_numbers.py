"""Spoken numbers: which digits does a streaming transcript lose that an offline one has?

    python benchmarks/spoken_numbers.py --results

Sixty sentences with telephone numbers, codes, times, prices and the like, in each voice, are heard
at five timings of decodes (the step between them, and what one costs on a virtual clock). The
references are `offline`, faster-whisper on the whole recording (30 s window, beam 5), and `once`,
one decode of the whole recording by the engine that streams. A digit is lost if it is in the
reference and not, in this order, in the final transcripts; number words count as their digits.
The JSON has `lost` and `digits` per voice, timing and reference, and every text that lost one.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from option_types import how_often, whisper_model

os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np
from result_file import Results
from speech_material import SPEAKERS, Clip, clips, frames
from stt_policies import Offline

from kame_ros.stt.config import TranscriberConfig
from kame_ros.stt.engines.whisper import WhisperRecogniser
from kame_ros.stt.recogniser import Hypothesis, Recogniser
from kame_ros.stt.transcriber import Transcriber
from kame_ros.turns.vad import SileroVad
from kame_ros.wire.frame import SAMPLE_RATE
from kame_ros.wire.transcript import Transcript

NUMBERS = (
    'My phone number is five five five, zero one seven four.',
    'Call me at two zero two, five five five, zero one nine eight.',
    'The number is zero three zero, four four one, double eight two.',
    'Dial one eight hundred, five five five, one two one two.',
    'His extension is four zero nine seven.',
    'You can reach the office at six one seven, nine two three, eight eight zero one.',
    'My code is one two three four five six.',
    'The code for the door is nine zero two one zero.',
    'My pin is seven seven three one.',
    'The access code is four four four four.',
    'Please enter the code zero zero seven, then press start.',
    'The last four digits are eight one five three.',
    'Drive to room four two seven, please.',
    'The meeting is in room twelve oh five.',
    'Take this to room three hundred and six.',
    'Go to gate twenty two.',
    'I am in building nine, room one zero one.',
    'She lives at forty two Baker Street.',
    'Wake me at ten thirty.',
    'Set an alarm for six forty five in the morning.',
    'The train leaves at seventeen fifty two.',
    'We meet at a quarter past nine, at nine fifteen sharp.',
    'Remind me at eleven oh five to take my pills.',
    'The show starts at eight p.m. and ends at ten twenty.',
    'It costs twelve thousand three hundred and forty five dollars.',
    'The coffee is three dollars and fifty cents.',
    'I paid nineteen ninety nine for it.',
    'The rent is one thousand two hundred euros a month.',
    'It was on sale for forty nine dollars and ninety five cents.',
    'My budget is two hundred and fifty thousand dollars.',
    'I was born in nineteen eighty four.',
    'The bridge was built in eighteen eighty three.',
    'What happened in two thousand and eight?',
    'In the year two thousand twenty five we moved to Berlin.',
    'The war ended in nineteen forty five.',
    'My birthday is the twenty third of May, nineteen ninety one.',
    'The date is December thirty first, two thousand nineteen.',
    'The flight is B A two four nine.',
    'My order number is seven eight one, dash, four four two.',
    'The serial number is five zero nine three eight two one.',
    'My booking reference is six six one two nine.',
    'Track parcel one zero zero four five six seven eight nine.',
    'My card number is four two four two, four two four two, four two four two, four two four two.',
    'The zip code is nine four one one zero.',
    'Send it to ten one one five Berlin.',
    'Go forward two point five meters.',
    'Turn left by ninety degrees.',
    'It is minus five degrees outside.',
    'Pi is three point one four one five nine.',
    'Lower the arm by twelve centimeters.',
    'About sixty seven percent of them came.',
    'Add two hundred and fifty grams of flour and three eggs.',
    'The house has one hundred and twenty square meters.',
    'He ran the marathon in three hours and twenty one minutes.',
    'What is seventeen times twenty three?',
    'What is one hundred and forty four divided by twelve?',
    'They won four to three against Brazil.',
    'We are thirty one people and need sixteen tables.',
    'Play channel one zero one point one.',
    'My flight leaves at six thirty from gate forty one, seat twenty two C.',
)


@dataclass(frozen=True)
class Timing:
    """When is decoded: every `step` s, and a decode takes `cost` s."""

    step: float
    cost: float


TIMINGS = {
    'every 0.16 s': Timing(0.16, 0.0),
    'every 0.32 s': Timing(0.32, 0.0),
    'as on a CPU': Timing(0.32, 0.25),
    'slow': Timing(0.5, 0.6),
    'very slow': Timing(1.0, 1.3),
}
_UNITS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
sixteen seventeen eighteen nineteen
"""
_TENS = 'twenty thirty forty fifty sixty seventy eighty ninety'
_DIGITS = {
    **{word: str(i) for i, word in enumerate(_UNITS.split())},
    **{word: str(i) for i, word in enumerate(_TENS.split(), 2)},
}


class Remembering:
    """A recogniser that decodes no sound twice; every call moves a virtual clock by `cost`."""

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser
        self._known: dict[tuple[bytes, bool], Hypothesis] = {}
        self.max_sound_s = recogniser.max_sound_s
        self.cost = self.now = 0.0

    def warm_up(self) -> None:
        self._recogniser.warm_up()

    def recognise(self, sound: np.ndarray, final: bool) -> Hypothesis:
        """Decode, or remember."""
        self.now += self.cost
        key = (sound.tobytes(), final)
        if key not in self._known:
            self._known[key] = self._recogniser.recognise(sound, final)
        return self._known[key]

    def begin(self, cost: float) -> None:
        """A new run from the time 0 on."""
        self.cost, self.now = cost, 0.0

    def forget(self) -> None:
        """Another recording comes."""
        self._known.clear()


def stream(recogniser: Remembering, sound: np.ndarray, timing: Timing) -> list[Transcript]:
    """All transcripts of float32 at 24 kHz; the frames wait while a decode takes its time."""
    recogniser.begin(timing.cost)
    config = TranscriberConfig(step_s=timing.step)
    transcriber = Transcriber(recogniser, SileroVad(), config, lambda: recogniser.now)
    out: list[Any] = []
    waiting = list(frames(sound))
    i = 0
    while i < len(waiting) or transcriber.busy:
        if i < len(waiting):
            recogniser.now = max(recogniser.now, waiting[i].end)
        while i < len(waiting) and waiting[i].end <= recogniser.now + 1e-9:
            out += transcriber.feed(waiting[i])
            i += 1
        out += transcriber.work()
    return [o for o in out if isinstance(o, Transcript)]


def digits(text: str) -> str:
    """The digits of a text in their order; number words below 20, and tens, as digits."""
    parts = re.findall(r'[a-z]+|\d', text.casefold())
    return ''.join(_DIGITS.get(part, part if part.isdigit() else '') for part in parts)


def lost(reference: str, heard: str) -> int:
    """How many digits of the reference are not in what was heard, in their order."""
    row = [0] * (len(heard) + 1)  # longest common subsequence
    for a in reference:
        before, row = row, [0]
        for j, b in enumerate(heard):
            row.append(before[j] + 1 if a == b else max(before[j + 1], row[j]))
    return len(reference) - row[-1]


def broken_promises(transcripts: Sequence[Transcript]) -> int:
    """Committed beginnings that a later revision of the same utterance took back."""
    return sum(
        not later.text.startswith(earlier.committed_text)
        for i, earlier in enumerate(transcripts)
        for later in transcripts[i + 1 :]
        if later.utterance == earlier.utterance
    )


def measure(
    recogniser: Remembering, offline: Offline, material: Sequence[Clip]
) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """Digits and losses per timing, and the texts that lost some."""
    import soxr

    table = {name: {'digits': 0, 'lost': 0, 'lost_once': 0, 'broken': 0} for name in TIMINGS}
    cases = []
    for clip in material:
        run, _ = offline.run(clip.sound)
        sound = soxr.resample(clip.sound, SAMPLE_RATE, 16_000)
        sound = sound[: int(recogniser.max_sound_s * 16_000)]
        once = recogniser.recognise(sound.astype(np.float32), True).text
        for name, timing in TIMINGS.items():
            transcripts = stream(recogniser, clip.sound, timing)
            text = ' '.join(t.text for t in transcripts if t.final)
            row = table[name]
            row['digits'] += len(digits(run.text))
            row['lost'] += (gone := lost(digits(run.text), digits(text)))
            row['lost_once'] += (gone_once := lost(digits(once), digits(text)))
            row['broken'] += broken_promises(transcripts)
            if gone or gone_once:
                case = {'timing': name, 'said': clip.text, 'offline': run.text}
                cases.append(case | {'once': once, 'streaming': text})
        recogniser.forget()
    return table, cases


def main() -> None:
    """Run what the command line asks for, print a table, write the JSON."""
    from rich.console import Console
    from rich.table import Table

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--model', type=whisper_model, default='whisper-base')
    parser.add_argument('--voices', nargs='+', default=('hibari', 'flite-slt'), choices=SPEAKERS)
    parser.add_argument(
        '--count', type=how_often(), default=len(NUMBERS), help='sentences of each voice'
    )
    writer = Results(parser, 'spoken_numbers', timed=False)
    options = parser.parse_args()
    recogniser = Remembering(WhisperRecogniser(options.model, language='en'))
    offline = Offline(options.model, 'cpu')
    result: dict[str, Any] = {'model': options.model, 'sentences': options.count, 'voices': {}}
    table = Table('voice', 'timing', 'digits', 'lost', 'lost (once)', 'broken promises')
    for voice in options.voices:
        rows, cases = measure(recogniser, offline, clips(voice, NUMBERS[: options.count]))
        result['voices'][voice] = {'timings': rows, 'cases': cases}
        for name, row in rows.items():
            table.add_row(voice, name, *(str(value) for value in row.values()))
    Console(width=110).print(table)
    writer.write(options, told(result), result)


def told(result: dict[str, Any]) -> dict[str, Any]:
    """The figures of a result file: per voice, and at the timing that loses most."""
    voices = {}
    for voice, seen in result['voices'].items():
        rows = list(seen['timings'].values())
        most = {key: max(row[key] for row in rows) for key in ('lost', 'lost_once', 'broken')}
        voices[voice] = {'digits': rows[0]['digits'], **most}
    return {'sentences': result['sentences'], 'timings': len(TIMINGS), 'voices': voices}


if __name__ == '__main__':
    main()
