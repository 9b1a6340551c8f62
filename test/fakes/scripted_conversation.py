"""A conversation as it passes on the topics, written as a table: for those who follow one."""

from __future__ import annotations

import numpy as np

from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES, Frame
from kame_ros.wire.monologue import MonologueToken
from kame_ros.wire.oracle import ChunkKind, OracleChunk
from kame_ros.wire.transcript import Transcript
from kame_ros.wire.turn import TurnEvent, TurnKind

T0 = 1_000.0
LOUD = (8000 * np.sin(np.arange(FRAME_SAMPLES) * 0.1)).astype(np.int16)
SILENT = np.zeros(FRAME_SAMPLES, np.int16)


def partial(t, text, settled=0, utterance=0, start=1.0, final=False):
    """(t, method, what it is told): a revision at `t` s."""
    count = len(text) if final else settled
    heard = Transcript(
        utterance, round(t * 100), text, count, final, T0 + start, T0 + t, published=T0 + t
    )
    return t, 'on_transcript', (heard,)


def final(t, text, utterance=0, start=1.0):
    """The last revision."""
    return partial(t, text, utterance=utterance, start=start, final=True)


def event(t, kind, generation=-1, utterance=-1, text='', source='llm'):
    """An event of the topic `turn`."""
    told = TurnEvent(TurnKind[kind], T0 + t, source, generation, utterance, 0, text)
    return t, 'on_turn', (told,)


def word(t, text, source='llm', generation=1):
    """A word in the frame of the speech that is played at `t`."""
    return t, 'on_monologue', (MonologueToken(frame_at(t), T0 + t - 0.5, text, source, generation),)


def text(t, words, generation=1):
    """A piece of the oracle."""
    return t, 'on_oracle', (OracleChunk('llm', generation, ChunkKind.TEXT, words),)


def frame_at(t):
    """The number of the frame in which `t` is."""
    return int(t / FRAME_S + 1e-6)


def play(consumer, table, seconds=12.0, user=(), robot=()):
    """Tells it of all, in order, between the frames of both streams.

    `user` and `robot` are stretches (start, end) in which each is loud.
    """
    rows = sorted(table, key=lambda row: row[0])
    for seq in range(int(seconds / FRAME_S)):
        t = seq * FRAME_S
        while rows and rows[0][0] < t + FRAME_S:
            _, method, told = rows.pop(0)
            getattr(consumer, method)(*told)
        consumer.on_mic(Frame(seq, T0 + t, _sound(t, user)))
        consumer.on_played(Frame(seq, T0 + t, _sound(t, robot), source_seq=seq))


def _sound(t, stretches):
    return LOUD if any(start <= t < end for start, end in stretches) else SILENT


QUESTION = (
    event(1.0, 'USER_SPEECH_START', utterance=0, source='stt'),
    partial(1.6, 'What is', settled=0),
    partial(2.2, 'What is the capital', settled=7),
    event(2.2, 'GENERATION_BEGUN', 1, 0, 'What is the capital'),
    event(2.6, 'GENERATION_FIRST_WORD', 1, 0),
    event(2.7, 'ORACLE_APPLIED', 1),
    event(2.8, 'GENERATION_BEGUN', 2, 0, 'What is the capital of France?'),
    event(3.0, 'USER_SPEECH_END', utterance=0, source='stt'),
    final(3.04, 'What is the capital of France?'),
    event(3.2, 'GENERATION_FIRST_WORD', 2, 0),
    event(3.2, 'GENERATION_CANCELLED', 1, 0, 'Of what'),
    text(3.25, 'The capital is Paris.', 2),
    event(3.3, 'ORACLE_APPLIED', 2),
    event(3.4, 'TURN_ENDED', source='s2s'),
    event(3.5, 'GENERATION_ENDED', 2, 0, 'The capital is Paris.'),
    word(3.84, 'The capital', generation=2),
    word(4.4, ' is', generation=2),
    word(4.8, ' Paris.', generation=2),
    event(5.1, 'ORACLE_SPOKEN', 2),
)
