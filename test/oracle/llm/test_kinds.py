"""The door for LLM clients: one from another package answers, is trusted as it says, no further."""

import os
import re
import subprocess
import sys
from pathlib import Path

import outside
import pytest
import toy_llm_package

from kame_ros import cli, doctor
from kame_ros.oracle.llm import kinds
from kame_ros.oracle.llm.backend import Backend, parse_backend
from kame_ros.oracle.llm.clients.base import Kind, LlmUnavailable
from kame_ros.trust import keys, services
from kame_ros.trust.files import NotTrusted
from kame_ros.trust.hosts import TrustedHosts

OURS = ('embedded', 'ollama', 'openai', 'anthropic', 'gemini')
ROOT = Path(__file__).parents[3]


@pytest.fixture
def toys(tmp_path, monkeypatch):
    toy_llm_package.write(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    known = list(services._services)
    kinds.find.cache_clear()
    for name in ('PARROT_API_KEY', 'OPENAI_API_KEY', 'OPENAI_BASE_URL', 'KAME_KEY_HOSTS'):
        monkeypatch.delenv(name, raising=False)
    yield tmp_path
    services._services[:] = known
    kinds.find.cache_clear()
    toy_llm_package.forget()


def test_ours_come_first_and_nobody_replaces_them(toys):
    assert kinds.names()[:5] == OURS
    assert {'parrot', 'greedy', 'gone'} <= set(kinds.names())
    assert 'toy_llms' not in sys.modules  # told of, and not imported
    assert kinds.find('openai').package == 'openai'
    assert kinds.is_ours('openai')
    assert not kinds.is_ours('parrot')


def test_without_other_packages_there_are_ours():
    assert kinds.names() == OURS
    for name in OURS:
        kind = kinds.find(name)
        assert kind.about
        assert kind.package
        parse_backend(f'{name}:{kind.example}')


def test_a_client_of_another_package_answers(toys, oracle):
    runner = oracle(parse_backend('parrot:grey'))
    oracle.say(runner, 'what is the capital of France?')
    assert runner.said().lower().startswith('you said: what is the capital of france')
    assert runner.heard.kinds().count('GENERATION_ENDED') == 1
    assert runner.counters()['tokens_out'] == 3
    assert parse_backend('parrot:grey').parallel == 3


@pytest.mark.parametrize(
    ('name', 'says'),
    [
        ('bytes', 'no text but bytes'),
        ('flies', 'the parrot is gone'),
        ('refuses', 'no parrot here'),
        ('half', 'has no stream, warm_up, aclose'),
    ],
)
def test_a_client_that_is_wrong_is_told_and_the_oracle_goes_on(toys, oracle, name, says):
    runner = oracle(parse_backend(f'{name}:m'), parse_backend('parrot:grey'))
    oracle.say(runner, 'what is the capital of France?')
    assert runner.said().lower().startswith('you said')
    assert says in ' '.join(runner.heard.whys('GENERATION_FAILED'))


@pytest.mark.parametrize(
    ('text', 'says'),
    [
        ('nothing:m', 'nothing of the package toy-llms is none: object and no Kind'),
        ('gone:m', 'gone of the package toy-llms cannot be loaded: ModuleNotFoundError'),
        ('greedy:m', 'OPENAI_API_KEY is the key of api.openai.com'),
        ('parrots:m', "no LLM client 'parrots'; there are: embedded, ollama, openai, anthropic"),
        ('m', "the back-end 'm' cannot be used"),
    ],
)
def test_what_is_no_client_says_so_in_a_sentence(toys, text, says):
    with pytest.raises(ValueError, match='cannot be used') as caught:
        parse_backend(text)
    assert says in str(caught.value)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize(
    'wrong',
    [
        {'key': 'lower_case'},
        {'key': 'A B'},
        {'hosts': 'api.example'},
        {'hosts': ('https://api.example',)},
        {'hosts': ('API.example',)},
        {'hosts': ('*',)},
        {'slots': 0},
        {'context_tokens': -1},
        {'check': 'x'},
    ],
    ids=str,
)
def test_a_kind_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match=r'is|are'):
        Kind(lambda config: None, **wrong)


def test_its_servers_are_trusted_when_it_is_chosen_and_only_over_https(toys):
    with pytest.raises(NotTrusted):
        TrustedHosts().check('https://api.parrot.example')
    parse_backend('parrot:grey')
    TrustedHosts().check('https://api.parrot.example')
    for url in ('http://api.parrot.example', 'https://evil.example', 'https://parrot.example'):
        with pytest.raises(NotTrusted):
            TrustedHosts().check(url)


