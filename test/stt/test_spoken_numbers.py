"""Numbers and fast talkers with real weights; all of them: benchmarks/spoken_numbers.py."""

import re
from itertools import pairwise

import numpy as np
import pytest

from kame_ros.runtime import weights
from kame_ros.stt.config import TranscriberConfig
from kame_ros.stt.engines.whisper import WhisperRecogniser
from kame_ros.stt.transcriber import Transcriber
from kame_ros.turns.vad import SileroVad
from kame_ros.wire.frame import Frame
from kame_ros.wire.transcript import Transcript

pytestmark = pytest.mark.models
TIMINGS = ((0.4, 0.25), (1.0, 1.3))  # step and cost of a decode, s


@pytest.fixture(scope='module')
def base():
    if not weights.KNOWN['whisper-base'].present:
        pytest.skip(f'whisper-base is absent: {weights.KNOWN["whisper-base"].install}')
    return WhisperRecogniser(language='en')


@pytest.fixture(scope='module')
def voice():
    hibari = pytest.importorskip('hibari').Hibari()

    def say(text, speed=1.0):
        """Frames of the text at 24 kHz with silence around it."""
        sound = np.asarray(hibari(text, speed=speed), np.float32)
        sound *= 0.1 / np.sqrt(np.mean(sound**2))
        sound = np.concatenate([np.zeros(24_000), sound, np.zeros(36_000)])
        pcm = (np.clip(sound, -0.99, 0.99) * 32_767).astype(np.int16)
        return pcm[: len(pcm) // 1920 * 1920].reshape(-1, 1920)

    return say


def hear(base, sound, step, cost):
    """The finals, joined; a decode takes `cost` s on a virtual clock."""
    now = [0.0]

    class Paid:
        max_sound_s = base.max_sound_s

        def recognise(self, samples, final):
            now[0] += cost
            return base.recognise(samples, final)

        def warm_up(self):
            pass

    config = TranscriberConfig(step_s=step)
    transcriber = Transcriber(Paid(), SileroVad(), config, lambda: now[0])
    out, i = [], 0
    while i < len(sound) or transcriber.busy:
        if i < len(sound):
            now[0] = max(now[0], (i + 1) * 0.08)
        while i < len(sound) and (i + 1) * 0.08 <= now[0] + 1e-9:
            out += transcriber.feed(Frame(i, i * 0.08, sound[i]))
            i += 1
        out += transcriber.work()
    heard = [o for o in out if isinstance(o, Transcript)]
    for earlier, later in pairwise(heard):
        assert earlier.final or later.text.startswith(earlier.committed_text)
    return ' '.join(o.text for o in heard if o.final)


@pytest.mark.parametrize(
    ('said', 'digits'),
    [
        ('My phone number is five five five, zero one seven four.', '5550174'),
        ('Drive to room four two seven, please.', '427'),
        ('Wake me at ten thirty.', '1030'),
    ],
)
def test_no_digit_is_lost(base, voice, said, digits):
    sound = voice(said)
    for step, cost in TIMINGS:
        assert re.sub(r'\D', '', hear(base, sound, step, cost)) == digits


def test_a_fast_talker_keeps_the_last_words(base, voice):
    sound = voice(
        'Please set an alarm for seven thirty tomorrow morning, remind me to call my sister at '
        'noon, and then tell me what the weather will be like in Hamburg on Saturday and Sunday.',
        1.9,
    )
    text = hear(base, sound, *TIMINGS[0])
    assert text.endswith('Hamburg on Saturday and Sunday.')
    assert '30' in text


def test_whisper_may_write_as_many_tokens_as_fast_speech_has(base, voice):
    """Digits take a token each: 24 of them in five seconds, and the words around."""
    import soxr

    said = 'four seven one nine two eight three zero ' * 3
    sound = voice(f'The number is {said} and that is all.', 1.9).reshape(-1) / 32_768
    sound = soxr.resample(sound.astype(np.float32), 24_000, 16_000)[
        : int(base.max_sound_s * 16_000)
    ]
    text = base.recognise(sound, final=True).text
    assert text.rstrip('.').endswith('that is all')
