"""The record of a session: what was heard, thought and said, and when."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from kame_ros.consumers.consumer import Consumer
from kame_ros.record.generations import GenerationRecord, Generations
from kame_ros.record.played_words import PlayedWords
from kame_ros.record.recording import Recording
from kame_ros.record.sound_turns import WORD_BEFORE_S, SoundTurn, from_words, respond, user_turns
from kame_ros.record.speech import ROBOT_GAP_S, USER_GAP_S, merged
from kame_ros.record.voiced import Segment, last_sound, voiced
from kame_ros.record.whole_turns import WholeTurn, whole_turns
from kame_ros.text.compare import normalise
from kame_ros.text.well_formed import joined
from kame_ros.wire.frame import FRAME_S, Frame
from kame_ros.wire.monologue import MonologueToken
from kame_ros.wire.transcript import Transcript
from kame_ros.wire.turn import TurnEvent, TurnKind

# The transcriber's idea of when speech ended is only a hint of where to look in the sound.
_LOOK_BEFORE_S = 0.5
_LOOK_AFTER_S = 0.5
_OF_THE_LAST = ('utterance', 'first_word_s', 'stale_words')  # what cannot be added up


@dataclass(frozen=True)
class TakenBack:
    """The robot took the turn for ended at `at`, after utterance `after` of it (from 0).

    The user went on; `robot_text` is what it had begun to say.
    """

    at: float
    after: int
    robot_text: str = ''


@dataclass(frozen=True)
class RecordedTurn:
    """One turn of the user and the robot's answer; times in seconds from the first frame heard.

    `latency` is the robot's first sample minus the user's last, measured on the two recordings;
    it is negative where the robot starts before the user has ended, None where it says nothing.
    `utterances` are those of which the turn consists, `user_text` is all of them; the transcript
    of an oracle begins with those that were known before. `taken_back`: when the robot took it too
    early for ended; what it said then is no answer.
    `books` is what the oracle node booked for the turn (see kame_ros.oracle.account), `words` when
    the robot was heard to begin which word.
    On the way to it: `turn_ended` is when the front-end decided that the turn was over, and
    `speech_given` the end of the frame in which it gave the first word of the answer.
    """

    user_text: str
    robot_text: str
    user_speech_end: float
    robot_speech_start: float | None
    oracles: list[GenerationRecord]
    books: dict[str, Any] = field(default_factory=dict)
    words: list[tuple[float, str]] = field(default_factory=list)
    turn_ended: float | None = None
    speech_given: float | None = None
    utterances: tuple[str, ...] = ()
    taken_back: tuple[TakenBack, ...] = ()

    @property
    def heard(self) -> str:
        """What was heard, with a mark where the turn was taken back."""
        texts = []
        for place, text in enumerate(self.utterances or (self.user_text,)):
            texts.append(text)
            texts += ['(taken back)' for back in self.taken_back if back.after == place]
        return ' '.join(filter(None, texts))

    @property
    def latency(self) -> float | None:
        """Seconds, signed."""
        if self.robot_speech_start is None:
            return None
        return self.robot_speech_start - self.user_speech_end


class Record(Consumer):
    """Collects what passes on the topics and makes the turns of it.

    `transcribes`: somebody in the graph writes down what the user says.
    """

    def __init__(self, transcribes: bool = True) -> None:
        self._transcribes = transcribes
        self.heard = Recording()
        self.played = Recording()
        self.generations = Generations()
        self.finals: dict[int, Transcript] = {}
        self.partial = ''
        self.books: dict[int, dict[str, Any]] = {}  # utterance -> what its turn cost
        self._monologue = PlayedWords(bounded=False)
        self._said: dict[float, str] = {}  # when a frame left the loudspeaker -> its words
        self._given: dict[float, float] = {}  # the same -> when the front-end had given it
        self._turn_ends: list[float] = []
        self._taken_back: list[float] = []
        self._silent: set[int] = set()  # utterances that need no answer

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
        for token in self._monologue.on_played(frame):
            self._say(token, frame.t)

    def on_monologue(self, token: MonologueToken) -> None:
        """A piece of text that a frame of the speech begins to say."""
        played = self._monologue.on_monologue(token)
        if played is not None:
            self._say(token, played)

    def _say(self, token: MonologueToken, played: float) -> None:
        self._said[played] = self._said.get(played, '') + token.text
        self._given[played] = token.t + FRAME_S

    def on_transcript(self, transcript: Transcript) -> None:
        """A revision of a transcript."""
        self.partial = '' if transcript.final else transcript.text
        if transcript.final and transcript.text.strip():
            self.finals[transcript.utterance] = transcript

    def on_turn(self, event: TurnEvent) -> None:
        """An event of the topic `turn`."""
        self.generations.on_event(event)
        if event.kind == TurnKind.TURN_ENDED:
            self._turn_ends.append(event.t)
        elif event.kind == TurnKind.TAKEN_BACK:
            self._taken_back.append(event.t)
        elif event.kind == TurnKind.SILENT:
            self._silent.add(event.utterance)
        elif event.kind == TurnKind.TURN_BOOKED:
            self.books[event.utterance] = event.books

    def said(self, start: float, end: float) -> str:
        """What the robot began to say in [start, end), as far as it was really played."""
        return joined(text for _, text in self._words(start, end))

    def _words(self, start: float, end: float) -> list[tuple[float, str]]:
        """What was played in [start, end): when each frame with text left the loudspeaker."""
        return sorted((at, text) for at, text in self._said.items() if start <= at < end)

    def answer(self) -> np.ndarray:
        """All that was played, int16 at 24 kHz, from the first frame heard on."""
        return self.played.samples(self.t0)

    def turns(self, find: Callable[[np.ndarray], Sequence[Segment]] = voiced) -> list[RecordedTurn]:
        """The turns, in the order in which they were spoken; `find` tells where there is speech.

        They are those of the final transcripts: several of them are one turn where the front-end
        waited for the user, or took back that they had ended. Of a graph that has no transcriber,
        they are those of the sound.
        """
        question = find(self.heard.samples(self.t0))
        said = [at - self.t0 for at, text in sorted(self._said.items()) if text.strip()]
        answer = from_words(find(self.answer()), said)
        finals = sorted(self.finals.values(), key=lambda final: final.start)
        if not self._transcribes:
            spans = user_turns(merged(question, USER_GAP_S), answer)
            found = respond(spans, answer, question, self._count_words)
            return [self._turn(turn, answer) for turn in found]
        wholes = whole_turns(
            self._spans(finals, question),
            apart={n for n, final in enumerate(finals) if final.utterance in self._silent},
            ends=[t - self.t0 for t in self._turn_ends],
            backs=[t - self.t0 for t in self._taken_back],
            words=said,
            voice=question,
        )
        meant = [s for s in answer if not any(_broke_in(whole, s.start) for whole in wholes)]
        turns = respond([whole.span for whole in wholes], meant, question, self._count_words)
        return [
            self._turn(turn, meant, [finals[place] for place in whole.places], whole)
            for whole, turn in zip(wholes, turns, strict=True)
        ]

    def _count_words(self, stretch: Segment) -> int:
        """How many words the robot began in a stretch of its speech."""
        begin = self.t0 + stretch.start - WORD_BEFORE_S
        return len(self.said(begin, self.t0 + stretch.end).split())

    def _spans(self, finals: Sequence[Transcript], question: Sequence[Segment]) -> list[Segment]:
        """Where each transcript was spoken, to the last sample of its sound."""
        spans = []
        for place, final in enumerate(finals):
            start, end = final.start - self.t0, final.end - self.t0
            later = finals[place + 1 :]
            until = later[0].start - self.t0 if later else float('inf')
            limit = min(end + _LOOK_AFTER_S, until)
            measured = last_sound(list(question), start - _LOOK_BEFORE_S, limit)
            spans.append(Segment(start, end if measured is None or measured > limit else measured))
        return spans

    def _turn(
        self,
        turn: SoundTurn,
        robot: Sequence[Segment],
        finals: Sequence[Transcript] = (),
        whole: WholeTurn | None = None,
    ) -> RecordedTurn:
        answer = turn.response
        # The rest of the answer before belongs to the turn before.
        sounding = [s.end for s in merged(robot, ROBOT_GAP_S) if s.start <= turn.start < s.end]
        begin = max(turn.start, *sounding) if sounding else turn.start
        if answer is not None:
            begin = max(turn.start, answer.start - WORD_BEFORE_S)
        words = [
            (at - self.t0, word)
            for at, word in self._words(self.t0 + begin, self.t0 + turn.until)
            if not _broke_in(whole, at - self.t0)
        ]
        texts = [final.text.strip() for final in finals]
        oracles = [
            replace(oracle, transcript=' '.join([*texts[:place], oracle.transcript]))
            for place, final in enumerate(finals)
            for oracle in self.generations.of(final.utterance)
        ]
        return RecordedTurn(
            user_text=' '.join(texts),
            robot_text=joined(word for _, word in words),
            user_speech_end=turn.end,
            robot_speech_start=None if answer is None else answer.start,
            oracles=oracles,
            books=_sum(self.books.get(final.utterance, {}) for final in finals),
            words=words,
            utterances=tuple(texts),
            taken_back=self._backs(whole),
            **self._way(turn, whole),
        )

    def _backs(self, whole: WholeTurn | None) -> tuple[TakenBack, ...]:
        return tuple(
            TakenBack(
                broke_in.at,
                broke_in.after,
                joined(
                    text for at, text in sorted(self._said.items()) if broke_in.has(at - self.t0)
                ),
            )
            for broke_in in (whole.broke_in if whole else ())
        )

    def _way(self, turn: SoundTurn, whole: WholeTurn | None) -> dict[str, float | None]:
        """When the answer to what was said in the turn was due, and when it was given."""
        start, until = self.t0 + turn.start, self.t0 + turn.until
        times = (at for at in self._given if start <= at < until)
        first = min((at for at in times if not _broke_in(whole, at - self.t0)), default=None)
        given = None if first is None else self._given[first]
        limit = until if given is None else min(until, given)
        ends = [t for t in self._turn_ends if start <= t <= limit + FRAME_S / 2]
        ended = max(ends, default=None)
        return {
            'turn_ended': None if ended is None else ended - self.t0,
            'speech_given': None if given is None else given - self.t0,
        }


def _broke_in(whole: WholeTurn | None, t: float) -> bool:
    """Whether what the robot begins at `t` was not meant to be said."""
    return whole is not None and any(broke_in.has(t) for broke_in in whole.broke_in)


def _sum(books: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The books of several utterances: numbers are added up, times are those of the last."""
    total: dict[str, Any] = {}
    for book in books:
        for key, value in book.items():
            before = total.get(key)
            adds = isinstance(before, int | float) and isinstance(value, int | float)
            total[key] = before + value if adds and key not in _OF_THE_LAST else value
    return total


