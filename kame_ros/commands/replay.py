"""`kame replay`: a recorded conversation, answered again by the same parts or by others."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from rich.markup import escape
from rich.table import Table

from kame_ros.audio.wav import BadAudio
from kame_ros.bag.bag import Bag
from kame_ros.bag.stored import BadBag
from kame_ros.commands.replay_parts import make_graph
from kame_ros.commands.show import bar, console, fail, refuse
from kame_ros.commands.show_bag import check_picture, draw
from kame_ros.consumers.consumer import Consumer
from kame_ros.conversation.conversation import Conversation
from kame_ros.graph.description import load_graph, parse_overrides
from kame_ros.graph.names import BadConfig
from kame_ros.oracle.llm.clients.base import LlmClient, LlmError
from kame_ros.record.end_watch import EndWatch
from kame_ros.record.ending import Ending
from kame_ros.record.played_words import PlayedWords
from kame_ros.record.record import Record, RecordedTurn, turn_record
from kame_ros.replay.decisions import Compared, Decided, compare, decisions
from kame_ros.replay.llms import AnswerTimes, RecordedLlm
from kame_ros.replay.sound import read_channels
from kame_ros.replay.virtual_graph import Timing
from kame_ros.stt.recogniser import RecogniserError
from kame_ros.text.os_errors import in_words
from kame_ros.text.seconds import in_seconds
from kame_ros.text.well_formed import printable
from kame_ros.wire.frame import Frame
from kame_ros.wire.monologue import MonologueToken
from kame_ros.wire.transcript import Transcript

_SOUNDS = ('.wav', '.flac', '.ogg', '.mp3')
_SHOWN = 20  # differences
_SAME_S = 0.04  # half a frame: less can hardly be told from a bag
_COLLECTED_S = 0.06  # from a sound to the frame that it is in, on average, and a window of the ear


@dataclass
class Side:
    """A conversation as it was, or as it is in the replay.

    What was said and decided in it is found once: ask for it when all of it was told.
    """

    record: Record = field(default_factory=Record)
    conversation: Conversation = field(default_factory=lambda: Conversation(bounded=False))

    @cached_property
    def turns(self) -> list[RecordedTurn]:
        """The turns of it."""
        return self.record.turns()

    @cached_property
    def decided(self) -> list[Decided]:
        """What was decided in it."""
        return decisions(self.conversation, self.record.t0)


class _Frames(Consumer):
    """What a bag tells that a replay has to know: the user's sound, and how long things took."""

    def __init__(self) -> None:
        self.heard: list[Frame] = []
        self._decodes: list[float] = []
        self._words = PlayedWords(bounded=False)
        self._late: list[float] = []

    def on_mic(self, frame: Frame) -> None:
        """A frame of `audio/mic`."""
        self.heard.append(frame)

    def on_transcript(self, transcript: Transcript) -> None:
        """A revision, so long after the last sound that it knows."""
        if transcript.published and not transcript.final:
            self._decodes.append(transcript.published - transcript.end - _COLLECTED_S)

    def on_monologue(self, token: MonologueToken) -> None:
        """Words, with the time of the frame that they answer."""
        self._words.on_monologue(token)

    def on_played(self, frame: Frame) -> None:
        """A frame of `audio/played`."""
        self._late += [frame.t - token.t for token in self._words.on_played(frame)[:1]]

    @property
    def timing(self) -> Timing:
        """That of the record, as far as it tells."""
        return Timing(
            decode_s=_usual(self._decodes, 0.05, Timing.decode_s),
            playout_s=_usual(self._late, 0.08, Timing.playout_s),
        )


def _usual(seconds: list[float], least: float, otherwise: float) -> float:
    """The median, within reason; what is usual elsewhere where nothing is known, or the same."""
    if not seconds or abs(np.median(seconds) - otherwise) < _SAME_S:
        return otherwise
    return float(min(2.0, max(least, np.median(seconds))))


class _Progress(Consumer):
    """Moves a bar on."""

    def __init__(self, move: Any) -> None:
        self._move = move

    def on_mic(self, frame: Frame) -> None:
        """A frame was heard again."""
        self._move()


