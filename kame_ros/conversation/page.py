"""One HTML page of a recorded conversation: its turns, its picture, and its sound. No network."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
import soundfile

from kame_ros.conversation.picture import Picture, safe
from kame_ros.record.record import Record, RecordedTurn
from kame_ros.text.seconds import in_seconds
from kame_ros.wire.frame import SAMPLE_RATE

_MOST_S = 1_800.0  # of sound in a page: about 50 MB

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline';
 media-src data:">
<style>
body {{ font: 15px/1.4 system-ui, sans-serif; margin: 1rem; color: #222; background: #fff }}
table {{ border-collapse: collapse; margin: 1rem 0 }} th, td {{ border-bottom: 1px solid #ddd;
 padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top }}
.picture {{ overflow-x: auto; border: 1px solid #ddd; position: relative }}
#now {{ position: absolute; top: 0; bottom: 0; width: 2px; background: #d00 }}
audio {{ width: 100% }}
</style></head><body>
<h1>{title}</h1>{sound}
<div class="picture" id="picture" tabindex="0">{svg}<div id="now" hidden></div></div>
<table><thead><tr><th>turn<th>heard<th>said<th>latency</tr></thead><tbody>{rows}</tbody></table>
{notes}
<script>
const sound = document.getElementById('sound'), now = document.getElementById('now');
const picture = document.getElementById('picture'), left = {left}, scale = {scale};
if (sound) {{
  now.hidden = false;
  const move = () => {{
    const x = left + sound.currentTime * scale;
    now.style.left = x + 'px';
    if (!sound.paused && (x < picture.scrollLeft || x > picture.scrollLeft + picture.clientWidth))
      picture.scrollLeft = x - 80;
    requestAnimationFrame(move);
  }};
  move();
  picture.addEventListener('click', event => {{
    const x = event.clientX - picture.getBoundingClientRect().left + picture.scrollLeft;
    sound.currentTime = Math.max(0, (x - left) / scale);
  }});
}}
</script></body></html>
"""


def page(title: str, record: Record, picture: Picture, problems: Sequence[str]) -> str:
    """The text of the page; the user is left in its sound, the robot right."""
    rows = ''.join(_row(number, turn) for number, turn in enumerate(picture.turns, 1))
    notes = ''.join(f'<p>{safe(problem)}</p>' for problem in problems)
    return _PAGE.format(
        title=safe(title),
        sound=_sound(record),
        svg=picture.svg,
        rows=rows,
        notes=notes,
        left=picture.left,
        scale=picture.scale,
    )


def stereo(record: Record) -> np.ndarray:
    """int16[n, 2] at 24 kHz: what was heard left, what was played right."""
    heard, played = record.heard.samples(record.t0), record.played.samples(record.t0)
    sound = np.zeros((max(len(heard), len(played)), 2), np.int16)
    sound[: len(heard), 0] = heard
    sound[: len(played), 1] = played
    return sound


def _sound(record: Record) -> str:
    sound = stereo(record)
    if not len(sound):
        return '<p>There is no sound in it.</p>'
    if len(sound) > _MOST_S * SAMPLE_RATE:
        return (
            f'<p>Its sound is longer than {_MOST_S / 60:.0f} minutes, and is not in this page.</p>'
        )
    file = io.BytesIO()
    soundfile.write(file, sound, SAMPLE_RATE, format='FLAC')
    data = base64.b64encode(file.getvalue()).decode()
    return f'<audio id="sound" controls src="data:audio/flac;base64,{data}"></audio>'


def _row(number: int, turn: RecordedTurn) -> str:
    said = safe(turn.robot_text) or '<i>nothing</i>'
    return f'<tr><td>{number}<td>{safe(turn.heard)}<td>{said}<td>{in_seconds(turn.latency)}</tr>'
