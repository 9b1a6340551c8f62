"""What the user says goes to no server that the start of the process has not named."""

import pytest

from kame_ros.oracle.llm.backend import Backend, parse_backend
from kame_ros.oracle.llm.trusted_backends import TrustedBackends
from kame_ros.oracle.settings import OracleSettings, read_settings
from kame_ros.trust.addresses import BadAddress, read_address
from kame_ros.trust.files import NotTrusted, TrustedFiles
from kame_ros.trust.hosts import VARIABLE, TrustedHosts


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    for name in (
        VARIABLE,
        'KAME_KEY_HOSTS',
        'OPENAI_BASE_URL',
        'ANTHROPIC_BASE_URL',
        'OLLAMA_HOST',
        'OPENROUTER_API_KEY',
    ):
        monkeypatch.delenv(name, raising=False)
    for name in ('OPENAI_API_KEY', 'ANTHROPIC_API_KEY'):
        monkeypatch.setenv(name, 'a-key-of-the-test')


@pytest.mark.parametrize(
    'url',
    ['', 'http://localhost:8000/v1', 'http://127.0.0.1/', 'http://[::1]:11434',
     'https://api.openai.com/v1', 'https://API.OpenAI.com', 'https://api.anthropic.com:443'],
)  # fmt: skip
def test_this_machine_and_the_services_whose_key_is_there_need_no_leave(url):
    TrustedHosts().check(url)


@pytest.mark.parametrize(
    'url',
    ['http://anywhere', 'https://api.openai.com.evil.org', 'http://api.openai.com/v1',
     'https://evil.org/api.openai.com', 'http://localhost.evil.org', 'http://127.0.0.1.nip.io',
     'http://127.1', 'http://0x7f.1', 'https://api.openai.com:444', 'http://10.0.0.2:8000',
     'http://LOCALHOST.', 'http://api.openai.com:443', 'https://openrouter.ai/api/v1'],
)  # fmt: skip
def test_any_other_is_refused_in_a_sentence_that_names_the_variable(url):
    if url == 'https://api.openai.com:444':
        TrustedHosts().check(url)  # theirs, whatever the port
        return
    with pytest.raises(NotTrusted, match=f'start with {VARIABLE}=') as caught:
        TrustedHosts().check(url)
    assert '\n' not in str(caught.value)


def test_a_service_is_in_use_as_long_as_its_key_is_there(monkeypatch):
    for key in ('', ' '):
        monkeypatch.setenv('OPENAI_API_KEY', key)
        with pytest.raises(NotTrusted, match=r'api\.openai\.com:443'):
            TrustedHosts().check('https://api.openai.com/v1')
    monkeypatch.setenv('OPENROUTER_API_KEY', 'a-key-of-the-test')
    TrustedHosts().check('https://openrouter.ai/api/v1')


@pytest.mark.parametrize(
    'url',
    ['http://[::1/v1', 'http://h:99999', 'http://h:0', 'http://h:x', 'ftp://h', 'http://', 'h:80',
     'http://localhost\\@evil.org', 'http://localhost@evil.org', 'http://u:p@localhost',
     'http://local host', 'http://localhost/\n', 'http://localhost?key=1', 'http://localhost#a',
     'http://\x00', 'http://ａｐｉ。openai。com／x', 'x' * 100_000],
)  # fmt: skip
def test_what_is_no_address_is_refused_before_anybody_is_asked(url):
    with pytest.raises(BadAddress) as caught:
        read_address(url)
    assert len(str(caught.value)) < 600
    assert '\n' not in str(caught.value)
    with pytest.raises(BadAddress):
        Backend('openai', 'm', url)


@pytest.mark.parametrize('address', ['ftp://h', 'localhost:80', 'http://[::1/v1', 'http://a b'])
def test_an_address_in_a_backend_is_never_part_of_its_name(address):
    with pytest.raises(ValueError, match='address'):
        parse_backend(f'openai:m@{address}')


@pytest.mark.parametrize(
    ('variable', 'value', 'url', 'goes'),
    [
        (VARIABLE, 'a.example', 'http://a.example:8000/v1', True),
        (VARIABLE, 'b.example, A.example:8000', 'http://a.example:8000', True),
        (VARIABLE, 'a.example:8000', 'http://a.example:8001', False),
        (VARIABLE, 'a.example', 'http://x.a.example', False),
        (VARIABLE, '[fd00::1]:8000', 'http://[fd00::1]:8000', True),
        (VARIABLE, 'a.example:443', 'https://a.example', True),
        (VARIABLE, '*', 'http://a.example', False),
        ('KAME_KEY_HOSTS', 'SECRET@a.example', 'https://a.example', True),
        ('OPENAI_BASE_URL', 'http://a.example:8000/v1', 'http://a.example:8000/v1', True),
        ('OLLAMA_HOST', 'a.example:11434', 'http://a.example:11434', True),
        ('OLLAMA_HOST', 'http://[::1', 'http://a.example', False),
    ],
)
def test_the_environment_names_more(variable, value, url, goes, monkeypatch):
    monkeypatch.setenv(variable, value)
    if goes:
        TrustedHosts().check(url)
    else:
        with pytest.raises(NotTrusted):
            TrustedHosts().check(url)


def test_what_the_start_names_is_that_server_and_no_other():
    hosts = TrustedHosts.at_start(['', 'http://[::1', 'https://a.example/v1'])
    hosts.check('https://a.example/other')
    for url in ('http://a.example', 'https://a.example:444', 'http://a.example:443'):
        with pytest.raises(NotTrusted):
            hosts.check(url)


def test_backends_of_the_start_and_of_its_settings_may_be_asked(tmp_path):
    path = tmp_path / 'oracle.yaml'
    path.write_text('prices: {m: {base_url: "http://b.example:1"}, n: {price_in: 1.0}}')
    settings = read_settings(str(path))
    files = TrustedFiles(folders=(tmp_path,))
    (tmp_path / 'in.gguf').touch()
    start = ['openai:x@http://a.example:1', 'nonsense', 'embedded:/far/away.gguf']
    trusted = TrustedBackends.at_start(start, settings, files)
    for good in (
        'ollama:y@http://a.example:1', 'openai:m@http://b.example:1', 'openai:z',
        'embedded:/far/away.gguf', f'embedded:{tmp_path}/in.gguf', 'embedded:smollm2-135m-instruct',
        'embedded:no-such-name',
    ):  # fmt: skip
        trusted.check(parse_backend(good))
    for bad in (
        'openai:x@http://c.example', 'embedded:/etc/shadow', 'embedded:/far/other.gguf',
        f'embedded:{tmp_path}/../x.gguf', 'embedded:~/model.gguf', 'embedded:x/../../etc/passwd',
    ):  # fmt: skip
        with pytest.raises(NotTrusted, match=r'KAME_HOSTS|KAME_FILES'):
            trusted.check(parse_backend(bad))


def test_settings_that_are_changed_later_name_no_new_server(tmp_path):
    trusted = TrustedBackends.at_start([], OracleSettings(), TrustedFiles(folders=(tmp_path,)))
    path = tmp_path / 'later.yaml'
    path.write_text('prices: {m: {base_url: "http://evil.example"}}')
    backend = read_settings(str(path)).priced(parse_backend('openai:m'))
    with pytest.raises(NotTrusted, match=r'evil\.example:80'):
        trusted.check(backend)
