from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_ros.s2s.mux.mux import MuxConfig, OracleMux
from kame_ros.wire.oracle import ChunkKind, Oracle, OracleChunk

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
    for c in [*LLM_1[1:], chunk('llm', 1, END)]:  # without a BEGIN it is not begun again
        mux.on_chunk(c)
    assert mux.current() is None
    mux.spoken('llm', 8)
    mux.spoken('nobody', 0)
    assert mux.counters()['spoken_unknown'] == 2


def test_counters() -> None:
    mux = feed(
        *LLM_1,
        chunk('llm', 0, TEXT, 'old'),
        chunk('llm', 2, TEXT, 'New'),
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
    mux = OracleMux(MuxConfig(max_chars=12))
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
    mux = OracleMux(MuxConfig(max_sources=2))
    mux.on_chunk(chunk('a', 0, TEXT, 'a'))
    mux.on_chunk(chunk('b', 0, TEXT, 'b'))
    for name in ('a', 'b'):
        mux.on_chunk(chunk(name, 0, END))
    mux.on_chunk(chunk('c', 0, TEXT, 'Hi', 9))
    assert mux.counters()['ignored_sources'] == 1
    mux.on_chunk(chunk('a', 0, CLEAR))
    mux.on_chunk(chunk('c', 0, TEXT, 'Hi', 9))
    assert mux.current() == Oracle('c', 0, 'Hi', priority=9)
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
    assert mux.counters()['truncated_chars'] > 10_900_000


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
    mux = OracleMux(MuxConfig(max_chars=8, max_sources=3))
    spoken: set[tuple[str, int, int]] = set()
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
            assert now.life > before.life or now.generation >= before.generation
            if now.key == before.key:
                assert now.text.startswith(before.text)
                assert now.ended or not before.ended
        assert now.key not in spoken
        if speak and now.ended:
            mux.spoken(*now.key)
            spoken.add(now.key)
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


# -- who numbers as they like ------------------------------------------------------------------


def example(source: str = 'battery', number: int = 1, text: str = 'My battery is low.'):
    """What the README's node sends, every time it is run."""
    return [
        chunk(source, number, BEGIN, '', 20),
        chunk(source, number, TEXT, text, 20),
        chunk(source, number, END, '', 20),
    ]


@pytest.mark.parametrize(
    'numbers',
    [(1, 1, 1), (1, 2, 3), (3, 2, 1), (0, 0, 0), (5, 1, 2), (2**31 - 1, 1, 2**62, 1), (-1, -1)],
)
def test_an_example_speaks_every_time_it_is_run(numbers: tuple[int, ...]) -> None:
    mux = OracleMux()
    seen = set()
    for number in numbers:
        for c in example(number=number):
            mux.on_chunk(c)
        now = mux.current()
        assert now is not None
        assert (now.generation, now.text, now.ended) == (number, 'My battery is low.', True)
        assert now.key not in seen  # so that the front-end does not take it for what it has said
        seen.add(now.key)
        mux.spoken(*now.key)
        assert mux.current() is None
    assert mux.counters()['ignored_old'] == 0


@pytest.mark.parametrize('kind', [CLEAR, END, TEXT, BEGIN])
@pytest.mark.parametrize('forged', [2**31 - 1, 2**63 - 1, -(2**63), 50, 0, -1])
@pytest.mark.parametrize('before', [True, False])
def test_no_forged_chunk_mutes_a_source(kind: ChunkKind, forged: int, before: bool) -> None:
    mux = OracleMux()
    if before:
        for c in example('llm', 7, 'Hello.'):
            mux.on_chunk(c)
        mux.spoken('llm', 7)
    mux.on_chunk(chunk('llm', forged, kind, 'x'), now=1.0)
    mux.update(7.0)
    if now := mux.current():
        mux.spoken(*now.key)
    for number in (8, 9, 50_000_000):
        for c in example('llm', number, 'Paris.'):
            mux.on_chunk(c, now=8.0)
        now = mux.current()
        assert now is not None
        assert (now.generation, now.text) == (number, 'Paris.')
        mux.spoken(*now.key)


def test_a_forged_chunk_in_the_middle_costs_one_answer_at_most() -> None:
    mux = feed(chunk('llm', 6, BEGIN), chunk('llm', 6, TEXT, 'It is '))
    for kind in (BEGIN, END):
        mux.on_chunk(chunk('llm', 2**31 - 1, kind))
        mux.on_chunk(chunk('llm', 6, TEXT, 'and '))
    now = mux.current()
    assert now is not None
    assert now.text == 'It is and and '
    for c in example('llm', 7, 'Rome.'):
        mux.on_chunk(c)
    now = mux.current()
    assert now is not None
    assert now.text == 'Rome.'


def test_a_sender_without_begin_and_end_is_heard_after_each_silence() -> None:
    mux = OracleMux(MuxConfig(silence_s=5.0))
    for t, text in ((0.0, 'Hello.'), (20.0, 'Hello.'), (40.0, 'Bye.')):
        mux.on_chunk(chunk('ros2-topic-pub', 0, TEXT, text, 3), now=t)
        mux.update(t + 4.9)
        now = mux.current()
        assert now is not None
        assert not now.ended
        mux.update(t + 5.1)
        now = mux.current()
        assert now is not None
        assert (now.text, now.ended) == (text, True)
        mux.spoken(*now.key)
        mux.update(t + 6.0)
        assert mux.current() is None
    assert mux.counters()['aged'] == 3


def test_a_text_that_pauses_goes_on_where_it_was() -> None:
    mux = OracleMux(MuxConfig(silence_s=5.0))
    mux.on_chunk(chunk('llm', 1, BEGIN), now=0.0)
    mux.on_chunk(chunk('llm', 1, TEXT, 'One, '), now=0.0)
    mux.update(6.0)
    assert mux.current() == Oracle('llm', 1, 'One, ', ended=True)
    mux.on_chunk(chunk('llm', 1, TEXT, 'two.'), now=6.0)
    assert mux.current() == Oracle('llm', 1, 'One, two.')
    mux.on_chunk(chunk('llm', 1, END), now=6.0)
    mux.spoken('llm', 1)
    # What comes after all was said is said too, and is not what was said before.
    mux.on_chunk(chunk('slow', 1, TEXT, 'Three, '), now=7.0)
    mux.update(13.0)
    mux.spoken('slow', 1)
    first = ('slow', 1, 0)
    mux.on_chunk(chunk('slow', 1, TEXT, 'Four.'), now=13.0)
    now = mux.current()
    assert now is not None
    assert now.text == 'Four.'
    assert now.key != first


def test_late_chunks_of_what_was_dropped_or_replaced_stay_unsaid() -> None:
    mux = feed(*LLM_1, chunk('llm', 2, BEGIN), chunk('llm', 2, TEXT, 'Lyon'))
    mux.on_chunk(chunk('llm', 1, TEXT, ' late'), now=1.0)
    assert mux.current() == Oracle('llm', 2, 'Lyon')
    mux.drop()
    mux.on_chunk(chunk('llm', 2, TEXT, ' late'), now=2.0)
    mux.on_chunk(chunk('llm', 2, END), now=2.0)
    assert mux.current() is None
    assert mux.counters()['late'] == 3
    assert mux.counters()['ignored_old'] == 0


def test_a_barge_in_keeps_the_answer_to_what_was_said_over_the_robot() -> None:
    old = OracleChunk('llm', 1, TEXT, 'It is Paris', utterance=4)
    new = OracleChunk('llm', 2, TEXT, 'It is Rome', utterance=5)
    mux = feed(old, new, chunk('node', 1, TEXT, 'Hi'))
    mux.drop(over=('llm', 1, 0))
    assert mux.current() == Oracle('llm', 2, 'It is Rome', utterance=5)
    mux.drop(over=('llm', 2, 0))
    assert mux.current() is None


# -- who keeps others out ----------------------------------------------------------------------


def say_all(mux: OracleMux, now: float, until: str, steps: int = 300) -> int:
    """The robot says what is there, two a second, until it is the turn of a source."""
    for step in range(steps):
        mux.update(now + step * 0.5)
        oracle = mux.current()
        if oracle and oracle.source == until:
            return step
        if oracle and oracle.ended:
            mux.spoken(*oracle.key)
    raise AssertionError(f'{until} had no turn')


@pytest.mark.parametrize('count', [1, 16, 63, 64, 200])
@pytest.mark.parametrize('known', [True, False])
def test_sources_that_never_end_let_the_llm_speak(count: int, known: bool) -> None:
    mux = OracleMux()
    if known:
        for c in example('llm', 4, 'Hello.'):
            mux.on_chunk(c)
        mux.spoken('llm', 4)
    for i in range(count):
        mux.on_chunk(chunk(f'junk{i}', 1, TEXT, 'x ', 100), now=1.0)
    if not known:  # somebody new has to wait for a place
        for step in range(200):
            mux.update(7.0 + step * 0.5)
            if oracle := mux.current():
                mux.spoken(*oracle.key)
    for c in example('llm', 5, 'Paris.')[:2]:
        mux.on_chunk(c, now=110.0)
    mux.on_chunk(chunk('llm', 5, TEXT, ' It is.'), now=110.0)
    assert say_all(mux, 110.0, 'llm') <= 10 + count
    assert mux.counters()['sources'] <= 64


def test_a_source_that_cannot_be_said_is_given_up() -> None:
    mux = OracleMux(MuxConfig(patience_s=60.0))
    for c in example('noise', 1, '你好'):
        mux.on_chunk(c, now=0.0)
    assert mux.waits('noise')
    mux.progress('noise')
    mux.update(59.9)
    assert mux.current() is not None
    assert mux.current().source == 'noise'
    mux.update(60.1)
    assert mux.current() is None
    assert not mux.waits('noise')
    assert mux.counters()['unsaid'] == 1


def test_who_only_begins_keeps_no_place() -> None:
    mux = OracleMux()
    for i in range(64):
        mux.on_chunk(chunk(f'junk{i}', 1, BEGIN), now=1.0)
    mux.update(7.0)
    for c in example('llm', 1, 'Paris.'):
        mux.on_chunk(c, now=7.0)
    now = mux.current()
    assert now is not None
    assert now.text == 'Paris.'
    # One that thinks for long before it speaks is heard.
    mux.spoken('llm', 1)
    mux.on_chunk(chunk('junk63', 1, TEXT, 'Here I am.'), now=20.0)
    now = mux.current()
    assert now is not None
    assert now.text == 'Here I am.'


@pytest.mark.parametrize(
    'text', ['Hello.', '42', '*', 'see [this](', 'a < b', '```', '5 ', '**Well**', '<thi', '- one']
)
def test_the_beginning_and_the_end_may_be_left_out(text: str) -> None:
    whole, without, unended = OracleMux(), OracleMux(), OracleMux()
    for c in example(text=text):
        whole.on_chunk(c, now=1.0)
    for c in example(text=text)[1:]:
        without.on_chunk(c, now=1.0)
    for c in example(text=text)[:2]:
        unended.on_chunk(c, now=1.0)
    unended.update(20.0)
    unended.update(20.1)
    want = whole.current()
    assert without.current() == want
    assert unended.current() == want


@pytest.mark.parametrize('name', ['', 'x' * 201, 'y' * 10_000_000])
def test_names_that_are_none_take_no_place(name: str) -> None:
    mux = feed(chunk(name, 1, TEXT, 'x'))
    assert mux.current() is None
    assert mux.counters()['sources'] == 0
    assert mux.counters()['ignored_unknown'] == 1


def test_a_text_of_any_size_costs_no_more_than_what_is_kept() -> None:
    mux = feed(chunk('llm', 1, BEGIN), chunk('llm', 1, TEXT, 'word ' * 2_000_000))
    now = mux.current()
    assert now is not None
    assert len(now.text) <= 4_000
    assert mux.counters()['truncated_chars'] == 10_000_000 - len(now.text)
