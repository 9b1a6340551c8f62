"""How an LLM is named, and what is told where it cannot be reached."""

import pytest

from kame_ros.oracle.llm.backend import parse_backend
from kame_ros.oracle.llm.clients.base import LlmError, LlmUnavailable

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
