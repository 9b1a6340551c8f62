from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_ros.oracle.chunk import ChunkKind, Oracle, OracleChunk
from kame_ros.s2s.mux import OracleMux

BEGIN, TEXT, END, CLEAR = ChunkKind


def chunk(source: str, generation: int, kind, text: str = '', priority: int = 0) -> OracleChunk:
    return OracleChunk(source, generation, kind, text, priority)


def feed(*chunks: OracleChunk) -> OracleMux:
    mux = OracleMux()
    for c in chunks:
        mux.on_chunk(c)
    return mux


LLM_1 = [chunk('llm', 1, BEGIN), chunk('llm', 1, TEXT, 'It is '), chunk('llm', 1, TEXT, 'Paris')]


@pytest.mark.parametrize(
    ('chunks', 'want'),
    [
        pytest.param([], None, id='nothing'),
        pytest.param([chunk('llm', 1, BEGIN)], None, id='begun, no text'),
        pytest.param(LLM_1, ('llm', 1, 'It is Paris', False), id='text grows'),
        pytest.param([*LLM_1, chunk('llm', 1, END)], ('llm', 1, 'It is Paris', True), id='the end'),
        pytest.param(
            [*LLM_1, chunk('llm', 2, BEGIN)], ('llm', 1, 'It is Paris', False), id='begin keeps'
        ),
        pytest.param(
            [*LLM_1, chunk('llm', 2, BEGIN), chunk('llm', 1, TEXT, ', I think.')],
            ('llm', 1, 'It is Paris, I think.', False),
            id='the old one grows until the first text of the new',
        ),
        pytest.param(
            [*LLM_1, chunk('llm', 2, BEGIN), chunk('llm', 2, TEXT, ' \n')],
            ('llm', 1, 'It is Paris', False),
            id='blank text does not replace',
        ),
        pytest.param(
            [*LLM_1, chunk('llm', 2, BEGIN), chunk('llm', 2, TEXT, ' Lyon')],
            ('llm', 2, 'Lyon', False),
            id='text replaces',
        ),
        pytest.param(
            [*LLM_1, chunk('llm', 2, TEXT, 'Lyon'), chunk('llm', 1, TEXT, '!')],
            ('llm', 2, 'Lyon', False),
            id='an older generation is ignored',
        ),
        pytest.param(
            [chunk('llm', 7, TEXT, 'Hi')], ('llm', 7, 'Hi', False), id='text without begin'
        ),
        pytest.param(
            [*LLM_1, chunk('llm', 1, END), chunk('llm', 1, TEXT, ' more')],
            ('llm', 1, 'It is Paris', True),
            id='nothing after the end',
        ),
        pytest.param(
            [*LLM_1, chunk('llm', 2, BEGIN), chunk('llm', 2, END), chunk('llm', 2, TEXT, 'no')],
            ('llm', 1, 'It is Paris', False),
            id='an empty generation replaces nothing',
        ),
        pytest.param([*LLM_1, chunk('llm', 1, CLEAR)], None, id='clear'),
        pytest.param(
            [*LLM_1, chunk('llm', 1, CLEAR), chunk('llm', 1, TEXT, '!')], None, id='late text'
        ),
        pytest.param(
            [*LLM_1, chunk('llm', -1, CLEAR), chunk('llm', 0, TEXT, 'Hi')],
            ('llm', 0, 'Hi', False),
            id='a node that starts anew',
        ),
        pytest.param(
            [*LLM_1, chunk('safety', 0, TEXT, 'Battery low.', 5)],
            ('safety', 0, 'Battery low.', False),
            id='priority wins',
        ),
        pytest.param(
            [*LLM_1, chunk('safety', 0, BEGIN, '', 5)],
            ('llm', 1, 'It is Paris', False),
            id='priority without text does not',
        ),
        pytest.param(
            [*LLM_1, chunk('safety', 0, TEXT, 'Stop.', 5), chunk('safety', 0, CLEAR)],
            ('llm', 1, 'It is Paris', False),
            id='clear concerns one source',
        ),
        pytest.param(
            [*LLM_1, chunk('a', 0, TEXT, 'Me too')], ('llm', 1, 'It is Paris', False), id='a tie'
        ),
        pytest.param(
            [*LLM_1, chunk('a', 0, TEXT, 'Me too'), chunk('llm', 2, TEXT, 'Lyon')],
            ('llm', 2, 'Lyon', False),
            id='who corrects himself keeps his place',
        ),
        pytest.param(
            [*LLM_1, chunk('llm', 1, 9, 'x'), chunk('', 1, TEXT, 'x')],
            ('llm', 1, 'It is Paris', False),
            id='unknown',
        ),
    ],
)
def test_the_current_oracle(chunks: list[OracleChunk], want: tuple | None) -> None:
    now = feed(*chunks).current()
    assert (now and (now.source, now.generation, now.text, now.ended)) == want


