import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_ros.stt.agreement import Agreement, AgreementConfig, continuation, core, plain
from kame_ros.stt.transcript import Word

EASY = AgreementConfig(min_probability=0.5, margin=0.1)  # two that agree are enough


def words(text, probability=0.6):
    return [Word(f' {w}', i * 0.4, (i + 1) * 0.4, probability) for i, w in enumerate(text.split())]


def text(items):
    return ''.join(w.text for w in items).strip()


def agree(*hypotheses, config=None, edge=100.0):
    agreement = Agreement(config or EASY)
    for hypothesis in hypotheses:
        agreement.update(words(hypothesis), edge)
    return text(agreement.settled), text(agreement.tail)


@pytest.mark.parametrize(
    ('hypotheses', 'settled', 'tail'),
    [
        (['a b c'], '', 'a b c'),
        (['a b', 'a b c'], 'a b', 'c'),
        (['A b.', 'a, B c'], 'a, B', 'c'),  # without case and punctuation; the newest text counts
        (['a x', 'a b c', 'a b d'], 'a b', 'd'),
        (['a b', 'x b', 'x b c'], 'x b', 'c'),
        (['a b', 'a b c', 'a b'], 'a b', ''),  # what is settled stays
        (['a b', 'a b c', 'a q b c', 'a q b c'], 'a b c', ''),  # an insertion in what is settled
        (['a b c', 'a b c d', 'b c d', 'b c d e'], 'a b c d', 'e'),  # a word is gone from it
        (['a b', 'a b', 'a b b', 'a b b'], 'a b b', ''),  # a word that is really said twice
        (['a', ''], '', ''),
        (['', 'a', 'a'], 'a', ''),
    ],
)
def test_local_agreement(hypotheses, settled, tail):
    assert agree(*hypotheses) == (settled, tail)


@pytest.mark.parametrize(
    ('hypotheses', 'settled'),
    [
        (['a b', 'a b'], ''),
        (['a b', 'a b', 'a b'], 'a b'),
        (['a b', 'x b', 'a b', 'a b'], ''),
        (['a b', 'a x', 'a b', 'a b'], 'a'),
    ],
)
def test_a_doubtful_word_must_be_stable(hypotheses, settled):
    agreement = Agreement(AgreementConfig(min_probability=0.7, stable=1.0))
    for i, hypothesis in enumerate(hypotheses):
        agreement.update(words(hypothesis), edge=2.0 + 0.5 * i)
    assert text(agreement.settled) == settled


def test_a_word_at_the_edge_waits():
    config = AgreementConfig(min_probability=0.5, margin=0.2)
    assert agree('a b', 'a b', config=config, edge=0.9) == ('a', 'b')


def test_a_sure_word_is_settled_at_once():
    agreement = Agreement(AgreementConfig(sure=0.9, sure_margin=0.5))
    agreement.update(words('a b c', 0.95), edge=1.4)
    assert text(agreement.settled) == 'a b'


def test_punctuation_after_the_last_settled_word_is_still_open():
    agreement = Agreement(EASY)
    for hypothesis in ('go on.', 'go on.', 'go on and'):
        agreement.update(words(hypothesis), 100.0)
    assert text(agreement.settled) == 'go on'
    agreement.finish(words('go on and on!'))
    assert text(agreement.settled) == 'go on and on!'


def test_forget_moves_the_times():
    agreement = Agreement(EASY)
    agreement.update(words('a b c d'), 100.0)
    agreement.settle(until=0.9)
    gone = agreement.forget(1, 0.4)
    assert text(gone) == 'a'
    assert [w.start for w in agreement.settled + agreement.tail] == pytest.approx([0.0, 0.4, 0.8])


@pytest.mark.parametrize(
    ('settled', 'heard', 'k'),
    [('', 'a b', 0), ('a b', 'a b c', 2), ('a b', 'x b c', 2), ('a b', '', 0), ('a b c', 'c d', 1)],
)
def test_continuation(settled, heard, k):
    assert continuation(words(settled), words(heard)) == k


def test_core_and_plain():
    assert core(' word."') == ' word'
    assert core('...') == ''
    assert plain(" Don't!") == 'dont'


_TEXTS = st.lists(st.sampled_from('abcd'), max_size=8).map(' '.join)


@given(st.lists(_TEXTS, min_size=1, max_size=12), st.floats(0.0, 4.0))
def test_what_is_settled_never_changes(hypotheses, edge):
    agreement = Agreement(EASY)
    before: list[str] = []
    for hypothesis in hypotheses:
        agreement.update(words(hypothesis), edge)
        now = [w.text for w in agreement.settled]
        assert now[: len(before)] == before
        before = now
    agreement.finish(words(hypotheses[-1]))
    assert [w.text for w in agreement.settled][: len(before)] == before
    assert agreement.tail == []