def turn_record(turn: RecordedTurn, t0: float, first: int = 0) -> dict[str, Any]:
    """A turn as it stands in SESSION.json; times in seconds from the first frame heard.

    Generations are counted from `first`.
    """
    return {
        'user_text': turn.user_text,
        'utterances': list(turn.utterances),
        'taken_back': [
            {'at_s': _rounded(back.at), 'robot_text': back.robot_text} for back in turn.taken_back
        ],
        'robot_text': turn.robot_text,
        'user_speech_end_s': _rounded(turn.user_speech_end),
        'robot_speech_start_s': _rounded(turn.robot_speech_start),
        'latency_s': _rounded(turn.latency),
        'robot_words': [{'at_s': _rounded(at), 'text': text.strip()} for at, text in turn.words],
        'turn_ended_s': _rounded(turn.turn_ended),
        'speech_given_s': _rounded(turn.speech_given),
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
        'books': _books(turn, t0),
    }


def _books(turn: RecordedTurn, t0: float) -> dict[str, Any]:
    """The books, with `first_word_s` (see kame_ros.oracle.account) from the end of the sound."""
    books = {key: value for key, value in turn.books.items() if key != 'utterance'}
    said = normalise(turn.user_text)
    times = [
        oracle.first_word_at - t0
        for oracle in turn.oracles
        if oracle.first_word_at is not None and normalise(oracle.transcript) == said
    ]
    if times and 'first_word_s' in books:
        books['first_word_s'] = _rounded(min(times) - turn.user_speech_end)
    return books


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
