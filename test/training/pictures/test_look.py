"""The pictures of a run and of an example."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from kame_ros.training.data.layout import Example, Marks
from kame_ros.training.pictures import curve, look

PNG = b'\x89PNG'


def test_the_course_of_a_run(tmp_path: Path) -> None:
    pytest.importorskip('matplotlib')
    names = ('text', 'audio', 'words_right', 'codes_right')
    rows = [{'step': step, **dict.fromkeys(names, 0.5)} for step in (10, 20, 20)]
    rows[-1] |= {f'held_{name}': 0.4 for name in names}
    (tmp_path / 'log.jsonl').write_text('\n'.join(map(json.dumps, rows)) + '\n')
    curve.draw(tmp_path / 'log.jsonl', tmp_path / 'curve.png')
    assert (tmp_path / 'curve.png').read_bytes().startswith(PNG)


@pytest.mark.parametrize(
    'harm', ['{"step": 30, "te', '5', '{}', '{"step": 30}', '\0\0', '[' * 9999]
)
def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path, harm: str) -> None:
    row = json.dumps(dict.fromkeys((*curve.NAMES, 'step'), 0.5))
    log = tmp_path / 'log.jsonl'
    log.write_text(f'{row}\n{harm}\n{row}\n')
    assert [each['step'] for each in curve.rows(log)] == [0.5]


def test_an_example(tmp_path: Path) -> None:
    pytest.importorskip('matplotlib')
    tokens = np.array([3, 9, 5, 3, 0, 5, 3, 3])
    example = Example(tokens, np.zeros((8, 8)), np.zeros((8, 8)), tokens)
    sound = np.zeros(8 * 1920)
    look.draw(example, sound, sound, str, Marks(start=9), tmp_path / 'look.png')
    assert (tmp_path / 'look.png').read_bytes().startswith(PNG)
