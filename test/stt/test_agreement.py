import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_ros.stt.agreement import Agreement, AgreementConfig, core, has_number, plain
from kame_ros.wire.transcript import Word

EASY = AgreementConfig(min_probability=0.5, margin_s=0.1)  # two that agree are enough


def words(text, probability=0.6):
    return [Word(f' {w}', i * 0.4, (i + 1) * 0.4, probability) for i, w in enumerate(text.split())]


def text(items):
    return ''.join(w.text for w in items).strip()


def agree(*hypotheses, config=None, edge=100.0):
    agreement = Agreement(config or EASY)
    for hypothesis in hypotheses:
        agreement.update(words(hypothesis), edge)
    return text(agreement.words[: agreement.stable]), text(agreement.words[agreement.stable :])


@pytest.mark.parametrize(
    ('hypotheses', 'stable', 'rest'),
    [
        (['a b c'], '', 'a b c'),
        (['a b', 'a b c'], 'a b', 'c'),
        (['A b.', 'a, B c'], 'a, B', 'c'),  # without case and punctuation; the newest text counts
        (['a x', 'a b c', 'a b d'], 'a b', 'd'),
        (['a b', 'x b', 'x b c'], 'x b', 'c'),
        (['a b', 'a b c', 'a b'], 'a b', ''),
        (['a b', 'a b c', 'a q b c'], 'a', 'q b c'),  # an insertion: stable again with the next
        (['a b', 'a b c', 'a q b c', 'a q b c'], 'a q b c', ''),
        (['a b c', 'a b c d', 'b c d', 'b c d e'], 'b c d', 'e'),  # the newest has the last word
        (['a b', 'a b', 'a b b', 'a b b'], 'a b b', ''),  # a word that is really said twice
        (['a', ''], '', ''),
        (['', 'a', 'a'], 'a', ''),
        (['at 10', 'at 10', 'at 10:30'], 'at', '10:30'),
        (['ab', 'ab', 'ab-cd'], '', 'ab-cd'),
    ],
)
def test_local_agreement(hypotheses, stable, rest):
    assert agree(*hypotheses) == (stable, rest)


@pytest.mark.parametrize(
    ('hypotheses', 'stable'),
    [
        (['a b', 'a b'], ''),
        (['a b', 'a b', 'a b'], 'a b'),
        (['a b', 'x b', 'a b', 'a b'], ''),
        (['a b', 'a x', 'a b', 'a b'], 'a'),
    ],
)
def test_a_doubtful_word_must_be_stable(hypotheses, stable):
    agreement = Agreement(AgreementConfig(min_probability=0.7, stable_s=1.0))
    for i, hypothesis in enumerate(hypotheses):
        agreement.update(words(hypothesis), edge=2.0 + 0.5 * i)
    assert text(agreement.words[: agreement.stable]) == stable


def test_a_word_at_the_edge_waits():
    config = AgreementConfig(min_probability=0.5, margin_s=0.2)
    assert agree('a b', 'a b', config=config, edge=0.9) == ('a', 'b')


def test_a_sure_word_is_stable_at_once():
    agreement = Agreement(AgreementConfig(sure_probability=0.9, sure_margin_s=0.5))
    agreement.update(words('a b c', 0.95), edge=1.4)
    assert text(agreement.words[: agreement.stable]) == 'a b'


def test_forget_moves_the_times():
    agreement = Agreement(EASY)
    for _ in range(2):
        agreement.update(words('a b c d'), 100.0)
    gone = agreement.forget(1, 0.4)
    assert text(gone) == 'a'
    assert [w.start for w in agreement.words] == pytest.approx([0.0, 0.4, 0.8])
    assert agreement.stable == 3


def test_what_is_not_stable_can_be_dropped():
    agreement = Agreement(EASY)
    for hypothesis in ('a b c', 'a b d'):
        agreement.update(words(hypothesis), 100.0)
    agreement.drop_unstable()
    assert text(agreement.words) == 'a b'


def test_core_plain_and_numbers():
    assert core(' word."') == ' word'
    assert core('...') == ''
    assert plain(" Don't!") == 'dont'
    assert [has_number(w) for w in ('ten', '10:30', 'B2', '½', '٥', '')] == [0, 1, 1, 1, 1, 0]


_TEXTS = st.lists(st.sampled_from('abcd'), max_size=8).map(' '.join)


@given(st.lists(_TEXTS, min_size=1, max_size=12), st.floats(0.0, 4.0))
def test_the_newest_decode_has_the_last_word(hypotheses, edge):
    agreement = Agreement(EASY)
    for hypothesis in hypotheses:
        agreement.update(words(hypothesis), edge)
        assert text(agreement.words) == hypothesis
        assert 0 <= agreement.stable <= len(agreement.words)
