"""A file of the hub, got over a line that breaks: nothing comes twice, and it is the right file."""

import hashlib
import os
import subprocess
import sys
import threading
import time

import pytest

hub_library = pytest.importorskip('huggingface_hub', reason='needs huggingface-hub')
from fake_hub import FakeRepository, serving  # noqa: E402

from kame_ros.fetch import hub_file, sizes  # noqa: E402
from kame_ros.fetch.errors import FetchError, NoLine  # noqa: E402
from kame_ros.fetch.hub import Hub  # noqa: E402
from kame_ros.fetch.hub_cache import CachedRepository  # noqa: E402
from kame_ros.fetch.hub_file import LinePatience  # noqa: E402
from kame_ros.fetch.report import Notes  # noqa: E402

BIG = bytes(range(256)) * 4000  # 1 MB
NAME = 'somebody/model'


class Watch(Notes):
    """Keeps all that is reported."""

    def __init__(self):
        super().__init__()
        self.begun, self.seen, self.ended = [], [], 0

    def begin(self, name, size, done):
        self.begun.append((name, size, done))

    def reached(self, done, what=''):
        self.seen.append((done, what))

    def end(self):
        self.ended += 1


class Virtual(LinePatience):
    """Time that passes only where the download waits."""

    def __init__(self, broken_s=600.0):
        self.now = 0.0
        super().__init__(5.0, broken_s, self.pass_time, lambda: self.now)

    def __setattr__(self, name, value):
        object.__setattr__(self, name, value)

    def pass_time(self, seconds):
        self.now += seconds


@pytest.fixture
def server(monkeypatch):
    monkeypatch.delenv('HF_TOKEN', raising=False)
    monkeypatch.setenv('HF_TOKEN_PATH', '/nowhere')
    with serving() as hub:
        hub.repositories[NAME] = FakeRepository({'model.safetensors': BIG, 'config.json': b'{}'})
        yield hub


@pytest.fixture
def token(monkeypatch):
    monkeypatch.setenv('HF_TOKEN', 'hf_fake')


def got(server, cache, path='model.safetensors', watch=None, patience=None):
    hub = Hub(server.url)
    repository = hub.repository(NAME)
    return hub_file.get(
        hub, repository, repository.files[path], cache, watch or Watch(), patience or Virtual()
    )


def test_a_whole_file_lies_where_the_library_of_the_hub_finds_it(server, tmp_path):
    watch = Watch()
    path = got(server, tmp_path, watch=watch)
    assert path.read_bytes() == BIG
    assert watch.begun == [('model.safetensors', len(BIG), 0)]
    assert watch.seen[-1][0] == len(BIG)
    assert watch.ended == 1
    before = len(server.asked)
    theirs = hub_library.hf_hub_download(
        NAME, 'model.safetensors', cache_dir=tmp_path, endpoint=server.url
    )
    assert os.path.samefile(theirs, path)
    assert [asked.method for asked in server.asked[before:]] == ['HEAD']


def test_a_small_file_is_checked_by_its_git_checksum(server, tmp_path):
    assert got(server, tmp_path, 'config.json').read_bytes() == b'{}'
    server.repositories[NAME].broken['config.json'] = b'[]'
    with pytest.raises(FetchError, match='not the checksum'):
        got(server, tmp_path / 'other', 'config.json')


def test_a_line_that_breaks_twice_costs_nothing_twice(server, tmp_path):
    server.breaks = [300_000, 700_000]
    watch = Watch()
    assert got(server, tmp_path, watch=watch).read_bytes() == BIG
    assert server.served == len(BIG)
    ranges = [asked.range for asked in server.of('GET', '/cdn/')]
    assert ranges == ['', 'bytes=300000-', 'bytes=700000-']
    assert len(watch.notes) == 2
    assert all('going on' in note for note in watch.notes)