def replay(args: argparse.Namespace) -> int:
    """Replays a bag or a sound file, and says what differs."""
    before, after = Side(), Side()
    try:
        if args.output is not None:
            check_picture(args.output)
        overrides = parse_overrides(args.set)
        graph = load_graph(args.config, overrides=overrides, params_file=args.params_file)
        is_sound = args.source.suffix.lower() in _SOUNDS
        read = _read_sound if is_sound else _read_bag
        frames, timing, llm, problems = read(args, before)
        if 'backend' in overrides.get('oracle', {}):
            llm = None
        ending = EndWatch(Ending(thinks='oracle' in graph.names), after.record)
        followers = [after.record, after.conversation, ending]
        with bar() as progress:
            task = progress.add_task('loading', total=len(frames))
            moved = _Progress(lambda: progress.advance(task))
            parts = make_graph(graph, [*followers, moved], llm, timing)
            progress.update(task, description='replaying')
            parts.run(frames, (lambda: bool(ending.outcome)) if is_sound else None)
    except (BadConfig, ValueError) as error:
        bad = isinstance(error, BadBag | BadAudio)
        return fail(escape(printable(in_words(error)))) if bad else refuse(error)
    except (OSError, LlmError, RecogniserError, ImportError) as error:
        return fail(escape(printable(in_words(error))))
    for text in (*problems, *parts.faults):
        console.print(f'[yellow]{escape(printable(text))}[/]')
    found = Compared([], []) if is_sound else compare(before.decided, after.decided)
    if args.json:
        print(json.dumps(told(before, after, found, is_sound), indent=2, ensure_ascii=False))
    else:
        _print(before, after, found, is_sound)
        if isinstance(llm, RecordedLlm) and llm.unknown:
            console.print(
                f'[yellow]{len(llm.unknown)} questions were not asked in the record; each got the '
                'answer to the one most like it[/]'
            )
    if args.output is not None:
        name = f'{args.source.name}, replayed'
        if status := draw(args.output, name, after.record, after.turns, after.conversation, []):
            return status
    return 3 if found.differences and args.strict else 0


def told(before: Side, after: Side, found: Compared, is_sound: bool) -> dict[str, Any]:
    """All of it, for JSON."""

    def turns(side: Side) -> list[dict[str, Any]]:
        first = side.record.generations.first
        return [turn_record(turn, side.record.t0, first) for turn in side.turns]

    return {
        'record': None if is_sound else turns(before),
        'replay': turns(after),
        'differences': [
            {
                'record': [{'what': d.what, 't_s': round(d.t, 3)} for d in each.record],
                'replay': [{'what': d.what, 't_s': round(d.t, 3)} for d in each.replay],
            }
            for each in found.differences
        ],
        'moved': [
            {
                'what': each.record.what,
                'record_s': round(each.record.t, 3),
                'replay_s': round(each.replay.t, 3),
            }
            for each in found.moved
        ],
    }


Source = tuple[list[Frame], Timing, LlmClient | None, list[str]]


def _read_bag(args: argparse.Namespace, before: Side) -> Source:
    bag, frames = Bag(args.source), _Frames()
    times = AnswerTimes(lambda: bag.t)
    namespace = bag.namespace(args.namespace)
    bag.tell(namespace, before.record, before.conversation, frames, times)
    if not frames.heard:
        raise BadBag(f'{args.source} holds no sound of the user (audio/mic)')
    llm = RecordedLlm(before.record.generations.by_number.values(), times.pieces)
    heard = sorted(frames.heard, key=lambda frame: frame.seq)
    return heard, frames.timing, llm, bag.problems


def _read_sound(args: argparse.Namespace, before: Side) -> Source:
    heard, said = read_channels(args.source)
    for frame in heard:
        before.record.on_mic(frame)
    for frame in said:
        before.record.on_played(frame)
    return heard, Timing(), None, []


def _print(before: Side, after: Side, found: Compared, is_sound: bool) -> None:
    table = Table(show_lines=True)
    table.add_column('turn', justify='right')
    table.add_column('heard')
    for side in ([] if is_sound else ['record']) + ['replay']:
        table.add_column(f'said ({side})')
        table.add_column('latency', justify='right')
    old = [] if is_sound else before.turns
    new = after.turns
    for number in range(max(len(old), len(new))):
        pair = [turns[number] if number < len(turns) else None for turns in (old, new)]
        heard = next(turn.heard for turn in pair[::-1] if turn is not None)
        row = [str(number + 1), escape(heard)]
        for turn in pair[1:] if is_sound else pair:
            row.append(escape(turn.robot_text) if turn else '[dim]no such turn[/]')
            row.append(in_seconds(turn.latency if turn else None))
        table.add_row(*row)
    console.print(table if old or new else 'nobody said anything')
    if is_sound:
        return
    if found.differences:
        count = sum(max(len(each.record), len(each.replay)) for each in found.differences)
        console.print(f'{count} of {len(before.decided)} decisions differ:')
    else:
        console.print(f'[green]no decision differs[/] ({len(before.decided)} were taken)')
    for each in found.differences[:_SHOWN]:
        for sign, style, decided in (('-', 'red', each.record), ('+', 'green', each.replay)):
            for one in decided:
                console.print(f'[{style}]{sign} {escape(printable(str(one)))}[/]')
    _print_rest(len(found.differences))
    if found.moved:
        console.print(f'only the order of {len(found.moved)} differs:')
    for moved in found.moved[:_SHOWN]:
        console.print(f'[dim]~ {escape(printable(str(moved)))}[/]')
    _print_rest(len(found.moved))


def _print_rest(count: int) -> None:
    if count > _SHOWN:
        console.print(f'… and {count - _SHOWN} more: --json has all')
