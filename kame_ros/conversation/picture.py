"""Draws a conversation on one time axis, as SVG: heard, thought and said, one below the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

import numpy as np

from kame_ros.audio.level import FULL_SCALE
from kame_ros.conversation.conversation import Conversation
from kame_ros.conversation.happening import Happening, What
from kame_ros.record.generations import GenerationRecord
from kame_ros.record.record import Record, RecordedTurn
from kame_ros.record.voiced import HOP_S, levels
from kame_ros.text.well_formed import printable

_SCALE = 110.0  # px for a second
_WIDEST = 60_000.0  # px: a longer recording is drawn smaller
_MARGIN, _NAMES = 16.0, 92.0  # px, at the top and the right; for the names of the lanes
_ROW, _WAVE = 17.0, 44.0  # px
_ROWS = 12  # at most, of texts or answers above each other
_CHARACTER = 6.3  # px, of the font
_STYLE = """
text { font: 11px system-ui, sans-serif; fill: #222 }
.lane { font-weight: 600; fill: #555 } .small { font-size: 10px; fill: #666 }
.user { fill: #2266aa } .robot { fill: #b05a00 } .unsure { fill: #8899aa }
.grid { stroke: #e4e4e4 } .between { stroke: #ccc }
.asked { fill: #ddd } .adopted { fill: #bfe3c0 } .dropped { fill: #f2c4c0 } .failed { fill: #e88 }
.mark { stroke: #c02020; stroke-width: 1.5 } .ended { stroke: #888; stroke-dasharray: 3 3 }
.late { stroke: #208040; stroke-width: 2 } .early { stroke: #7040a0; stroke-width: 2 }
"""


@dataclass
class _Rows:
    """Puts texts where they do not lie upon each other: the uppermost row with room."""

    ends: list[float] = field(default_factory=list)

    def place(self, x: float, width: float) -> int:
        for row, end in enumerate(self.ends):
            if end <= x:
                self.ends[row] = x + width
                return row
        if len(self.ends) < _ROWS:
            self.ends.append(x + width)
            return len(self.ends) - 1
        row = min(range(_ROWS), key=lambda row: self.ends[row])
        self.ends[row] = x + width
        return row


class Picture:
    """The lanes of a recording; `svg` is the text of the picture.

    `seconds` is how long it is; x of a second `s` is `left + s * scale`, for who moves a line over
    it. `turns` are those of the record, for who has them already.
    """

    def __init__(
        self,
        record: Record,
        conversation: Conversation,
        turns: Sequence[RecordedTurn] | None = None,
    ) -> None:
        self.turns = record.turns() if turns is None else turns
        self._t0 = record.t0 or min((h.t for h in conversation.happenings), default=0.0)
        heard, played = record.heard.samples(self._t0), record.played.samples(self._t0)
        last = max((h.t for h in conversation.happenings), default=self._t0) - self._t0
        self.seconds = max(1.0, len(heard) / 24_000, len(played) / 24_000, min(last, 86_400.0))
        self.left = _NAMES
        self.scale = min(_SCALE, _WIDEST / self.seconds)
        self._y = _MARGIN + 14
        self._parts: list[str] = []
        self._marks: list[str] = []
        happenings = list(conversation.happenings)
        self._lane('user', lambda: self._wave(heard, 'user'))
        self._lane('heard', lambda: self._texts(_news(happenings)))
        self._lane('oracle', lambda: self._answers(conversation))
        said = [(h.t, h.text.strip(), 'robot') for h in happenings if h.what is What.WORD]
        self._lane('says', lambda: self._texts(said))
        self._lane('robot', lambda: self._wave(played, 'robot'))
        self._between(happenings, self.turns)
        self.svg = self._drawn()

    def _x(self, t: float) -> float:
        """Of a time on the audio clock."""
        return self.left + min(max(0.0, t - self._t0), self.seconds) * self.scale

    def _lane(self, name: str, draw: Callable[[], None]) -> None:
        top = self._y
        draw()
        middle = (top + self._y) / 2 + 4
        self._parts.append(f'<text class="lane" x="8" y="{middle:.0f}">{name}</text>')
        self._y += 8
        self._parts.append(
            f'<line class="between" x1="0" x2="{self._width:.0f}" '
            f'y1="{self._y - 4:.0f}" y2="{self._y - 4:.0f}"/>'
        )

    @property
    def _width(self) -> float:
        return self.left + self.seconds * self.scale + _MARGIN

    def _wave(self, samples: np.ndarray, kind: str) -> None:
        """The level, as a band around the middle: a step for each 2 px."""
        step = max(1, round(2 / self.scale / HOP_S))
        level = levels(samples)
        level = np.append(level, np.zeros(-len(level) % step)).reshape(-1, step).max(axis=1)
        height = np.sqrt(np.minimum(1.0, level * 3 / FULL_SCALE)) * _WAVE / 2
        middle = self._y + _WAVE / 2
        x = self.left + np.arange(len(height)) * step * HOP_S * self.scale
        up = [f'{a:.0f},{middle - h - 0.5:.1f}' for a, h in zip(x, height, strict=True)]
        down = [f'{a:.0f},{middle + h + 0.5:.1f}' for a, h in zip(x, height, strict=True)]
        if up:
            self._parts.append(f'<polygon class="{kind}" points="{" ".join(up + down[::-1])}"/>')
        self._y += _WAVE

    def _texts(self, told: Iterable[tuple[float, str, str]]) -> None:
        rows = _Rows()
        for t, text, kind in told:
            if not text:
                continue
            x = self._x(t)
            row = rows.place(x, len(text) * _CHARACTER + 4)
            y = self._y + row * _ROW + 12
            self._parts.append(f'<text class="{kind}" x="{x:.0f}" y="{y:.0f}">{safe(text)}</text>')
        self._y += max(1, len(rows.ends)) * _ROW

    def _answers(self, conversation: Conversation) -> None:
        rows = _Rows()
        answers = [g for turn in conversation.turns for g in turn.generations.values()]
        for answer in sorted(answers, key=lambda g: g.started_at):
            self._answer(answer, rows)
        self._y += max(1, len(rows.ends)) * (_ROW + 2)

    def _answer(self, answer: GenerationRecord, rows: _Rows) -> None:
        x = self._x(answer.started_at)
        word = self._x(answer.first_word_at) if answer.first_word_at is not None else None
        end = self._x(answer.ended_at or answer.first_word_at or answer.started_at)
        end = max(end, (word or x) + 3)
        kind = 'failed' if answer.error else 'adopted' if answer.applied else 'dropped'
        text = answer.text.strip() or answer.error or '…'
        short = text if len(text) <= 70 else text[:69] + '…'
        row = rows.place(x, max(end - x, len(short) * _CHARACTER + 8) + 4)
        y = self._y + row * (_ROW + 2)
        asked = f'asked: {answer.transcript} → {kind}: {text}'
        self._parts.append(
            f'<g><title>{safe(asked)}</title>'
            f'<rect class="asked" x="{x:.0f}" y="{y:.0f}" '
            f'width="{(word or end) - x:.0f}" height="{_ROW:.0f}"/>'
            f'<rect class="{kind}" x="{word or end - 3:.0f}" y="{y:.0f}" '
            f'width="{max(3.0, end - (word or end - 3)):.0f}" height="{_ROW:.0f}"/>'
            f'<text x="{x + 3:.0f}" y="{y + 12:.0f}">{safe(short)}</text></g>'
        )

    def _between(self, happenings: Sequence[Happening], turns: Sequence[RecordedTurn]) -> None:
        """What goes through all lanes: ends of turns, barge-ins, latencies."""
        for happening in happenings:
            kind = {What.BARGE_IN: 'mark', What.TURN_ENDED: 'ended'}.get(happening.what)
            if kind:
                self._line(kind, self._x(happening.t), happening.what.value.replace('_', ' '))
        for turn in turns:
            if turn.latency is None or turn.robot_speech_start is None:
                continue
            a, b = sorted((turn.user_speech_end, turn.robot_speech_start))
            x1, x2 = self._x(self._t0 + a), self._x(self._t0 + b)
            kind = 'early' if turn.latency < 0 else 'late'
            self._marks.append(
                f'<line class="{kind}" x1="{x1:.0f}" x2="{x2:.0f}" y1="{_MARGIN + 6:.0f}" '
                f'y2="{_MARGIN + 6:.0f}"/><text x="{x2 + 4:.0f}" y="{_MARGIN + 10:.0f}">'
                f'{turn.latency:+.2f} s</text>'
            )

    def _line(self, kind: str, x: float, text: str) -> None:
        self._marks.append(
            f'<line class="{kind}" x1="{x:.0f}" x2="{x:.0f}" y1="{_MARGIN + 14:.0f}" '
            f'y2="{self._y:.0f}"><title>{text}</title></line>'
        )

    def _drawn(self) -> str:
        height = self._y + 18
        every = next(s for s in (1, 5, 10, 60, 600, 3600) if s * self.scale >= 40 or s == 3600)
        grid = ''.join(
            f'<line class="grid" x1="{x:.0f}" x2="{x:.0f}" y1="{_MARGIN + 14:.0f}" '
            f'y2="{self._y:.0f}"/><text class="small" x="{x + 2:.0f}" y="{height - 5:.0f}">'
            f'{second} s</text>'
            for second in range(0, int(self.seconds) + 1, every)
            for x in [self.left + second * self.scale]
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self._width:.0f}" '
            f'height="{height:.0f}" viewBox="0 0 {self._width:.0f} {height:.0f}" role="img" '
            f'aria-label="a conversation on a time axis"><style>{_STYLE}</style>'
            f'<rect width="100%" height="100%" fill="#fff"/>{grid}'
            f'{"".join(self._parts)}{"".join(self._marks)}</svg>'
        )


def _news(happenings: Iterable[Happening]) -> list[tuple[float, str, str]]:
    """What each revision of a transcript adds or changes: (when, the words, how sure they are)."""
    told: list[tuple[float, str, str]] = []
    before: dict[int, list[str]] = {}
    for happening in happenings:
        if happening.what not in (What.PARTIAL, What.FINAL):
            continue
        old, new = before.get(happening.utterance, []), happening.text.split()
        before[happening.utterance] = new
        same = 0
        while same < min(len(old), len(new)) and old[same] == new[same]:
            same += 1
        kind = 'user' if happening.what is What.FINAL else 'unsure'
        told.append((happening.t, ' '.join(new[same:]), kind))
        if happening.what is What.FINAL and same == len(new) and new:
            told[-1] = (happening.t, '✓', 'user')
    return told


def safe(text: str) -> str:
    """A text as HTML and SVG may show it, whatever stands in it."""
    return escape(printable(text))
