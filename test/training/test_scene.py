"""What the robot of a scene does, and that it knows no more than it can have heard."""

from __future__ import annotations

import random
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_ros.training.layout import Example, Marks
from kame_ros.training.tiny import lexicon, tokens
from kame_ros.training.tiny.measure import distance, without_lead_in
from kame_ros.training.tiny.robot_voice import RobotVoice
from kame_ros.training.tiny.scene import AHEAD, LAG, Mix, SceneMaker, Teacher

IDS = {unit: number for number, unit in enumerate(lexicon.UNITS, 4)}
NAMES = {number: word for word, number in IDS.items()}
MARKS = Marks(start=len(IDS) + 4)
VOICE = RobotVoice(
    {word: np.full((8, 2 + number % 4), number) for word, number in IDS.items()}, np.full(8, -1)
)


class FakeUsers:
    """Users whose speech is the code 1, in rooms whose noise is 0."""

    rooms = 1

    def background(self, rng: random.Random, room: int, frames: int) -> np.ndarray:
        return np.zeros((8, frames), np.int64)

    def utterance(self, rng: random.Random, room: int) -> np.ndarray:
        return np.ones((8, rng.randint(5, 30)), np.int64)


def scene(seed: int, frames: int = 300, **mix: float) -> Example:
    maker = SceneMaker(random.Random(seed), VOICE, FakeUsers(), IDS, MARKS, Mix(**mix))  # type: ignore[arg-type]
    return maker.scene(frames)


@cache
def splitter():
    """Any text to units."""
    pytest.importorskip('sentencepiece')
    return tokens.splitter(tokens.make(lexicon.WORDS, lexicon.SIGNS))


def play(talking: str, fed: dict[int, str], seed: int = 0) -> list[tuple[int, str]]:
    """What the teacher says: `talking` has a '#' for each frame in which the user speaks."""
    teacher = Teacher(random.Random(seed), VOICE, IDS, MARKS)
    said = []
    for frame, sign in enumerate(talking):
        token = fed.get(frame, '.')
        number = {'.': MARKS.padding, '!': MARKS.start}.get(token) or IDS[token]
        word, codes = teacher.step(frame, sign == '#', number)
        assert codes.shape == (8,)
        if word:
            said.append((frame, word))
    return said


def test_an_oracle_in_silence_is_said_at_once() -> None:
    said = play('.' * 30, {3: '!', 4: 'water', 8: 'boils'})
    assert [word for _, word in said] == ['water', 'boils']
    assert said[0][0] == 4 + LAG


def test_the_robot_waits_for_the_user_and_opens_with_a_lead_in() -> None:
    said = play('#' * 20 + '.' * 60, {5: '!', 6: 'water', 10: 'boils'})
    words = [word for _, word in said]
    assert said[0][0] > 20
    assert without_lead_in(words) == ['water', 'boils']
    assert len(words) > 2


def test_without_an_oracle_only_the_lead_in_is_said() -> None:
    for seed in range(20):
        words = [word for _, word in play('#' * 20 + '.' * 60, {}, seed)]
        assert ' '.join(words) in lexicon.LEAD_INS


def test_another_oracle_in_mid_sentence_is_taken_back_aloud() -> None:
    fed = {0: '!', 1: 'water', 5: 'boils', 9: 'at', 12: '!', 13: 'paris', 17: 'is', 21: 'old'}
    words = [word for _, word in play('.' * 60, fed)]
    assert words[:2] == ['water', 'boils']
    assert words[words.index('sorry') + 1 :] == ['paris', 'is', 'old']


def test_another_oracle_after_a_while_needs_no_excuse() -> None:
    words = [word for _, word in play('.' * 80, {0: '!', 1: 'water', 40: '!', 41: 'paris'})]
    assert words == ['water', 'paris']


