"""A conversation through the parts of the graph on virtual time, with fakes for models."""

from __future__ import annotations

from fake_speech import FakeRecogniser, words_of
from fake_vad import FakeVad
from recorded_bag import IntoBag
from scripted_llm import ScriptedClient
from scripted_robot import ScriptedRobot

from kame_ros.conversation.conversation import Conversation
from kame_ros.oracle.config import OracleConfig
from kame_ros.oracle.llm.backend import Backend
from kame_ros.record.record import Record
from kame_ros.replay.llms import ReplayBackend
from kame_ros.replay.virtual_graph import Meter, Timing, VirtualGraph
from kame_ros.s2s.front_end import Event, Piece, Step
from kame_ros.stt.transcriber import Transcriber
from kame_ros.wire.turn import TurnKind

QUESTIONS = (words_of('what is the capital of france', 1.0), words_of('and of spain', 9.0))
SPANS = [(1.0, 3.4), (9.0, 10.2)]


class Robot(ScriptedRobot):
    """Says the oracle of the LLM, and tells what a real one tells; asked anew after each turn."""

    def step(self, user, oracle):
        before, opened = self._key, self._opened
        step = super().step(user, oracle)
        pieces = tuple(
            Piece(p.text, 'llm' if p.generation >= 0 else '', p.generation) for p in step.pieces
        )
        events = list(step.events)
        if not opened and self._opened:
            events.append(Event(TurnKind.TURN_ENDED))
        if oracle is not None and self._key != before and self._key == oracle.key:
            events.append(Event(TurnKind.ORACLE_APPLIED, 'llm', oracle.generation))
        idle = not self._left and not self._queue
        whole = oracle is not None and oracle.ended and self._key == oracle.key and idle
        if whole and self._said >= len(oracle.text.split()):
            events.append(Event(TurnKind.ORACLE_SPOKEN, 'llm', oracle.generation, oracle.life))
            self.reset()
        return Step(step.speech, pieces, tuple(events))

    def hear_words(self, utterance, text, start, end, final=True):
        """Nobody is interrupted by the next question."""


def answer(messages):
    """The LLM: it thinks for 0.29 s (never until a frame begins), and answers what it was asked."""
    import asyncio

    words = messages[-1]['content'].lower()
    text = 'Madrid.' if 'spain' in words else 'Paris.' if 'france' in words else 'Of what?'
    return [lambda: asyncio.sleep(0.29), 'It is ', lambda: asyncio.sleep(0.1), text]


def config(client=None, **settings):
    """The oracle's settings with a client of a test."""
    client = client or ScriptedClient(answer)
    backend = ReplayBackend.of(Backend('ollama', 'scripted', slots=3), lambda: client)
    return OracleConfig((backend,), **settings)


def graph(consumers, oracle=None, timing=None):
    """All parts."""
    timing = timing or Timing()
    script = [word for question in QUESTIONS for word in question]
    stt = Transcriber(FakeRecogniser(script), FakeVad(), None, Meter(timing.decode_s))
    return VirtualGraph(stt, Robot(lead_in=''), oracle or config(), consumers, timing)


def converse(frames, *more, oracle=None, timing=None):
    """The record and the conversation of it, and the graph."""
    record, conversation = Record(), Conversation(bounded=False)
    made = graph((record, conversation, *more), oracle, timing)
    for consumer in more:
        consumer.clock = made.now
    made.run(frames)
    return record, conversation, made


__all__ = ['IntoBag', 'converse', 'graph']
