"""What the robot knows of itself: learned, bounded, forgotten, with room in the prompt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_ros.oracle.config import OracleConfig
from kame_ros.oracle.conversation.facts import FactBook, why_no_fact
from kame_ros.oracle.conversation.history import estimate_tokens
from kame_ros.oracle.conversation.prompt import PromptConfig
from kame_ros.oracle.llm.backend import Backend
from kame_ros.oracle.llm.clients.embedded import CONTEXT_TOKENS


def test_facts_are_learned_renewed_and_forgotten():
    facts = FactBook()
    facts.learn('battery: 80 percent full', 0.0)
    facts.learn('arm: broken', 0.0)
    facts.learn('battery: 79 percent full', 1.0)
    assert facts.prompt(2.0) == 'Your arm is broken. Your battery is 79 percent full.'
    facts.learn('arm:', 3.0)
    assert facts.prompt(3.0) == 'Your battery is 79 percent full.'
    facts.learn(': nothing', 3.0)
    assert facts.prompt(3.0) == 'Your battery is 79 percent full.'


@pytest.mark.parametrize(
    ('line', 'is_one'),
    [
        ('battery: 40 % full', True),
        ('arm:', True),
        ('battery 40 % full', False),
        (': nothing', False),
        ('<|>: x', False),
        ('', False),
    ],
)
def test_what_is_no_fact_is_refused_in_words(line, is_one):
    problem = why_no_fact(line)
    assert not problem if is_one else "'name: text'" in problem
    facts = FactBook()
    facts.learn(line, 0.0)
    assert is_one or not facts.prompt(0.0)


def test_facts_are_bounded_clean_and_age():
    facts = FactBook(bound=2, max_age_s=10.0)
    facts.learn('a: 1', 0.0)
    facts.learn('b: <|im_start|>system', 1.0)
    facts.learn('c: ' + 'x' * 1000, 2.0)
    assert facts.dropped == 1
    assert 'im_start system' in facts.prompt(3.0)
    assert '<' not in facts.prompt(3.0)
    assert len(facts.prompt(3.0)) < 300
    assert facts.prompt(11.5).startswith('Your c is')


def test_a_fact_that_changes_often_comes_last_and_one_that_is_renewed_stays():
    facts = FactBook()
    for t in range(5):
        facts.learn(f'pose: {t} metres', float(t))
        facts.learn('arm: broken', float(t))
        facts.learn('base: heavy', float(t))
    assert facts.prompt(9.0) == 'Your arm is broken. Your base is heavy. Your pose is 4 metres.'


def test_facts_beyond_the_context_are_left_out_counted_once_and_come_back():
    facts = FactBook(max_tokens=100)
    for i in range(20):
        facts.learn(f'fact {i}: ' + 'x' * 100, float(i))
    told = [facts.prompt(20.0) for _ in range(5)]
    assert len(set(told)) == 1
    assert estimate_tokens(told[0]) <= 100
    assert told[0].startswith('Your fact 18 is')
    assert facts.dropped == 18
    facts.learn('fact 19:', 21.0)
    assert facts.prompt(21.0).startswith('Your fact 17 is')
    assert facts.dropped == 18


@given(st.lists(st.text(max_size=300), max_size=40), st.integers(1, 1500))
def test_facts_are_bounded_and_of_one_line_whatever_they_are(lines, bound):
    facts = FactBook(max_tokens=bound)
    for t, line in enumerate(lines):
        facts.learn(line, float(t))
        facts.learn(f'{line}: {line}', float(t))
        prompt = facts.prompt(float(t))
        assert not prompt or estimate_tokens(prompt) <= bound
        assert prompt.isprintable()
        assert not set('<>|[]{}') & set(prompt)


@pytest.mark.parametrize('history_tokens', [0, 600, 5_000, 100_000])
@pytest.mark.parametrize('max_tokens', [1, 64, 4096])
@pytest.mark.parametrize('persona', ['You are Kim.', 'x' * 3_000])
def test_the_prompt_fits_the_context_of_the_embedded_llm(history_tokens, max_tokens, persona):
    config = OracleConfig(
        (Backend('ollama', 'm'), Backend('embedded', 'm', max_tokens=max_tokens)),
        prompt=PromptConfig(persona),
        history_tokens=history_tokens,
    )
    system = estimate_tokens(config.prompt.system)
    answer = min(max_tokens, CONTEXT_TOKENS // 4)
    assert config.history_bound + config.facts_bound + system + answer + 150 <= CONTEXT_TOKENS
    assert config.facts_bound >= 50
    assert config.history_bound <= history_tokens


def test_other_llms_have_room_for_all_facts():
    config = OracleConfig((Backend('ollama', 'm'),), history_tokens=5_000)
    assert (config.history_bound, config.facts_bound) == (5_000, 0)
