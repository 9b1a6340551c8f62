"""The oracle stream: which token a frame gets. Letters stand for tokens, one a word."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_ros.s2s.moshi.oracle import oracle_stream
from kame_ros.s2s.moshi.oracle.oracle_stream import OracleStream
from kame_ros.wire.oracle import Oracle

START, PADDING = -1, -2


def letters(text: str) -> list[int]:
    return [ord(word[0]) for word in text.split()]


def oracle(
    generation: int, text: str, ended: bool = False, source: str = 'llm', utterance: int = 0
) -> Oracle:
    return Oracle(source, generation, text, ended, utterance=utterance)


def play(mode: str, script: list) -> str:
    """Runs updates (an Oracle or None), 'clear', 'reset' and counts of frames; gives the frames."""
    stream = OracleStream(letters, START, PADDING, mode)
    out = ''
    for item in script:
        if isinstance(item, int):
            for _ in range(item):
                token = stream.next()
                out += {START: '<', PADDING: '.'}.get(token) or chr(token)
        elif item == 'clear':
            stream.clear()
        elif item == 'reset':
            stream.reset()
        else:
            stream.update(item)
    return out


@pytest.mark.parametrize(
    ('mode', 'script', 'frames'),
    [
        pytest.param('fifo', [3], '...', id='nothing to say'),
        pytest.param('fifo', [oracle(1, 'a b c '), 6], '<abc..', id='one token a frame'),
        pytest.param('fifo', [oracle(1, 'a b'), 4], '<a..', id='the last word waits for a space'),
        pytest.param('fifo', [oracle(1, 'a b', True), 4], '<ab.', id='or for the end'),
        pytest.param(
            'fifo', [oracle(1, 'a b '), 6, oracle(1, 'a b c d '), 3], '<ab...cd.', id='fifo: late'
        ),
        pytest.param(
            'positional',
            [oracle(1, 'a b '), 4, oracle(1, 'a b c d e '), 3],
            '<ab.de.',
            id='positional: c is lost',
        ),
        pytest.param(
            'fifo',
            [oracle(1, 'a b c d '), 3, oracle(2, ''), 1, oracle(2, 'x y '), 4],
            '<abc<xy.',
            id='a new generation replaces the old one at its first token',
        ),
        pytest.param(
            'fifo',
            [oracle(1, 'a b c d '), 3, oracle(2, 'a b x y '), 4],
            '<abxy..',
            id='what begins with what was fed goes on without a new start',
        ),
        pytest.param(
            'positional',
            [oracle(1, 'a b c d '), 3, oracle(2, 'a b x y '), 6],
            '<ab<abxy.',
            id='positional starts again, as the reference',
        ),
        pytest.param(
            'fifo',
            [oracle(1, 'a b c d '), 3, oracle(2, 'a '), 2, oracle(2, 'a b e '), 3],
            '<ab..e..',
            id='too short to tell: wait',
        ),
        pytest.param(
            'fifo',
            [oracle(1, 'a b c d '), 3, oracle(2, 'a '), 2, oracle(2, 'a x '), 4],
            '<ab..<ax.',
            id='too short to tell, then another',
        ),
        pytest.param(
            'fifo',
            [oracle(1, 'a b c d '), 3, oracle(2, 'a '), 2, oracle(2, 'a ', True), 3],
            '<ab..<a.',
            id='a shorter answer is another answer',
        ),
        pytest.param(
            'fifo',
            [oracle(1, 'a b ', True), 4, oracle(2, 'a b c ', True), 3],
            '<ab.c..',
            id='a longer answer adds what is new',
        ),
        pytest.param(
            'fifo',
            [oracle(1, 'a b ', True), 4, oracle(2, 'a b ', True, utterance=1), 4],
            '<ab.<ab.',
            id='the same answer to another utterance is given again',
        ),
        pytest.param(
            'fifo',
            [
                oracle(1, 'a b ', True, source='battery', utterance=-1),
                *[4, oracle(2, 'a b c ', True, source='battery', utterance=-1), 5],
            ],
            '<ab.<abc.',
            id='and so is what answers nothing',
        ),
        pytest.param(
            'fifo', [oracle(1, 'a b c '), 2, None, 2, oracle(2, 'a b '), 3], '<a..<ab', id='cleared'
        ),
        pytest.param(
            'fifo',
            [oracle(1, 'a b c '), 2, 'clear', oracle(1, 'a b c d ', True), 2, oracle(2, 'x '), 3],
            '<a..<x.',
            id='barge-in forgets the generation',
        ),
        pytest.param(
            'fifo',
            [oracle(1, 'a b c '), 2, 'reset', 2, oracle(1, 'a b '), 3],
            '<a..<ab',
            id='reset forgets everything, even what was forgotten',
        ),
        pytest.param(
            'positional',
            [oracle(1, 'a b c d '), 2, 'reset', 6],
            '<a......',
            id='nothing leaks to the next session',
        ),
        pytest.param(
            'fifo',
            [oracle(1, 'a b c d '), 2, oracle(1, 'x y ', source='battery'), 4],
            '<a<xy.',
            id='another source',
        ),
        pytest.param(
            'fifo',
            [oracle(1, 'a b c '), 2, oracle(1, 'a q c '), 3, oracle(1, 'a q c d '), 3],
            '<a<aqcd.',
            id='a rewritten text is another text',
        ),
    ],
)
def test_cases(mode, script, frames):
    assert play(mode, script) == frames


def test_the_example_in_the_documentation():
    assert doctest.testmod(oracle_stream) == (0, 3)


def test_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="'fifo' or 'positional'"):
        OracleStream(letters, START, PADDING, 'lifo')


def test_counters():
    stream = OracleStream(letters, START, PADDING)
    stream.update(oracle(1, 'a b c '))
    assert stream.counters()['oracle_pending'] == 3
    [stream.next() for _ in range(3)]  # the start, a, b
    stream.update(oracle(2, 'x y '))
    [stream.next() for _ in range(4)]  # the start, x, y, padding
    stream.update(oracle(2, 'x y z ', ended=True))
    assert not stream.exhausted
    stream.next()
    assert stream.exhausted
    stream.update(oracle(3, 'k l '))
    stream.clear()
    assert stream.counters() == {
        'oracle_fed': 5,
        'oracle_pending': 0,
        'oracle_superseded': 1,  # c
        'oracle_late': 1,  # z
        'oracle_cleared': 2,  # k, l
        'oracle_generations': 3,
        'oracle_rewritten': 0,
    }


def test_positional_counts_what_came_too_late():
    stream = OracleStream(letters, START, PADDING, 'positional')
    stream.update(oracle(1, 'a '))
    [stream.next() for _ in range(5)]
    stream.update(oracle(1, 'a b c d e '))
    assert stream.counters()['oracle_late'] == 3
    assert chr(stream.next()) == 'e'


steps = st.lists(
    st.one_of(
        st.tuples(st.just('more'), st.integers(1, 5)),
        st.tuples(st.just('new'), st.integers(0, 5)),
        st.tuples(st.just('play'), st.integers(1, 8)),
        st.tuples(st.just('clear'), st.just(0)),
        st.tuples(st.just('none'), st.just(0)),
    ),
    max_size=25,
)


@given(steps)
def test_fifo_never_skips_a_token_of_the_newest_generation(script):
    """Distinct words: what follows the last start is the newest text, whole, from its beginning."""
    stream, out = OracleStream(letters, START, PADDING), []
    generation, text, count, said = 0, '', 0, False
    for what, n in script:
        if what == 'play':
            out += [stream.next() for _ in range(n)]
            continue
        if what == 'clear':
            stream.clear()
            said = True
        elif what == 'none':
            stream.update(None)
        if what == 'new':
            generation, text, said = generation + 1, '', False
        if what in ('new', 'more') and generation:
            for _ in range(n):
                count += 1
                text += f'{chr(0x4E00 + count)} '
            stream.update(oracle(generation, text))
    tokens = letters(text)
    out += [stream.next() for _ in range(count + 1)]
    assert stream.counters()['oracle_pending'] == 0
    if tokens and stream.current == ('llm', generation, 0) and not said:
        last = len(out) - 1 - out[::-1].index(START)
        assert [token for token in out[last + 1 :] if token != PADDING] == tokens


@given(steps)
def test_every_token_is_counted_once(script):
    stream = OracleStream(letters, START, PADDING)
    generation, text, count, given_away = 0, '', 0, 0
    for what, n in script:
        if what == 'play':
            [stream.next() for _ in range(n)]
        elif what == 'clear':
            stream.clear()
        elif what == 'none':
            stream.update(None)
            generation, text = generation + 1, ''
        else:
            if what == 'new':
                generation, text = generation + 1, ''
            for _ in range(n):
                count += 1
                text += f'{chr(0x4E00 + count)} '
            before = stream.current == ('llm', generation, 0), len(letters(text))
            stream.update(oracle(generation, text))
            if stream.current == ('llm', generation, 0):
                given_away += n if before[0] else before[1]
    totals = stream.counters()
    kinds = ('oracle_fed', 'oracle_pending', 'oracle_superseded', 'oracle_cleared')
    assert sum(totals[kind] for kind in kinds) == given_away


def test_the_model_is_given_the_text_as_it_is_said() -> None:
    given: list[str] = []

    def encode(text: str) -> list[int]:
        given.append(text)
        return letters(text)

    stream = OracleStream(encode, START, PADDING)
    stream.update(oracle(1, 'It is −5 °C, '))
    stream.update(oracle(1, 'It is −5 °C, or 3~5 km', ended=True))
    assert given[0] == 'It is minus 5 degrees Celsius,'
    assert given[-1] == 'It is minus 5 degrees Celsius, or 3 to 5 kilometers'
