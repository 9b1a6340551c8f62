import pytest

from kame_ros.oracle.config import OracleConfig
from kame_ros.oracle.conversation.prompt import PromptConfig
from kame_ros.oracle.llm.backend import Backend
from kame_ros.oracle.llm.backend_names import BackendNames
from kame_ros.oracle.make import make_backends, make_config
from kame_ros.oracle.settings import OracleSettings
from kame_ros.settings.param import Param
from kame_ros.trust.files import NotTrusted, TrustedFiles

KINDS = (BackendNames, Backend, PromptConfig, OracleConfig)
DEFAULTS = {row.name: row.default for kind in KINDS for row in Param.of(kind)}
SETTINGS = OracleSettings(prices={'m': {'price_in': 2.0}})


def reader(**values):
    return (DEFAULTS | values).__getitem__


def test_back_ends_are_those_that_are_named_with_their_prices():
    read = reader(backend='ollama:m', fallback='ollama:n, ollama:m', max_tokens=7)
    made = make_backends(read, SETTINGS)
    assert [(b.model, b.price_in, b.max_tokens) for b in made] == [
        ('m', 2.0, 7),
        ('n', 0.0, 7),
        ('m', 2.0, 7),
    ]


def test_a_prompt_in_a_file_is_read_where_that_is_trusted(tmp_path):
    path = tmp_path / 'prompt.txt'
    path.write_text('You are a lamp.', encoding='utf-8')
    read = reader(prompt_file=str(path), max_words=9)
    backends = make_backends(reader(backend='ollama:m'), SETTINGS)
    made = make_config(read, backends, SETTINGS, TrustedFiles.at_start([str(path)]))
    assert (made.prompt.text, made.max_words, made.backends[0].model) == ('You are a lamp.', 9, 'm')
    with pytest.raises(NotTrusted):
        make_config(read, backends, SETTINGS, TrustedFiles.at_start([]))
