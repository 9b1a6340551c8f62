"""The conversation on the screen, while it goes on; and a line for each turn that is over."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from kame_ros.conversation.conversation import Conversation
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
        self.told = 0  # the number of the last one

    def take(self, conversation: Conversation, all_of_them: bool = False) -> list[LiveTurn]:
        """Those that are over since the last call; at the end, the last one, too."""
        over = []
        for turn in list(conversation.turns):
            if turn.number <= self.told:
                continue
            if not all_of_them and not is_over(turn, conversation):
                break
            self.told = turn.number
            if turn.heard.strip() or turn.words:
                over.append(turn)
        return over


def is_over(turn: LiveTurn, conversation: Conversation) -> bool:
    """Whether nothing more is to come of a turn, as far as one can know."""
    now, newest = conversation.now, conversation.turn
    if newest is not None and newest.number > turn.number:
        return turn.measured or now - newest.start > 1.0
    if conversation.robot_speaks or conversation.user_speaks:
        return False
    if turn.words:
        return now - turn.words[-1].t > _SILENT_S and (turn.final or turn.utterance < 0)
    return turn.final and turn.end is not None and now - turn.end > _UNANSWERED_S


def line_of(turn: LiveTurn) -> str:
    """A turn in one line of plain text."""
    parts = [f'turn {turn.number}', f'{in_seconds(turn.latency):>8}']
    if turn.heard.strip():
        parts.append(f'heard: {_short(turn.heard)}')
    parts.append(f'said: {_short(turn.said)}' if turn.said else 'said nothing')
    if turn.barge_in is not None:
        parts.append('(interrupted)')
    if turn.taken_back:
        parts.append('(they went on)')
    dropped = sum(not g.applied for g in turn.generations.values())
    if turn.generations:
        parts.append(f'[{len(turn.generations)} asked, {dropped} dropped]')
    return '  '.join(parts)


def turn_view(turn: LiveTurn) -> Table:
    """A turn with what is settled of it, what is thought, and what is said."""
    table = Table.grid(padding=(0, 2))
    table.add_column(justify='right', style='dim', min_width=8, no_wrap=True)
    table.add_column()
    if turn.heard or turn.utterance >= 0:
        heard = Text(_short(turn.heard[: turn.settled], keep_end=True), 'bold cyan')
        heard.append(_short(turn.heard[turn.settled :]), 'italic bright_black')
        if turn.taken_back:
            heard.append('  they went on', 'magenta')
        table.add_row('user', heard)
    for generation in list(turn.generations.values())[-_ANSWERS:]:
        table.add_row('oracle', _answer(generation))
    said = Text(_short(turn.said, keep_end=True), 'yellow')
    if turn.barge_in is not None:
        said.append(' ✂ interrupted', 'bold red')
    if turn.latency is not None:
        said.append(f'  {turn.latency:+.2f} s', 'green' if turn.latency < 1.0 else 'red')
    table.add_row('robot', said)
    return table


def view(conversation: Conversation, told: int = 0) -> Group:
    """The newest turn, if it is after turn `told`, and a line about all of it."""
    parts: list[Table | Text] = []
    newest = conversation.turn
    if newest is not None and newest.number > told:
        parts.append(turn_view(newest))
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

    def _print(self, turns: list[LiveTurn]) -> None:
        for turn in turns:
            if self._console.is_terminal:
                self._console.rule(f'turn {turn.number}', style='dim', align='left')
                self._console.print(turn_view(turn))
            else:
                self._console.print(Text(line_of(turn)), soft_wrap=True)


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
