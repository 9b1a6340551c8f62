"""A report as one HTML page, with pictures and sound in it: nothing is loaded from elsewhere."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from kame_ros.evaluation.recorded import Recorded
from kame_ros.evaluation.run_folder import stereo
from kame_ros.evaluation.tables import Table
from kame_ros.wire.frame import SAMPLE_RATE

MOST_SOUND_S = 600.0  # in one page: 10 minutes are about 5 MB
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
       color: #222; background: #fff; }
table { border-collapse: collapse; margin: 1rem 0; font-size: 13px; display: block;
        overflow-x: auto; }
td, th { border-bottom: 1px solid #ddd; padding: .3rem .6rem; text-align: left;
         vertical-align: top; }
.note { color: #666; font-size: 12px; max-width: 60rem; margin: .2rem 0; }
.no { color: #a33; } .yes { color: #283; } svg { max-width: 100%; height: auto; }
audio { height: 28px; width: 220px; }
@media (prefers-color-scheme: dark) { body { background: #fff; } }
"""


@dataclass(frozen=True)
class Row:
    """A conversation in the list: what was asked, heard and said; `right` is None if unknown."""

    run: str
    item: str
    asked: str
    heard: str
    said: str
    right: bool | None
    latency_s: float | None
    sound: str = ''  # a data URI


def page(
    title: str,
    intro: Sequence[str],
    tables: Sequence[Table],
    pictures: Sequence[tuple[str, str]],
    rows: Sequence[Row],
    facts: Sequence[str] = (),
) -> str:
    """The whole page. `pictures` are captions with SVG; all texts are escaped here."""
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<title>{escape(title)}</title><style>{_STYLE}</style>',
        f'<h1>{escape(title)}</h1>',
        *(f'<p>{escape(line)}</p>' for line in intro),
    ]
    for table in tables:
        parts.append(f'<h2>{escape(table.title)}</h2>{_table(table.columns, table.rows)}')
        parts += [f'<p class="note">{escape(note)}</p>' for note in table.notes]
    for caption, svg in pictures:
        parts.append(
            f'<figure>{svg}<figcaption class="note">{escape(caption)}</figcaption></figure>'
        )
    if rows:
        parts.append('<h2>conversations</h2>')
        parts.append(
            '<p class="note">Left the user, right the robot. All misses are here: rules are strict '
            'on words.</p>'
        )
        parts.append(_rows(rows))
    parts.append('<h2>how it was measured</h2>')
    parts += [f'<p class="note">{escape(fact)}</p>' for fact in facts]
    return '\n'.join(parts) + '\n</html>\n'


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = ''.join(f'<th>{escape(c)}</th>' for c in columns)
    body = ''.join(f'<tr>{"".join(f"<td>{escape(c)}</td>" for c in row)}</tr>' for row in rows)
    return f'<table><tr>{head}</tr>{body}</table>'


def _rows(rows: Sequence[Row]) -> str:
    columns = ('run', 'conversation', 'asked', 'heard', 'said', 'right', 'latency', 'sound')
    out = [f'<table><tr>{"".join(f"<th>{c}</th>" for c in columns)}</tr>']
    for row in rows:
        right = '<td>-</td>'
        if row.right is not None:
            right = '<td class="yes">yes</td>' if row.right else '<td class="no">no</td>'
        latency = '-' if row.latency_s is None else f'{row.latency_s:+.2f} s'
        texts = (row.run, row.item, row.asked, row.heard, row.said)
        sound = f'<audio controls preload="none" src="{row.sound}"></audio>' if row.sound else ''
        out.append(
            f'<tr>{"".join(f"<td>{escape(text)}</td>" for text in texts)}'
            f'{right}<td>{latency}</td><td>{sound}</td></tr>'
        )
    return ''.join(out) + '</table>'


def sound_of(recorded: Recorded) -> str:
    """Both channels as a data URI: mp3 where libsndfile writes it, else wav."""
    import soundfile

    both = stereo(recorded.user, recorded.robot)
    kind = 'MP3' if 'MP3' in soundfile.available_formats() else 'WAV'
    out = io.BytesIO()
    soundfile.write(out, both.astype(np.float32) / 32_768, SAMPLE_RATE, format=kind)
    name = {'MP3': 'mpeg', 'WAV': 'wav'}[kind]
    return f'data:audio/{name};base64,{base64.b64encode(out.getvalue()).decode()}'