def test_a_process_that_is_killed_goes_on_where_it_was(server, tmp_path):
    """The lock and the beginning of the file are all that is left of it."""
    server.breaks = [300_000, *[300_000] * 50]
    with pytest.raises(NoLine, match=r'300 kB of 1\.02 MB are here and stay'):
        got(server, tmp_path, patience=Virtual(broken_s=20.0))
    server.breaks = []
    watch = Watch()
    assert got(server, tmp_path, watch=watch).read_bytes() == BIG
    assert watch.begun == [('model.safetensors', len(BIG), 300_000)]
    assert (300_000, 'reading what is here') in watch.seen
    assert server.served == len(BIG)


def test_silence_ends_after_the_patience_and_busy_servers_are_waited_for(server, tmp_path):
    hub = Hub(server.url)
    repository = hub.repository(NAME)
    server.errors = [503, 429, 500]
    watch = Watch()
    path = hub_file.get(
        hub, repository, repository.files['model.safetensors'], tmp_path, watch, Virtual()
    )
    assert path.read_bytes() == BIG
    assert 'status 503' in watch.notes[0]
    assert len(watch.notes) == 1  # it is told once, until something comes


def test_a_server_that_cannot_begin_in_the_middle(server, tmp_path):
    server.ranges, server.breaks = False, [400_000]
    assert got(server, tmp_path).read_bytes() == BIG
    assert server.served == 400_000 + len(BIG)


@pytest.mark.parametrize('answer', [{'begins': 0}, {'ranges': False}])
def test_a_server_that_always_begins_anew_is_left(server, tmp_path, answer):
    """With 206 or 200: the line breaks each time at the same place."""
    vars(server).update(answer)
    server.breaks = [400_000 * number for number in range(1, 100)]
    with pytest.raises(FetchError, match=r'begun anew 3 times and never came to its end'):
        got(server, tmp_path)
    assert len(server.of('GET', '/cdn/')) == 5  # the first, three anew, and the one that is refused
    server.breaks = []
    assert got(server, tmp_path).read_bytes() == BIG


def test_a_server_that_begins_elsewhere_is_refused_and_what_is_here_stays(server, tmp_path):
    server.begins, server.breaks = 1_000, [400_000]
    with pytest.raises(FetchError, match=r'byte 400000 was asked for, .* begins at byte 1000'):
        got(server, tmp_path)
    server.begins = None
    assert got(server, tmp_path).read_bytes() == BIG
    assert server.of('GET', '/cdn/')[-1].range == 'bytes=400000-'


def test_a_beginning_of_another_file_is_noticed_and_got_anew(server, tmp_path):
    etag = hashlib.sha256(BIG).hexdigest()
    partial = CachedRepository(NAME, tmp_path).partial(etag)
    partial.parent.mkdir(parents=True)
    partial.write_bytes(b'x' * 1000)
    watch = Watch()
    assert got(server, tmp_path, watch=watch).read_bytes() == BIG
    assert any('anew' in note for note in watch.notes)
    assert not partial.exists()


@pytest.mark.parametrize('there', [len(BIG), len(BIG) + 7])
def test_a_beginning_that_is_all_or_more(server, tmp_path, there):
    etag = hashlib.sha256(BIG).hexdigest()
    partial = CachedRepository(NAME, tmp_path).partial(etag)
    partial.parent.mkdir(parents=True)
    partial.write_bytes((BIG + b'1234567')[:there])
    assert got(server, tmp_path).read_bytes() == BIG
    assert len(server.of('GET', '/cdn/')) == (there > len(BIG))


@pytest.mark.parametrize('given', [BIG[:-1] + b'!', BIG + b'more'])
def test_another_file_than_the_hub_tells_of_is_removed(server, tmp_path, given):
    server.repositories[NAME].broken['model.safetensors'] = given
    with pytest.raises(FetchError, match=r'not the checksum|is longer'):
        got(server, tmp_path)
    assert not list(tmp_path.rglob('model.safetensors'))
    server.repositories[NAME].broken.clear()
    assert got(server, tmp_path).read_bytes() == BIG


