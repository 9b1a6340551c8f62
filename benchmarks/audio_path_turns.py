"""Barge-in and the ends of turns: the tts front-end with a real voice, real VAD, real words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from speech_material import clips, disturbances, frames
from stt_policies import ours

from kame_ros.s2s.front_end import Step
from kame_ros.s2s.tts.config import TtsConfig
from kame_ros.s2s.tts.front_end import TtsFrontEnd
from kame_ros.s2s.tts.voice import HibariVoice
from kame_ros.turns.vad import SileroVad
from kame_ros.wire.frame import FRAME_S, SAMPLE_RATE
from kame_ros.wire.oracle import Oracle
from kame_ros.wire.transcript import Transcript
from kame_ros.wire.turn import TurnKind

_SPEECH = (
    'The tallest mountain in the world is Mount Everest, which stands in the Himalayas. '
    'A rainbow forms when the light of the sun is bent and reflected by many drops of rain. '
    'A train that leaves at noon and travels sixty miles in an hour arrives at one o clock.'
)
_INTERRUPTIONS = ('Stop.', 'No, wait a moment.', 'Please tell me about something else.')
_REMARKS = ('Uh-huh.', 'Okay.', 'Yeah, I see.')
_VOICES = ('flite-slt', 'flite-rms')
# Sentences in two halves, as people break them who think while they speak.
_HALVES = (
    ('I would like to', 'plan a trip to Hawaii with my family.'),
    ('Please bring me a', 'glass of water from the kitchen.'),
    ('Can you explain how a rainbow', 'forms after the rain?'),
    ('If a train leaves at noon', 'when does it arrive in the city?'),
    ('What is the name of', 'the tallest mountain in the world?'),
)
_PAUSES = (0.5, 0.75, 1.0, 1.25, 1.5)  # s
_SPEAKS_OVER_S = 3.0  # s after the robot began

Said = list[tuple[float, Transcript]]
# An earlier utterance: the front-end knows that somebody transcribes.
_TRANSCRIBED: Said = [(-1.0, Transcript(999, 0, 'Hello.', 6, True, -9.0, -8.0))]


@dataclass
class _Run:
    steps: list[Step]

    def when(self, kind: TurnKind, after: float = -1.0) -> list[float]:
        """The ends of the frames in which it happened: then the decision is known."""
        times = [(k + 1) * FRAME_S for k, s in enumerate(self.steps) for e in s.events
                 if e.kind == kind]  # fmt: skip
        return [t for t in times if t > after]

    def first_gain(self, below: float, after: float) -> float | None:
        for k, step in enumerate(self.steps):
            if step.gain <= below and (k + 1) * FRAME_S > after:
                return (k + 1) * FRAME_S
        return None


def _talk(
    voice: HibariVoice, sound: np.ndarray, oracle: Oracle | None, said: Said, config: TtsConfig
) -> _Run:
    front, steps = TtsFrontEnd(voice, SileroVad(), config), []
    left = sorted(said, key=lambda item: item[0])
    for frame in frames(sound):
        while left and left[0][0] <= frame.end:
            words = left.pop(0)[1]
            front.hear_words(
                words.utterance, words.text, words.start - frame.t, words.end - frame.t, words.final
            )
        current = oracle if oracle and frame.t >= 0.4 else None
        steps.append(front.step(frame.samples, current))
    return _Run(steps)


def barge_in_scores(model: str, meter: str) -> dict[str, Any]:
    """Milliseconds from detected speech to silence, and what was taken for an interruption."""
    voice, stt = HibariVoice(), ours(model, meter)
    oracle = Oracle('llm', 1, _SPEECH, ended=True)
    config = TtsConfig(end_of_turn='words', apology='')
    ducks, stops, drops = [], [], []
    mistaken: list[str] = []
    counts = dict.fromkeys(('interruptions', 'stopped', 'remarks', 'wrongly_stopped', 'noises'), 0)
    cases = [(text, v, True) for text in _INTERRUPTIONS for v in _VOICES]
    cases += [(text, v, False) for text in _REMARKS for v in _VOICES]
    for text, speaker, interrupts in cases:
        (clip,) = clips(speaker, (text,))
        sound = np.zeros(14 * SAMPLE_RATE, np.float32)
        at = round((_SPEAKS_OVER_S + 0.4) * SAMPLE_RATE)
        said = clip.sound[SAMPLE_RATE:]
        sound[at : at + len(said)] = said
        words = stt.run(sound, True).transcripts
        run = _talk(voice, sound, oracle, [*_TRANSCRIBED, *words], config)
        heard_as = ' | '.join(t.text for _, t in words if t.final)
        heard = run.when(TurnKind.USER_SPEECH_START)
        barged = run.when(TurnKind.BARGE_IN)
        if interrupts:
            counts['interruptions'] += 1
            counts['stopped'] += bool(barged)
            drops += [1e3 * (t - heard[0]) for t in barged[:1]]
        else:
            counts['remarks'] += 1
            counts['wrongly_stopped'] += bool(barged)
            if barged:
                mistaken.append(f'{text} heard as {heard_as!r}')
        if heard:
            duck, stop = run.first_gain(0.5, heard[0] - 0.01), run.first_gain(0.0, heard[0])
            ducks += [1e3 * (duck - heard[0])] if duck is not None else []
            stops += [1e3 * (stop - heard[0])] if stop is not None else []
    noise = disturbances(16.0)
    for name, sound in noise.items():
        run = _talk(voice, np.tile(sound, 4), oracle, [], config)
        counts['noises'] += 1
        if run.when(TurnKind.BARGE_IN):
            counts['wrongly_stopped'] += 1
            mistaken.append(name)
    return {
        **counts,
        'mistaken': mistaken,
        'barge_in_duck_ms': _spread(ducks),
        'barge_in_stop_ms': _spread(stops),
        'barge_in_drop_ms': _spread(drops),
    }


def turn_end_scores(model: str, meter: str) -> dict[str, Any]:
    """How often a pause is taken for the end, and how late the end is found, with and without
    the words.
    """
    voice, stt = HibariVoice(), ours(model, meter)
    policies = {
        'silence of 0.6 s': (TtsConfig(end_of_turn='words', apology=''), False),
        'silence of 1.2 s': (TtsConfig(end_of_turn='words', apology='', end_of_turn_s=1.2), False),
        'silence and words': (TtsConfig(end_of_turn='words', apology=''), True),
    }
    found: dict[str, dict[str, list[float]]] = {
        name: {'false': [], 'late': []} for name in policies
    }
    for number, (first, second) in enumerate(_HALVES):
        begin, end = clips(_VOICES[number % 2], (first, second))
        head, tail = (
            clip.sound[SAMPLE_RATE - 4_800 : round(clip.speech_end * SAMPLE_RATE)]
            for clip in (begin, end)
        )
        for pause in _PAUSES:
            silence = np.zeros(max(0, round(pause * SAMPLE_RATE) - 4_800), np.float32)
            sound = np.concatenate([head, silence, tail, np.zeros(4 * SAMPLE_RATE, np.float32)])
            resumes = (len(head) + len(silence) + 4_800) / SAMPLE_RATE
            over = (len(head) + len(silence) + len(tail)) / SAMPLE_RATE
            said = stt.run(sound, True).transcripts
            for name, (config, hears) in policies.items():
                config = TtsConfig(**{**config.__dict__, 'filler': 'Hm,'})
                listened = said if hears else []
                run = _talk(voice, sound, None, [*_TRANSCRIBED, *listened] if hears else [], config)
                starts = run.when(TurnKind.ROBOT_SPEECH_START)
                # The filler is said at the end of a turn: in the pause it is a take-over.
                found[name]['false'].append(any(t < resumes + 0.1 for t in starts))
                after = [t - over for t in starts if t > over]
                found[name]['late'] += after[:1]
    return {
        name: {
            'false_takeovers': round(float(np.mean(scores['false'])), 3),
            'pauses': len(scores['false']),
            'turn_end_latency_s': round(float(np.median(scores['late'])), 2),
            'turn_end_latency_p90_s': round(float(np.percentile(scores['late'], 90)), 2),
        }
        for name, scores in found.items()
    }


def _spread(values: list[float]) -> dict[str, float]:
    if not values:
        return {}
    return {
        'median': round(float(np.median(values))),
        'max': round(float(np.max(values))),
        'count': len(values),
    }
