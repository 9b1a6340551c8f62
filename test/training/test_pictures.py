"""The pictures of a run and of an example, and a trial on a front-end that only repeats."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from kame_ros.oracle.chunk import Oracle
from kame_ros.s2s.front_end import Piece, Step
from kame_ros.training import curve, look
from kame_ros.training.layout import Example, Marks
from kame_ros.training.tiny.trial import Arrival, run

PNG = b'\x89PNG'


def test_the_course_of_a_run(tmp_path: Path) -> None:
    pytest.importorskip('matplotlib')
    names = ('text', 'audio', 'words_right', 'codes_right')
    rows = [{'step': step, **dict.fromkeys(names, 0.5)} for step in (10, 20, 20)]
    rows[-1] |= {f'held_{name}': 0.4 for name in names}
    (tmp_path / 'log.jsonl').write_text('\n'.join(map(json.dumps, rows)) + '\n')
    curve.draw(tmp_path / 'log.jsonl', tmp_path / 'curve.png')
    assert (tmp_path / 'curve.png').read_bytes().startswith(PNG)


def test_an_example(tmp_path: Path) -> None:
    pytest.importorskip('matplotlib')
    tokens = np.array([3, 9, 5, 3, 0, 5, 3, 3])
    example = Example(tokens, np.zeros((8, 8)), np.zeros((8, 8)), tokens)
    sound = np.zeros(8 * 1920)
    look.draw(example, sound, sound, str, Marks(start=9), tmp_path / 'look.png')
    assert (tmp_path / 'look.png').read_bytes().startswith(PNG)


class FakeFrontEnd:
    """Says each word of the oracle in the frame in which it comes."""

    def __init__(self) -> None:
        self.said = ''

    def warm_up(self) -> None:
        pass

    def reset(self) -> None:
        self.key, self.said = ('', 0), ''

    def interrupt(self) -> None:
        pass

    def counters(self) -> dict[str, float]:
        return {}

    def step(self, user: np.ndarray, oracle: Oracle | None) -> Step:
        if oracle is None:
            return Step(user)
        if oracle.key != self.key:
            self.key, self.said = oracle.key, ''
        new, self.said = oracle.text[len(self.said) :], oracle.text
        pieces = tuple(Piece(' ' + word, *self.key) for word in new.split())
        return Step(user, pieces)


def test_a_trial_plays_the_user_and_lets_the_words_arrive() -> None:
    outcome = run(FakeFrontEnd(), np.full(24000, 0.5), [Arrival('one two three', 0.4, pace=5.1)])
    assert outcome.words() == ['one', 'two', 'three']
    times = [time for time, _ in outcome.pieces]
    assert times == pytest.approx([0.4, 0.64, 0.8])
    assert outcome.fed == pytest.approx([0.4])
    assert np.allclose(outcome.sound[:24000], 0.5, atol=1e-4)
    assert not outcome.sound[26000:].any()


def test_an_oracle_is_replaced_after_so_many_words() -> None:
    arrivals = [Arrival('one two three four', 0.0, pace=5.0), Arrival('five six', after=2)]
    outcome = run(FakeFrontEnd(), np.zeros(1920), arrivals)
    assert outcome.words() == ['one', 'two', 'five', 'six']
    assert outcome.words(generation=2) == ['five', 'six']
    assert len(outcome.fed) == 2