def test_the_lower_priority_takes_over_when_the_higher_was_spoken() -> None:
    mux = feed(*LLM_1, chunk('node', 3, TEXT, 'Hey.', 5))
    mux.spoken('node', 3)  # not ended yet: more may come
    assert mux.current() == Oracle('node', 3, 'Hey.', priority=5)
    mux.on_chunk(chunk('node', 3, END, '', 5))
    mux.spoken('node', 3)
    assert mux.current() == Oracle('llm', 1, 'It is Paris')
    mux.on_chunk(chunk('llm', 1, END))
    mux.spoken('llm', 1)
    assert mux.current() is None
    mux.on_chunk(chunk('node', 4, TEXT, 'Again.', 5))
    assert mux.current() == Oracle('node', 4, 'Again.', priority=5)


def test_what_was_spoken_stays_spoken() -> None:
    mux = feed(*LLM_1, chunk('llm', 1, END))
    mux.spoken('llm', 1)
    for c in [*LLM_1, chunk('llm', 1, END)]:
        mux.on_chunk(c)
    assert mux.current() is None
    mux.spoken('llm', 8)
    mux.spoken('nobody', 0)
    assert mux.counters()['spoken_unknown'] == 2


def test_counters() -> None:
    mux = feed(
        *LLM_1,
        chunk('llm', 0, TEXT, 'old'),
        chunk('llm', 2, TEXT, 'new'),
        chunk('llm', 3, END),
        chunk('llm', 3, 99),
    )
    counts = mux.counters()
    want = {
        'chunks': 7, 'generations': 2, 'replaced': 1, 'empty': 1, 'ignored_old': 1,
        'ignored_unknown': 1, 'sources': 1,
    }  # fmt: skip
    assert {name: counts[name] for name in want} == want


def test_the_text_is_bounded_at_a_word() -> None:
    mux = OracleMux(max_chars=12)
    for text in ('one two ', 'three four', ' five'):
        mux.on_chunk(chunk('llm', 1, TEXT, text))
    now = mux.current()
    assert now is not None
    assert now.text == 'one two '
    assert mux.counters()['truncated_chars'] == len('three four five')
    mux.on_chunk(chunk('llm', 1, END))
    now = mux.current()
    assert now is not None
    assert now.ended


def test_the_number_of_sources_is_bounded() -> None:
    mux = OracleMux(max_sources=2)
    mux.on_chunk(chunk('a', 0, TEXT, 'a'))
    mux.on_chunk(chunk('b', 0, TEXT, 'b'))
    mux.on_chunk(chunk('c', 0, TEXT, 'c', 9))
    assert mux.counters()['ignored_sources'] == 1
    mux.on_chunk(chunk('a', 0, CLEAR))
    mux.on_chunk(chunk('c', 0, TEXT, 'c', 9))
    assert mux.current() == Oracle('c', 0, 'c', priority=9)
    assert mux.counters()['sources'] == 2


def test_what_was_dropped_does_not_come_back() -> None:
    mux = feed(*LLM_1, chunk('node', 4, TEXT, 'Hi', 5))
    mux.drop()
    assert mux.current() is None
    mux.on_chunk(chunk('llm', 1, TEXT, ', I think'))
    mux.on_chunk(chunk('llm', 1, END))
    assert mux.current() is None
    mux.on_chunk(chunk('llm', 2, TEXT, 'Well'))
    assert mux.current() == Oracle('llm', 2, 'Well')


