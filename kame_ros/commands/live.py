"""The conversation on the screen, while it goes on; and a line for each turn that is over."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from kame_ros.conversation.conversation import Conversation
from kame_ros.conversation.together import Together, together
from kame_ros.conversation.turn import LiveTurn
from kame_ros.record.generations import GenerationRecord
from kame_ros.text.seconds import in_seconds
from kame_ros.text.well_formed import printable

_ANSWERS = 4  # generations that are shown, the newest
_SILENT_S = 3.0  # after the robot's last word: a turn is over
_UNANSWERED_S = 15.0
_LINES = 400  # characters of a text that are shown
_METER = ' ▁▂▃▄▅▆▇█'


class Over:
    """Which turns are over, each told once and in their order."""

    def __init__(self) -> None:
        self.told = 0  # the number of the last utterance of them
        self.count = 0

    def take(self, conversation: Conversation, all_of_them: bool = False) -> list[Together]:
        """Those that are over since the last call; at the end, the last one, too."""
        over = []
        for turn in together(conversation, self.told):
            if not all_of_them and not is_over(turn.last, conversation):
                break
            self.told = turn.last.number
            if any(part.heard.strip() or part.words for part in turn.parts):
                over.append(turn)
        return over


def is_over(turn: LiveTurn, conversation: Conversation) -> bool:
    """Whether nothing more is to come of a turn, as far as one can know, after this utterance."""
    now, newest = conversation.now, conversation.turn
    if newest is not None and newest.number > turn.number:
        # Until the front-end has told of an end, the next utterance may be of the same turn.
        sure = bool(conversation.turn_ends or turn.words)
        return turn.measured or now - newest.start > (1.0 if sure else _UNANSWERED_S)
    if conversation.robot_speaks or conversation.user_speaks:
        return False
    if turn.words:
        return now - turn.words[-1].t > _SILENT_S and (turn.final or turn.utterance < 0)
    return turn.final and turn.end is not None and now - turn.end > _UNANSWERED_S


def line_of(number: int, turn: Together) -> str:
    """A turn in one line of plain text."""
    parts = [f'turn {number}', f'{in_seconds(turn.last.latency):>8}']
    if any(part.heard.strip() for part in turn.parts):
        parts.append(f'heard: {_heard(turn).plain}')
    parts.append(f'said: {_short(turn.said)}' if turn.said else 'said nothing')
    if turn.interrupted:
        parts.append('(interrupted)')
    dropped = sum(not g.applied for g in turn.generations)
    if turn.generations:
        parts.append(f'[{len(turn.generations)} asked, {dropped} dropped]')
    return '  '.join(parts)


def turn_view(turn: Together) -> Table:
    """A turn with what is settled of it, what is thought, and what is said."""
    table = Table.grid(padding=(0, 2))
    table.add_column(justify='right', style='dim', min_width=8, no_wrap=True)
    table.add_column()
    if any(part.heard or part.utterance >= 0 for part in turn.parts):
        table.add_row('user', _heard(turn))
    for generation in turn.generations[-_ANSWERS:]:
        table.add_row('oracle', _answer(generation))
    said = Text(_short(turn.said, keep_end=True), 'yellow')
    if turn.interrupted:
        said.append(' ✂ interrupted', 'bold red')
    if (latency := turn.last.latency) is not None:
        said.append(f'  {latency:+.2f} s', 'green' if latency < 1.0 else 'red')
    table.add_row('robot', said)
    return table


def _heard(turn: Together) -> Text:
    """What the user said, with a mark where the robot took them too early for finished."""
    heard = Text()
    for part, taken_back in turn.heard:
        if heard:
            heard.append(' ')
        heard.append(_short(part.heard[: part.settled], keep_end=True), 'bold cyan')
        heard.append(_short(part.heard[part.settled :]), 'italic bright_black')
        if taken_back:
            heard.append(' (taken back)', 'magenta')
    return heard


def view(conversation: Conversation, told: int = 0) -> Group:
    """The newest turn, if it is after utterance `told`, and a line about all of it."""
    parts: list[Table | Text] = []
    if newest := together(conversation, told):
        parts.append(turn_view(newest[-1]))
    known = sorted(turn.latency for turn in conversation.turns if turn.latency is not None)
    status = Text('   ', 'dim')
    status.append(f'mic {_meter(conversation.heard.dbfs)}', _lit(conversation.user_speaks, 'cyan'))
    status.append('  ')
    said = f'voice {_meter(conversation.played.dbfs)}'
    status.append(said, _lit(conversation.robot_speaks, 'yellow'))
    if known:
        status.append(f'  latency {known[len(known) // 2]:+.2f} s (median of {len(known)})')
    if lost := sum(conversation.losses.values()):
        status.append(f'  lost {lost:g}', 'red')
    parts.append(status)
    return Group(*parts)


class Screen:
    """Shows a conversation on a terminal; elsewhere it prints a line for each turn."""

    def __init__(self, console: Console, conversation: Conversation) -> None:
        self._console, self._conversation = console, conversation
        self._over = Over()
        self._live: Live | None = None

    @contextlib.contextmanager
    def shown(self) -> Iterator[Screen]:
        """On the screen in this block."""
        try:
            if self._console.is_terminal:
                with Live(console=self._console, transient=True, auto_refresh=False) as self._live:
                    yield self
            else:
                yield self
        finally:
            self._live = None
            self._print(self._over.take(self._conversation, all_of_them=True))

    def update(self) -> None:
        """Shows what is new."""
        over = self._over.take(self._conversation)
        self._print(over)
        if self._live is not None:
            self._live.update(view(self._conversation, self._over.told), refresh=True)

    def _print(self, turns: list[Together]) -> None:
        for turn in turns:
            self._over.count += 1
            if self._console.is_terminal:
                self._console.rule(f'turn {self._over.count}', style='dim', align='left')
                self._console.print(turn_view(turn))
            else:
                line = line_of(self._over.count, turn)
                self._console.print(Text(line), soft_wrap=True)


def _answer(generation: GenerationRecord) -> Text:
    text = Text(_short(generation.text) + ' ')
    if generation.error:
        return Text(f'✗ {_short(generation.error)}', 'red')
    if generation.spoken_at is not None:
        return Text('✓ ', 'green') + text
    if generation.applied:
        text.append('stopped' if generation.stopped else '', 'dim')
        return Text('● ', 'green') + text
    if generation.stopped:
        text.stylize('strike bright_black')
        return Text('✗ ', 'red') + text + Text('dropped', 'red')
    if generation.first_word_at is not None:
        return Text('◔ ', 'yellow') + text
    return Text(f'◌ asked about “{_short(generation.transcript)}”', 'bright_black')


def _lit(on: bool, style: str) -> str:
    return f'bold {style}' if on else 'dim'


def _meter(dbfs: float) -> str:
    """A bar that grows from -60 to 0 dBFS."""
    return _METER[max(0, min(len(_METER) - 1, round((dbfs + 60.0) / 60.0 * (len(_METER) - 1))))]


def _short(text: str, keep_end: bool = False) -> str:
    text = printable(text)
    if len(text) <= _LINES:
        return text
    return f'…{text[-_LINES:]}' if keep_end else f'{text[:_LINES]}…'
