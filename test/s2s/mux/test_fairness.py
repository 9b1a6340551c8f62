"""Whoever is wrong on the topic `oracle` holds up nobody; who is right is heard in full."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import pytest

from kame_ros.s2s.mux.mux import MuxConfig, OracleMux
from kame_ros.s2s.mux.room import MAX_UNENDED, MAX_WAITING
from kame_ros.wire.oracle import ChunkKind, OracleChunk

BEGIN, TEXT, END, CLEAR = ChunkKind
WORD_S = 0.4
ANNOUNCEMENT = 'The museum closes in ten minutes, and all must leave. ' * 40  # 160 s
SENTENCE = ANNOUNCEMENT[: ANNOUNCEMENT.index('.') + 2]
TEXTS = ('Stop. ' * 500, 'a' * 5_000, '9' * 400, 'x ', '☃' * 300, '', 'word ' * 700, 'Hello.')
NUMBERS = (0, 1, 2, 3, 3, 3, -1, -2, 255, 2**31 - 1, 2**53, 2**63 - 1, -(2**63))


class FakeRobot:
    """Says a word of the current oracle every 0.4 s, in virtual time; goes on where it was."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.mux = OracleMux(on_unsaid=lambda source, why: self.told.append((source, why)))
        self.now = 0.0
        self.said: list[tuple[str, str]] = []  # source and word
        self._at: dict[tuple[str, int, int], int] = {}

    def send(self, *chunks: OracleChunk, own: bool = False) -> None:
        for chunk in chunks:
            self.mux.on_chunk(chunk, self.now, own=own)

    def step(self) -> None:
        self.now += WORD_S
        self.mux.update(self.now)
        oracle = self.mux.current()
        if oracle is None:
            return
        words = oracle.text.split()
        at = self._at.get(oracle.key, 0)
        if at < len(words):
            self._at[oracle.key] = at + 1
            self.said.append((oracle.source, words[at]))
            self.mux.progress(oracle.source, f' {words[at]}')
        elif oracle.ended:
            self.mux.spoken(*oracle.key)

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.step()

    def until(self, source: str, text: str, patience: float) -> float:
        """How long it takes from now on until the source was heard with this text."""
        start, first = self.now, len(self.said)
        while self.now < start + patience:
            self.step()
            if text in ' '.join(word for name, word in self.said[first:] if name == source):
                return self.now - start
        raise AssertionError(f'{source} was not heard in {patience} s: {self.mux.counters()}')

    def words_of(self, source: str) -> list[str]:
        return [word for name, word in self.said if name == source]


def proper(source: str, text: str, priority: int = 0, number: int = 1, utterance: int = -1):
    kinds = ((BEGIN, ''), (TEXT, text), (END, ''))
    return [
        OracleChunk(source, number, kind, part, priority, utterance, utterance)
        for kind, part in kinds
    ]


def answer(number: int, text: str = 'It is Paris.') -> list[OracleChunk]:
    return proper('llm', text, number=number, utterance=number)


def hostile(seed: int, count: int = 1_000, names: int = 64) -> Iterator[OracleChunk]:
    random = Random(seed)
    sources = ['llm', 'say/1', 's2s', 'interrupt', *(f'junk{i}' for i in range(names - 4))]
    for _ in range(count):
        yield OracleChunk(
            random.choice(sources),
            random.choice(NUMBERS),
            random.choice((*ChunkKind, TEXT, TEXT, TEXT, 7, 255)),  # type: ignore[arg-type]
            random.choice(TEXTS),
            random.choice((0, 1, -1, 20, 2**31 - 1, -(2**31))),
            random.choice(NUMBERS),
            random.choice(NUMBERS),
        )


def flood_of_proper_texts(seed: int) -> Iterator[OracleChunk]:
    for i in range(100):
        yield from proper(f'junk{i + seed}', 'Buy this now. ' * 250, 1_000)


def flood_without_end(seed: int) -> Iterator[OracleChunk]:
    for i in range(1_000):
        yield OracleChunk(f'junk{i + seed}', 0, TEXT, 'word ' * 700, 2**31 - 1)


def flood_of_numbers(seed: int) -> Iterator[OracleChunk]:
    for i in range(300):
        yield from proper(f'junk{i % 3}', 'word ' * 700, 2**31 - 1, number=1)


