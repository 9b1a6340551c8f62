"""Facts, stop words, the router and the books: small pure rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_ros.oracle.account import TurnAccount
from kame_ros.oracle.backend import Backend, parse_backend
from kame_ros.oracle.clients.base import LlmError, LlmUnavailable, Usage
from kame_ros.oracle.config import CONTEXT_TOKENS, OracleConfig
from kame_ros.oracle.decision import Start
from kame_ros.oracle.facts import FactBook
from kame_ros.oracle.history import estimate_tokens
from kame_ros.oracle.prompt import PromptConfig
from kame_ros.oracle.router import Route, Router
from kame_ros.oracle.stop_words import StopWords
from kame_ros.oracle.warm_ahead import WarmAhead
from kame_ros.stt.transcript import Transcript


def test_facts_are_learned_renewed_and_forgotten():
    facts = FactBook()
    facts.learn('battery: 80 percent full', 0.0)
    facts.learn('arm: broken', 0.0)
    facts.learn('battery: 79 percent full', 1.0)
    assert facts.prompt(2.0) == 'Your arm is broken. Your battery is 79 percent full.'
    facts.learn('arm:', 3.0)
    assert facts.prompt(3.0) == 'Your battery is 79 percent full.'
    assert not facts.learn(': nothing', 3.0)


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


def test_a_changed_prompt_is_read_once_after_a_burst_and_while_nobody_speaks():
    warm = WarmAhead()
    for t in (0.0, 0.2, 0.4):
        warm.changed(t)
    assert warm.at == pytest.approx(0.9)
    assert not warm.take(0.8, idle=True)
    assert not warm.take(0.9, idle=False)
    assert warm.take(1.5, idle=True)
    assert not warm.take(9.0, idle=True)


def test_facts_that_change_for_ever_are_read_all_the_same():
    warm, read = WarmAhead(), 0
    for step in range(300):
        warm.changed(step / 10)
        read += warm.take(step / 10, idle=True)
    assert 5 <= read <= 10


@pytest.mark.parametrize(
    ('text', 'phrase'),
    [
        ('Stop!', 'stop'),
        ('stop stop STOP', 'stop'),
        ('Kim, please stop it now.', 'stop it'),
        ('Be quiet!', 'be quiet'),
        ('Where does the bus stop?', ''),
        ('stop the music', ''),
        ('', ''),
        ('please', ''),
        ('Kim', ''),
    ],
)
def test_a_stop_word_stands_alone(text, phrase):
    assert StopWords(names=('Kim',)).heard(text) == phrase


ROUTES = (
    Route('reasoning', 1, ('how many', 'solve', 'prove')),
    Route('humanities', 2, ('history', 'poem', 'novel')),
)


def test_rules_choose_by_keywords_and_whole_words_only():
    router = Router(ROUTES)
    assert router.classify('Solve this: how many apples are left?') == 'reasoning'
    assert router.classify('Tell me about the history of Rome.') == 'humanities'
    assert router.classify('resolved prehistory') == ''


def test_the_choice_is_made_at_eight_words_and_held_for_the_turn():
    router = Router(ROUTES)
    assert router.choose(0, 'solve', final=False) == 0
    eight = 'so can you solve this for me please'
    assert router.choose(0, eight, final=False) == 1
    assert router.choose(0, eight + ' history poem novel history', final=True) == 1
    assert router.choose(1, 'a poem', final=True) == 2
    assert router.choose(2, 'hello', final=True) == 0


def test_an_embedding_chooses_the_nearest_class():
    def embed(texts):
        return [[float('number' in t), float('art' in t)] for t in texts]

    routes = (
        Route('reasoning', 1, examples=('a number', 'number two')),
        Route('humanities', 2, examples=('art', 'fine art')),
    )
    assert Router(routes, embed=embed).choose(0, 'the art of war', final=True) == 2


# -- the books ----------------------------------------------------------------------------


def ask(gen, text, final=False):
    return Start(gen, text, 0, gen, final)


def test_a_turn_knows_its_cost_and_how_stale_the_spoken_answer_was():
    account = TurnAccount(0)
    backend = Backend('openai', 'm', price_in=1.0, price_cached=0.1, price_out=10.0)
    account.on_start(ask(1, 'what is the'))
    account.on_first_word(1.0, 1)
    account.on_spoken(1)
    account.on_start(ask(2, 'what is the capital of France', final=True))
    account.on_final(Transcript(0, 9, 'what is the capital of France?', 30, True, 0.0, 2.0))
    account.on_first_word(2.5, 2)
    account.on_cancel('superseded')
    account.on_usage(backend, 'p' * 300, 'four', Usage())
    account.on_usage(backend, '', '', Usage(tokens_in=1000, cached=800, tokens_out=20))
    books = account.as_dict()
    assert books['first_word_s'] == pytest.approx(0.5)
    assert books['stale_words'] == 3
    assert (books['started'], books['applied'], books['superseded']) == (2, 2, 1)
    assert books['estimated'] == 1
    assert books['cost'] == pytest.approx((200 + 80 + 200 + 104 + 10) / 1e6)


def test_an_answer_that_was_there_before_the_end_of_speech_counts_negative():
    account = TurnAccount(0)
    account.on_start(ask(1, 'what is it'))
    account.on_first_word(1.5, 1)
    account.on_final(Transcript(0, 9, 'What is it?', 11, True, 0.0, 2.0))
    assert account.first_word_s == pytest.approx(-0.5)


# -- naming a back-end --------------------------------------------------------------------


@pytest.mark.parametrize(
    ('text', 'kind', 'model', 'url'),
    [
        ('ollama:llama3.2:1b', 'ollama', 'llama3.2:1b', ''),
        ('openai:qwen@http://127.0.0.1:8000/v1', 'openai', 'qwen', 'http://127.0.0.1:8000/v1'),
        ('embedded:/a/b.gguf', 'embedded', '/a/b.gguf', ''),
        ('openai:a@20250101', 'openai', 'a@20250101', ''),
    ],
)
def test_a_backend_has_a_short_form(text, kind, model, url):
    backend = parse_backend(text)
    assert (backend.kind, backend.model, backend.base_url) == (kind, model, url)
    assert backend.name == text


@pytest.mark.parametrize('text', ['', 'gpt-4', 'skynet:t800', 'ollama:'])
def test_what_is_no_backend_is_refused(text):
    with pytest.raises(ValueError, match='back-end'):
        parse_backend(text)


@pytest.mark.parametrize(
    'text',
    [
        'openai:m@localhost:8000',
        'openai:m@robot.local:8000/v1',
        'openai:m@10.0.0.2/v1',
        'openai:m@http:8000',
        'openai:m@http://user:secret@host/v1',
        'openai:m@https://host/v1?key=secret',
    ],
)
def test_an_address_that_cannot_be_right_is_refused_and_not_repeated(text):
    with pytest.raises(ValueError, match='address') as caught:
        parse_backend(text)
    assert 'secret' not in str(caught.value)


def test_another_server_than_openai_needs_no_key(monkeypatch):
    monkeypatch.delenv('OPENAI_API_KEY', raising=False)
    parse_backend('openai:m@http://10.9.8.7:8000/v1').connect()


def test_no_error_repeats_a_key(monkeypatch):
    monkeypatch.setenv('MY_API_KEY', 'sk-not-to-be-seen')
    monkeypatch.setenv('SHORT_KEY', 'a')
    error = LlmError('wrong key: sk-not-to-be-seen')
    assert str(error) == 'wrong key: (MY_API_KEY)'


@pytest.mark.parametrize('kind', ['anthropic', 'gemini', 'openai'])
def test_a_missing_key_is_named(kind, monkeypatch):
    name = {'openai': 'OPENAI', 'anthropic': 'ANTHROPIC', 'gemini': 'GEMINI'}[kind] + '_API_KEY'
    monkeypatch.delenv(name, raising=False)
    with pytest.raises(LlmUnavailable, match=name):
        parse_backend(f'{kind}:m').check()


def test_a_missing_model_file_is_named():
    with pytest.raises(LlmUnavailable, match='/nowhere'):
        parse_backend('embedded:/nowhere/x.gguf').check()
    with pytest.raises(LlmUnavailable, match='no-such-model'):
        parse_backend('embedded:no-such-model').check()


def test_a_missing_sdk_is_named(monkeypatch):
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    with pytest.raises(LlmUnavailable, match='pip install ollama'):
        parse_backend('ollama:x').check()
