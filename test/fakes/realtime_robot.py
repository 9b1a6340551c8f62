"""A robot that notes what a session of the Realtime protocol asks of it, and a client of it."""

import json

import numpy as np

from kame_ros.realtime.dialect import DIALECTS, SessionState
from kame_ros.realtime.session import RealtimeSession
from kame_ros.wire.frame import FRAME_SAMPLES, Frame
from kame_ros.wire.monologue import MonologueToken
from kame_ros.wire.transcript import Transcript
from kame_ros.wire.turn import TurnEvent, TurnKind

LOUD = np.full(FRAME_SAMPLES, 5_000, np.int16)
QUIET = np.zeros(FRAME_SAMPLES, np.int16)


class NotingRobot:
    """Says yes to all but the persona 'nobody'."""

    def __init__(self):
        self.asked, self.notes, self.personas, self.interrupts = [], [], [], 0

    def ask(self, text):
        self.asked.append(text)
        return ''

    def note(self, text):
        self.notes.append(text)

    def be(self, persona, done):
        self.personas.append(persona)
        done('there is no such persona' if persona == 'nobody' else '')

    def interrupt(self):
        self.interrupts += 1


class Client:
    """A session, its robot, and the events that came."""

    def __init__(self, dialect='ga'):
        self.robot, self.events = NotingRobot(), []
        state = SessionState('sess_1', 'tiny', 'You are Robi.', 'robot')
        self.session = RealtimeSession(
            100.0, state, DIALECTS[dialect], self.robot, self.events.append
        )

    def send(self, type, t=100.0, **more):
        """Sends an event; gives the events that came of it."""
        return self.raw(json.dumps({'type': type, 'event_id': 'mine', **more}), t)

    def raw(self, text, t=100.0):
        before = len(self.events)
        self.session.on_client(t, text)
        return self.events[before:]

    def turn(self, kind, t, utterance=-1):
        before = len(self.events)
        self.session.on_turn(TurnEvent(TurnKind[kind], t, utterance=utterance))
        return self.events[before:]

    def hears(self, text, committed=0, utterance=7, final=False, revision=0):
        before = len(self.events)
        count = len(text) if final else committed
        self.session.on_transcript(
            Transcript(utterance, revision, text, count, final, 101.0, 102.0)
        )
        return self.events[before:]

    def says(self, *words):
        before = len(self.events)
        for word in words:
            self.session.on_monologue(MonologueToken(0, 103.0, word, 'llm', 1))
        return self.events[before:]

    def plays(self, t, *frames):
        before = len(self.events)
        for number, samples in enumerate(frames):
            self.session.on_played(Frame(number, t + number * 0.08, samples))
        return self.events[before:]

    def types(self, events=None):
        return [event['type'] for event in (self.events if events is None else events)]