FLOODS = [hostile, flood_of_proper_texts, flood_without_end, flood_of_numbers]
Flood = Callable[[int], Iterator[OracleChunk]]


@pytest.mark.parametrize('flood', FLOODS)
@pytest.mark.parametrize('seed', range(5))
def test_after_a_flood_the_first_question_is_answered(flood: Flood, seed: int) -> None:
    robot = FakeRobot()
    robot.send(*answer(1))
    robot.until('llm', 'Paris', 10.0)
    robot.send(*flood(seed))
    robot.run(10.0)
    robot.send(*answer(2))
    robot.until('llm', 'It is Paris.', 30.0)


@pytest.mark.parametrize('flood', FLOODS)
@pytest.mark.parametrize('gap', [0.0, 10.0])
def test_after_a_flood_the_first_answer_of_all_is_heard(flood: Flood, gap: float) -> None:
    robot = FakeRobot()
    robot.send(*flood(1))
    robot.run(gap)
    robot.send(*answer(2**40))
    robot.until('llm', 'It is Paris.', 30.0)


@pytest.mark.parametrize('flood', FLOODS)
def test_during_a_flood_goals_and_nodes_are_heard(flood: Flood) -> None:
    """The flood goes on; of the topic nobody can be told apart who uses the names of others."""
    robot = FakeRobot()
    junk = iter(())
    left = {'goal': 0, 'battery': 0}

    def go_on(seconds: float) -> None:
        nonlocal junk
        for n in range(int(seconds / WORD_S)):
            robot.send(*(c for _, c in zip(range(40), junk, strict=False) if c.source != 'llm'))
            junk = flood(n) if n % 20 == 0 else junk
            robot.step()

    go_on(8.0)
    robot.send(*proper('say/7', 'I am a goal.', 0), own=True)
    go_on(40.0)
    left['goal'] = len(robot.words_of('say/7'))
    robot.send(*proper('battery', 'My battery is low.', 2**31 - 1))
    go_on(60.0)
    left['battery'] = len(robot.words_of('battery'))
    assert left['goal'] == 4, robot.mux.counters()
    assert flood is flood_of_proper_texts or left['battery'] == 4, robot.mux.counters()
    assert robot.mux.counters()['sources'] <= 70


@pytest.mark.parametrize('ends', [False, True])
@pytest.mark.parametrize('names', [1, 8, 64])
def test_while_a_flood_goes_on_a_question_is_answered(ends: bool, names: int) -> None:
    """Each name writes on and on, with the highest priority, and ends nothing or all of it."""
    robot = FakeRobot()
    robot.send(*answer(1))
    robot.until('llm', 'Paris', 10.0)
    asked, heard = 0.0, -1.0
    for n in range(int(70.0 / WORD_S)):
        for name in (f'junk{k}' for k in range(n % 5, names, 5)):
            text = 'word ' * 20
            if ends:
                robot.send(*proper(name, text, 2**31 - 1, number=n))
            else:
                robot.send(OracleChunk(name, 1, TEXT, text, 2**31 - 1))
        if n == 50:
            asked = robot.now
            robot.send(*answer(2))
        robot.step()
        if heard < 0.0 and robot.words_of('llm')[3:] == ['It', 'is', 'Paris.']:
            heard = robot.now - asked
    assert 0.0 <= heard <= 30.0, robot.mux.counters()


def test_what_a_flood_leaves_is_bounded_counted_and_told() -> None:
    robot = FakeRobot()
    robot.send(*flood_without_end(0))
    waiting = [s.said.waiting for s in robot.mux._sources.values() if s.said]
    assert sum(waiting) <= MAX_UNENDED
    counts = robot.mux.counters()
    assert counts['generations'] == counts['crowded_dropped'] + len(waiting)
    assert robot.told
    robot = FakeRobot()
    robot.send(*flood_of_proper_texts(0))
    assert sum(s.said.waiting for s in robot.mux._sources.values() if s.said) <= MAX_WAITING
    robot = FakeRobot()
    robot.send(*(OracleChunk(f'junk{i}', 0, TEXT, 'x') for i in range(100)))
    assert robot.mux.counters()['displaced'] == 36
    robot.run(6.0)
    robot.send(*answer(1))
    robot.run(1.0)
    assert robot.mux.counters()['unended_dropped'] > 40