def test_a_full_disk_says_so_and_keeps_what_came(server, tmp_path, monkeypatch):
    real = open

    class Full:
        """A file on a disk with room for 200 kB."""

        def __init__(self, file):
            self._file = file

        def __getattr__(self, name):
            return getattr(self._file, name)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self._file.close()

        def write(self, data):
            if self._file.tell() + len(data) > 200_000:
                raise OSError(28, 'No space left on device')
            return self._file.write(data)

    def small(path, mode='r', *more, **options):
        file = real(path, mode, *more, **options)
        return Full(file) if str(path).endswith('.incomplete') else file

    monkeypatch.setattr(hub_file, 'open', small, raising=False)
    with pytest.raises(FetchError, match=r'disk is full at \d+ kB of 1\.02 MB.*HF_HOME'):
        got(server, tmp_path)
    monkeypatch.setattr(hub_file, 'open', real)
    watch = Watch()
    assert got(server, tmp_path, watch=watch).read_bytes() == BIG
    assert watch.begun[0][2] > 100_000


def test_there_is_room_or_it_says_so_first(tmp_path):
    sizes.check_room(tmp_path / 'not' / 'there', 1000, 'set HF_HOME')
    with pytest.raises(FetchError, match=r'1000 TB are to come.*set HF_HOME'):
        sizes.check_room(tmp_path, 10**15, 'set HF_HOME')


def test_what_other_programs_left_is_removed_unless_they_still_write(server, tmp_path):
    etag = hashlib.sha256(BIG).hexdigest()
    blobs = CachedRepository(NAME, tmp_path).blob(etag).parent
    blobs.mkdir(parents=True)
    old, new, other = (
        blobs / f'{name}.incomplete' for name in (f'{etag}.1234abcd', f'{etag}.99999999', 'f.1')
    )
    for path in (old, new, other):
        path.write_bytes(b'12345')
    hours_ago = time.time() - 7200
    os.utime(old, (hours_ago, hours_ago))
    watch = Watch()
    got(server, tmp_path, watch=watch)
    assert not old.exists()
    assert new.exists()
    assert other.exists()
    assert any('1 unfinished copy' in note for note in watch.notes)