@pytest.mark.parametrize('seed', range(20))
def test_nothing_is_said_before_it_was_fed(seed: int) -> None:
    example = scene(seed)
    allowed = {word for opening in lexicon.LEAD_INS for word in opening.split()}
    known: set[int] = {IDS[word] for word in allowed | {lexicon.CORRECTION}}
    for frame, token in enumerate(example.text.tolist()):
        if token in NAMES:
            assert token in known, f'{NAMES[token]} in frame {frame}'
            first = VOICE.words[NAMES[token]][:, 0]
            assert (example.robot[:, frame] == first).all()
        if frame >= LAG - 1:
            known.add(int(example.oracle[frame - LAG + 1]))


@pytest.mark.parametrize('seed', range(10))
def test_the_oracle_waits_for_the_speech(seed: int) -> None:
    example = scene(seed, barged=0.0)
    waiting: list[int] = []
    checked = 0
    for fed, said in zip(example.oracle.tolist(), example.text.tolist(), strict=True):
        if fed == MARKS.start:
            waiting = []
        elif fed in NAMES:
            waiting.append(fed)
            checked += 1
        assert len(waiting) <= AHEAD
        if said in waiting:
            waiting.remove(said)
    assert checked > 5


def test_before_each_word_stands_the_end_of_padding() -> None:
    text = scene(3).text
    for frame in np.flatnonzero(np.isin(text, list(NAMES))):
        assert frame == 0 or text[frame - 1] != MARKS.padding


def test_scenes_hold_what_they_are_made_of() -> None:
    blank = scene(1, told=0.0, blank=1.0)
    assert (blank.oracle == MARKS.padding).all()
    told = scene(1, told=1.0, barged=0.0)
    assert not told.user.any()
    for share in (0.0, 1.0):
        spelled = scene(1, told=1.0, unknown=share, frames=600).text.tolist()
        assert any(NAMES.get(t, '').startswith(lexicon.INSIDE) for t in spelled) == (share > 0)
    assert [scene(7).text.tolist() == scene(n).text.tolist() for n in (7, 8)] == [True, False]


@pytest.mark.parametrize(
    ('text', 'units'),
    [
        ('The capital of France is: Paris!', 'the capital of france is paris'),
        ('a zorro', 'a z +o +r +r +o'),
        ('25% of H2O', '2 +5 percent of h +2 +o'),
        ('twenty-five, don\u2019t', "twenty five don't"),
        ('caf\u00e9 \u2603 now', 'c +a +f now'),  # what has no piece is left out
        ('', ''),
    ],
)
def test_the_tokeniser_spells_what_it_does_not_know(text: str, units: str) -> None:
    pytest.importorskip('sentencepiece')
    model = tokens.make(lexicon.WORDS, lexicon.SIGNS)
    ids, marks = tokens.read(model)
    assert set(ids) == set(lexicon.UNITS)
    assert marks.start == max(ids.values()) + 1
    assert tokens.splitter(model)(text) == units.split()


@given(st.text(alphabet='abcz019 ', max_size=40))
def test_units_are_written_as_the_words_they_come_from(text: str) -> None:
    split = splitter()
    assert lexicon.joined(split(text)) == text.split()


def test_open_sentences_are_not_all_known() -> None:
    split = splitter()
    units = [unit for text in lexicon.open_sentences() for unit in split(text)]
    assert len(lexicon.open_sentences()) >= 40
    assert any(unit.startswith(lexicon.INSIDE) for unit in units)


def test_there_are_at_least_2000_words_and_no_template_has_others() -> None:
    assert len(lexicon.WORDS) >= 2000
    rng = random.Random(0)
    for _ in range(2000):
        lexicon.answer(rng)
        lexicon.question(rng)


@pytest.mark.parametrize(
    ('a', 'b', 'wanted'),
    [('', '', 0), ('x y', 'x y', 0), ('x y z', 'x z', 1), ('x', 'y', 1), ('', 'x y', 2)],
)
def test_word_errors(a: str, b: str, wanted: int) -> None:
    assert distance(a.split(), b.split()) == wanted