@pytest.mark.parametrize(
    ('url', 'key'),
    [
        ('', 'p-key'),
        ('https://api.parrot.example/v1', 'p-key'),
        ('https://api.openai.com/v1', ''),
        ('https://evil.example', ''),
        ('http://127.0.0.1:8000', ''),
    ],
)
def test_it_is_told_of_its_own_key_and_of_no_other(toys, monkeypatch, url, key):
    monkeypatch.setenv('PARROT_API_KEY', 'p-key')
    monkeypatch.setenv('OPENAI_API_KEY', 'o-key')
    monkeypatch.setenv('OTHER_SECRET', 's-key')
    backend = Backend('parrot', 'grey', url)
    assert backend.connect().key == key
    assert backend.connect().config.key_name == 'PARROT_API_KEY'
    for other in ('OPENAI_API_KEY', 'OTHER_SECRET'):
        with pytest.raises(LlmUnavailable, match='told of no key but PARROT_API_KEY'):
            Backend('parrot', 'grey', url, key_name=other).connect()


def test_its_key_is_not_sent_in_clear(toys, monkeypatch):
    monkeypatch.setenv('PARROT_API_KEY', 'p-key')
    with pytest.raises(LlmUnavailable, match='in clear: use https'):
        Backend('parrot', 'grey', 'http://api.parrot.example').connect()


def test_ours_are_never_told_of_its_key(toys, monkeypatch):
    monkeypatch.setenv('PARROT_API_KEY', 'p-key')
    monkeypatch.setenv('KAME_KEY_HOSTS', 'api.example')
    parse_backend('parrot:grey')
    assert keys.variable_for('https://api.example', 'OPENAI_API_KEY') == 'OPENAI_API_KEY'
    assert keys.key_for('PARROT_API_KEY', 'https://api.example') == ''
    assert keys.key_for('PARROT_API_KEY', 'https://api.openai.com') == ''


def test_doctor_tells_of_all_and_of_what_is_wrong(toys):
    found = {f.what: f for f in doctor.examine() if f.area == 'LLM'}
    assert set(OURS) | {'parrot', 'nothing', 'gone', 'greedy'} <= set(found)
    assert found['parrot'].level == doctor.OK
    assert 'parrot:grey' in found['parrot'].detail
    assert found['gone'].level == found['greedy'].level == doctor.WARN
    assert all(f.remedy for f in found.values() if f.level != doctor.OK)


def test_help_and_the_readme_name_every_kind(toys, capsys):
    with pytest.raises(SystemExit):
        cli.main(['up', '--help'])
    told = capsys.readouterr().out
    readme = (ROOT / 'README.md').read_text()
    for name in (*OURS, 'parrot'):
        assert f'{name}:{kinds.find(name).example}' in told
    assert 'gone of the package toy-llms cannot be loaded' in told
    assert '(ANTHROPIC_API_KEY)' in told
    assert all(f'`{name}:' in readme for name in OURS)


SDK = """
class Error(Exception):
    pass


class Client:
    def __init__(self, address, key):
        self.told = f'{address} {key}'

    async def ask(self, model, messages, most):
        yield f'{model} says {self.told}.'

    async def close(self):
        pass
"""


def test_the_recipe_of_the_contributing_page_works(tmp_path, monkeypatch, oracle):
    """As a package that is installed, with an SDK of that name."""
    code = outside.recipe('llm')
    line = re.search(r'kame_ros\.llm"\].*\n(\w+) = "([\w.]+):(\w+)"', outside.RECIPES)
    (tmp_path / 'my_package').mkdir()
    (tmp_path / 'my_package' / '__init__.py').write_text('')
    (tmp_path / 'my_package' / 'my_llm.py').write_text(code)
    (tmp_path / 'my_sdk.py').write_text(SDK)
    info = tmp_path / 'my_package-1.0.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text('Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n')
    (info / 'entry_points.txt').write_text('[kame_ros.llm]\n{} = {}:{}\n'.format(*line.groups()))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv('MY_API_KEY', 'abc')
    known = list(services._services)
    try:
        runner = oracle(parse_backend('mine:small'))
        oracle.say(runner, 'who are you?')
        client = parse_backend('mine:small').connect()
        assert client._sdk.told == 'https://api.example.org/v1 abc'
        assert runner.said().startswith('small says')
    finally:
        services._services[:] = known
        kinds.find.cache_clear()
        for name in ('my_sdk', 'my_package', 'my_package.my_llm'):
            sys.modules.pop(name, None)


def test_trust_needs_nobody_to_import_the_clients_first():
    """As in a process that only hears: the servers of the services are known all the same."""
    code = (
        'from kame_ros.trust.hosts import TrustedHosts; import sys\n'
        "TrustedHosts().check('https://api.anthropic.com')\n"
        "heavy = {'openai', 'anthropic', 'ollama', 'httpx', 'rclpy'}\n"
        'print(sorted(heavy & sys.modules.keys()))'
    )
    done = subprocess.run(
        [sys.executable, '-c', code],
        env={**os.environ, 'ANTHROPIC_API_KEY': 'a-key-of-the-test'},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.strip() == '[]', done.stderr