def test_two_at_once_get_it_once(server, tmp_path):
    server.speed = 3e6
    paths = []
    threads = [
        threading.Thread(target=lambda: paths.append(got(server, tmp_path))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(paths) == 2
    assert paths[0] == paths[1]
    assert server.served == len(BIG)


# Who may have it.


def test_the_token_goes_to_the_hub_and_not_to_where_it_sends_us(server, tmp_path, token):
    server.repositories[NAME].gated = True
    assert got(server, tmp_path).read_bytes() == BIG
    assert {asked.token for asked in server.of('GET', '/resolve/')} == {'hf_fake'}
    assert {asked.token for asked in server.of('GET', '/cdn/')} == {''}


def test_terms_that_are_not_accepted(server, tmp_path, monkeypatch):
    server.repositories[NAME].gated = True
    with pytest.raises(FetchError, match=r'accept its terms.*/somebody/model; then.*HF_TOKEN'):
        got(server, tmp_path)
    assert Hub(server.url).repository(NAME).gated
    monkeypatch.setenv('HF_TOKEN', 'hf_stale')
    with pytest.raises(FetchError, match='does not take your token') as caught:
        got(server, tmp_path)
    assert 'hf_stale' not in str(caught.value)


@pytest.mark.parametrize('with_token', [False, True])
def test_no_such_repository(server, tmp_path, monkeypatch, with_token):
    if with_token:
        monkeypatch.setenv('HF_TOKEN', 'hf_fake')
    with pytest.raises(FetchError, match='no repository nobody/nothing'):
        Hub(server.url).repository('nobody/nothing')


def test_no_such_revision(server):
    with pytest.raises(FetchError, match="no revision 'v9'"):
        Hub(server.url).repository(NAME, 'v9')


def test_a_file_that_is_gone(server, tmp_path):
    server.repositories[NAME].gone.add('model.safetensors')
    with pytest.raises(FetchError, match=r'no file model\.safetensors: it is gone'):
        got(server, tmp_path)


def test_no_hub_at_all(tmp_path):
    with pytest.raises(NoLine, match='cannot be reached'):
        Hub('http://127.0.0.1:9').repository(NAME)


def test_offline_is_offline(server, monkeypatch):
    monkeypatch.setattr(hub_library.constants, 'HF_HUB_OFFLINE', True)
    with pytest.raises(FetchError, match='HF_HUB_OFFLINE is set'):
        Hub(server.url).repository(NAME)
    assert not server.asked


def test_names_that_lead_out_of_the_repository_are_passed_over(server):
    server.repositories[NAME].files |= {'../../evil': b'x', '/etc/evil': b'x'}
    assert set(Hub(server.url).repository(NAME).files) == {'model.safetensors', 'config.json'}


@pytest.mark.parametrize(
    'told',
    [
        b'<html>log in first</html>',
        b'',
        b'null',
        b'[]',
        b'{}',
        b'{"id": 5, "sha": 7, "siblings": "x"}',
        b'{"id": "a/b", "sha": "%b", "siblings": [{"rfilename": "x", "size": "many",'
        b' "blobId": "%b"}]}' % (b'c' * 40, b'b' * 40),
        b'{"id": "a/b", "sha": "../../../x", "siblings": []}',
        b'{"id": "a/b", "sha": "%b", "siblings": []}' % (b'c' * 40),
    ],
)
def test_an_answer_that_is_none_of_a_hub_is_a_sentence(server, monkeypatch, told):
    def describe(handler, *_):
        handler.send(200, told, {'Content-Type': 'application/json'})

    monkeypatch.setattr(server.server.RequestHandlerClass, 'describe', describe)
    with pytest.raises(FetchError, match=r'not as the hub does|tells no commit|tells of no files'):
        Hub(server.url).repository(NAME)


@pytest.mark.parametrize(
    ('status', 'says'),
    [(403, 'status 403.*its terms.*a proxy'), (429, 'too often.*HF_TOKEN.*later'), (503, 'later')],
)
def test_what_a_refusal_means(server, status, says):
    server.errors = [status] * 9
    with pytest.raises(FetchError, match=says):
        Hub(server.url).repository(NAME)


def test_a_file_that_is_shorter_than_told_is_not_asked_for_again_and_again(server, tmp_path):
    server.repositories[NAME].broken['model.safetensors'] = b'short' * 1000
    server.ranges = False
    with pytest.raises(FetchError, match=r'shorter than the .* gives another file'):
        got(server, tmp_path)
    assert len(server.of('GET', '/cdn/')) == 1


def test_a_token_that_cannot_be_sent_is_named_and_not_shown(server, monkeypatch):
    monkeypatch.setenv('HF_TOKEN', 'hf_tökén')
    with pytest.raises(FetchError, match=r'token .* is mistyped') as caught:
        Hub(server.url).repository(NAME)
    assert 'tök' not in str(caught.value)


@pytest.mark.parametrize('endpoint', ['http://[::1', 'http://127.0.0.1:99999'])
def test_an_endpoint_that_is_no_address_is_a_sentence(tmp_path, endpoint):
    code = (
        'from kame_ros.fetch.errors import FetchError\n'
        'from kame_ros.fetch.hub import Hub\n'
        'from kame_ros.s2s.moshi.weights import checkpoint, errors\n'
        'try:\n    Hub()\nexcept FetchError as error:\n    print(error)\n'
        'try:\n    checkpoint.find("a/b")\nexcept errors.CheckpointError as error:\n'
        '    print(error)\n'
    )
    done = subprocess.run(
        [sys.executable, '-c', code],
        env={**os.environ, 'HF_ENDPOINT': endpoint, 'HF_HOME': str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    told = done.stdout.splitlines()  # the hub's library prints a line of its own between
    assert told[0].startswith('HF_ENDPOINT is no address of a hub')
    assert told[-1].startswith('HF_ENDPOINT is no address of a hub')