def test_clear_forgets_all() -> None:
    mux = feed(*LLM_1)
    mux.clear()
    assert mux.current() is None
    mux.on_chunk(chunk('llm', 0, TEXT, 'new session'))
    assert mux.current() == Oracle('llm', 0, 'new session')


def test_whoever_writes_a_text_it_is_read_as_a_person_would() -> None:
    texts = ['See **[the', ' docs](https://a.b', ')** now', '.<|im_', 'end|>']
    mux = feed(*(chunk('node', 1, TEXT, text) for text in texts), chunk('node', 1, END))
    assert mux.current() == Oracle('node', 1, 'See the docs now.', True)


def test_what_was_reasoning_is_taken_back() -> None:
    mux = feed(chunk('llm', 1, TEXT, 'It may be Rome.'), chunk('llm', 1, TEXT, '</think> Paris.'))
    assert mux.current() == Oracle('llm', 1, 'Paris.', False)


def test_calls_of_tools_are_counted_and_not_said() -> None:
    mux = feed(chunk('llm', 1, TEXT, '<tool_call>{"name": "go"}</tool_call>'), chunk('llm', 1, END))
    assert mux.current() is None
    assert mux.counters()['tool_calls_unsaid'] == 1


@pytest.mark.parametrize('text', ['你好，世界', '😀', 'Привет', '<tool_call>{}</tool_call>', '**'])
def test_a_text_of_which_nothing_can_be_said_is_told_and_counted(text: str) -> None:
    told: list[tuple[str, str]] = []
    mux = OracleMux(on_unsaid=lambda source, why: told.append((source, why)))
    for c in (chunk('node', 1, BEGIN), chunk('node', 1, TEXT, text), chunk('node', 1, END)):
        mux.on_chunk(c)
    assert [source for source, _ in told] == ['node']
    assert mux.counters()['unspeakable'] == 1


def test_ten_million_characters_are_cut_and_counted() -> None:
    mux = feed(chunk('node', 1, TEXT, 'many words ' * 1_000_000), chunk('node', 1, END))
    assert len(mux.current().text) <= 4_000
    assert mux.counters()['truncated_chars'] > 10_000_000


CHUNKS = st.builds(
    OracleChunk,
    source=st.sampled_from(['a', 'b', 'c', '']),
    generation=st.integers(-1, 4),
    kind=st.sampled_from([*ChunkKind, 7]),
    text=st.text(st.sampled_from('xy \n\x00'), max_size=6),
    priority=st.integers(-1, 2),
)


@given(st.lists(CHUNKS, max_size=40), st.booleans())
def test_invariants(chunks: list[OracleChunk], speak: bool) -> None:
    mux = OracleMux(max_chars=8, max_sources=3)
    spoken: dict[str, int] = {}
    for c in chunks:
        before = mux.current()
        mux.on_chunk(c)
        now = mux.current()
        if now is None:
            assert before is None or c.kind == CLEAR
            continue
        assert now.text.strip()
        assert len(now.text) <= 8
        assert '\x00' not in now.text
        assert '\n' not in now.text
        if c.kind != CLEAR and before is not None and before.source == now.source:
            assert now.generation >= before.generation
            if now.generation == before.generation:
                assert now.text.startswith(before.text)
                assert now.ended or not before.ended
        if c.kind == CLEAR and c.source in spoken:
            del spoken[c.source]
        assert now.generation != spoken.get(now.source, now.generation - 1)
        if speak and now.ended:
            mux.spoken(*now.key)
            spoken[now.source] = now.generation
            assert mux.current() is None or mux.current() != now
    counts = mux.counters()
    assert counts['sources'] <= 3
    assert counts['chunks'] == len(chunks)


@given(st.text(st.sampled_from('ab '), min_size=1), st.lists(st.integers(0, 100)))
def test_any_chunking_gives_the_same_text(text: str, cuts: list[int]) -> None:
    edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    mux = OracleMux()
    for start, end in pairwise(edges):
        mux.on_chunk(chunk('llm', 1, TEXT, text[start:end]))
    mux.on_chunk(chunk('llm', 1, END))
    now = mux.current()
    assert (now.text.split() if now else []) == text.split()