def stream(robot: FakeRobot, source: str, text: str, every_s: float, priority: int) -> None:
    """Word by word, as a node that writes while it speaks."""
    robot.send(OracleChunk(source, 1, BEGIN, '', priority))
    for word in text.split():
        robot.send(OracleChunk(source, 1, TEXT, f'{word} ', priority))
        end = robot.now + every_s
        while robot.now < end:
            yield_to_questions(robot)
    robot.send(OracleChunk(source, 1, END, '', priority))


def yield_to_questions(robot: FakeRobot) -> None:
    robot.step()
    number = int(robot.now // 30)
    if number != getattr(robot, 'asked', 0):
        robot.asked = number  # type: ignore[attr-defined]
        robot.send(*answer(number, f'Answer {number} is this.'))


@pytest.mark.parametrize('priority', [0, 1, 20])
@pytest.mark.parametrize('every_s', [0.0, 0.3, 0.8, 4.0])
@pytest.mark.parametrize('flood', [None, *FLOODS])
def test_a_long_text_is_heard_in_full_however_it_comes(
    priority: int, every_s: float, flood: Flood | None
) -> None:
    robot = FakeRobot()
    robot.send(*(flood(3) if flood else ()))
    robot.run(7.0)  # nobody has ended what came before
    text = ANNOUNCEMENT[: 300 if every_s > 1 else 2_000]
    stream(robot, 'guide', text, every_s, priority)
    for _ in range(5_000):
        yield_to_questions(robot)
    assert robot.words_of('guide') == text.split()
    for number in range(2, int(robot.now // 30) - 2):
        assert f'Answer {number} is this.' in ' '.join(robot.words_of('llm'))


def test_an_announcement_pauses_for_an_answer_only_at_the_end_of_a_sentence() -> None:
    robot = FakeRobot()
    robot.send(*proper('guide', ANNOUNCEMENT, 20))
    robot.run(4.0)
    robot.send(*answer(1))
    waited = robot.until('llm', 'It is Paris.', 30.0)
    assert waited >= 15.0
    robot.run(200.0)
    said = ' '.join(word for _, word in robot.said)
    before, _, after = said.partition('It is Paris. ')
    assert before.count(SENTENCE) * len(SENTENCE) == len(before)
    assert f'{before}{after} ' == ANNOUNCEMENT
    assert robot.mux.counters()['paused'] == 1
    assert robot.told == []


def test_a_short_announcement_is_not_interrupted() -> None:
    robot = FakeRobot()
    robot.send(*proper('guide', SENTENCE * 3, 20))
    robot.send(*answer(1))
    robot.run(60.0)
    assert ' '.join(word for _, word in robot.said) == f'{SENTENCE * 3}It is Paris.'


def test_what_one_writes_without_an_end_is_heard_if_nobody_waits() -> None:
    robot = FakeRobot()
    robot.send(OracleChunk('shell', 0, TEXT, ANNOUNCEMENT, 20))
    robot.run(400.0)
    assert robot.words_of('shell') == ANNOUNCEMENT.split()
    assert robot.mux.counters()['unended_dropped'] == 0
    robot.send(OracleChunk('shell', 1, TEXT, SENTENCE * 3, 20))
    robot.run(2.0)
    robot.send(*answer(1))
    robot.run(60.0)
    assert robot.words_of('shell')[-30:] == (SENTENCE * 3).split()
    assert robot.words_of('llm') == ['It', 'is', 'Paris.']


def test_the_llm_that_corrects_itself_is_not_unruly() -> None:
    robot = FakeRobot()
    for number in range(1, 30):  # as fast as it hears the user
        robot.send(*answer(number)[:2])
        robot.step()
    robot.send(*answer(30, 'It is Rome.'))
    robot.send(*proper('node', 'Hello.', 0))
    robot.run(20.0)
    assert robot.said[-1] == ('node', 'Hello.')
    assert ' '.join(robot.words_of('llm')).endswith('Rome.')


def test_goals_leave_nothing_behind() -> None:
    robot = FakeRobot()
    for number in range(500):
        robot.send(*proper(f'say/{number}', 'Hello.'), own=True)
        robot.until(f'say/{number}', 'Hello.', 10.0)
        robot.step()
    assert robot.mux.counters()['sources'] <= 2
    assert robot.mux.counters()['displaced'] == 0
    assert len(ANNOUNCEMENT) < MuxConfig.max_chars
