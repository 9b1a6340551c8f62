"""The record of a session: what was heard, thought and said, and when."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kame_ros.audio.frame import Frame
from kame_ros.dialogue.generations import Generation, Generations
from kame_ros.dialogue.happening import Kind, TurnEvent
from kame_ros.dialogue.recording import Recording
from kame_ros.dialogue.voiced import Segment, first_sound, last_sound, voiced
from kame_ros.stt.transcript import Transcript

# The transcriber's idea of when speech ended is only a hint of where to look in the sound.
_LOOK_BEFORE_S = 0.5
_LOOK_AFTER_S = 0.5


@dataclass(frozen=True)
class Turn:
    """One turn of the user and the robot's answer; times in seconds from the first frame heard.

    `latency` is the robot's first sample minus the user's last, measured on the two recordings;
    it is negative where the robot starts before the user has ended, None where it says nothing.
    `books` is what the oracle node booked for the turn (see kame_ros.oracle.account).
    """

    user_text: str
    robot_text: str
    user_speech_end: float
    robot_speech_start: float | None
    oracles: list[Generation]
    books: dict[str, Any] = field(default_factory=dict)

    @property
    def latency(self) -> float | None:
        """Seconds, signed."""
        if self.robot_speech_start is None:
            return None
        return self.robot_speech_start - self.user_speech_end


class Session:
    """Collects what passes on the topics and makes the turns of it."""

    def __init__(self) -> None:
        self.heard = Recording()
        self.played = Recording()
        self.generations = Generations()
        self.finals: dict[int, Transcript] = {}
        self.partial = ''
        self.books: dict[int, dict[str, Any]] = {}  # utterance -> what its turn cost
        self._spoken: dict[int, str] = {}  # speech frame -> monologue text that starts in it
        self._played_at: dict[int, float] = {}  # speech frame -> when it left the loudspeaker

    @property
    def t0(self) -> float:
        """The time of the first frame heard; 0 where none was."""
        return self.heard.start or 0.0

    def on_mic(self, frame: Frame) -> None:
        """A frame of `audio/mic`."""
        self.heard.add(frame)

    def on_played(self, frame: Frame) -> None:
        """A frame of `audio/played`."""
        self.played.add(frame)
        if frame.source_seq >= 0:
            self._played_at[frame.source_seq] = frame.t

    def on_monologue(self, seq: int, text: str) -> None:
        """A piece of text that the speech frame `seq` begins to say."""
        self._spoken[seq] = self._spoken.get(seq, '') + text

    def on_transcript(self, transcript: Transcript) -> None:
        """A revision of a transcript."""
        self.partial = '' if transcript.final else transcript.text
        if transcript.final and transcript.text.strip():
            self.finals[transcript.utterance] = transcript

    def on_event(self, event: TurnEvent) -> None:
        """An event of the topic `turn`."""
        self.generations.on_event(event)
        if event.kind == Kind.TURN_BOOKED:
            self.books[event.utterance] = dict(json.loads(event.text))

    def said(self, start: float, end: float) -> str:
        """What the robot began to say in [start, end), as far as it was really played."""
        words = (
            text
            for seq, text in sorted(self._spoken.items())
            if start <= self._played_at.get(seq, -1.0) < end
        )
        text = ''.join(c if c.isprintable() else ' ' for c in ''.join(words))
        return ' '.join(text.split())

    def answer(self) -> np.ndarray:
        """All that was played, int16 at 24 kHz, from the first frame heard on."""
        return self.played.samples(self.t0)

    def turns(self) -> list[Turn]:
        """The turns, in the order in which they were spoken."""
        t0 = self.t0
        question = voiced(self.heard.samples(t0))
        answer = voiced(self.answer())
        finals = sorted(self.finals.values(), key=lambda final: final.start)
        starts = [final.start for final in finals] + [float('inf')]
        return [
            self._turn(final, starts[place + 1], question, answer)
            for place, final in enumerate(finals)
        ]

    def _turn(
        self, final: Transcript, until: float, question: list[Segment], answer: list[Segment]
    ) -> Turn:
        start, end = final.start - self.t0, final.end - self.t0
        limit = min(end + _LOOK_AFTER_S, until - self.t0)
        measured = last_sound(question, start - _LOOK_BEFORE_S, limit)
        return Turn(
            user_text=final.text.strip(),
            robot_text=self.said(final.start, until),
            user_speech_end=end if measured is None or measured > limit else measured,
            robot_speech_start=first_sound(answer, start, until - self.t0),
            oracles=self.generations.of(final.utterance),
            books=self.books.get(final.utterance, {}),
        )


def turn_record(turn: Turn, t0: float, first: int = 0) -> dict[str, Any]:
    """A turn as it stands in SESSION.json; times in seconds from the first frame heard.

    Generations are counted from `first`.
    """
    return {
        'user_text': turn.user_text,
        'robot_text': turn.robot_text,
        'user_speech_end_s': _rounded(turn.user_speech_end),
        'robot_speech_start_s': _rounded(turn.robot_speech_start),
        'latency_s': _rounded(turn.latency),
        'oracles': [
            {
                'generation': oracle.number - first,
                'transcript': oracle.transcript,
                'text': oracle.text,
                'started_at_s': _rounded(oracle.started_at - t0),
                'first_word_at_s': _rounded(
                    None if oracle.first_word_at is None else oracle.first_word_at - t0
                ),
                'state': oracle.state,
                **({'error': oracle.error} if oracle.error else {}),
            }
            for oracle in turn.oracles
        ],
        'books': {key: value for key, value in turn.books.items() if key != 'utterance'},
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
