"""Gets one file of the hub, piece by piece, and goes on where an earlier try has ended.

The hub's own library names what it begins anew at each try, so that a broken line costs all of it
(huggingface_hub 1.0 and newer, `_download_to_tmp_and_move`). Here what has come stays under one
name; the checksum of the whole says at the end whether all tries have got the same file.
"""

from __future__ import annotations

import hashlib
import importlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kame_ros.fetch.errors import FetchError, NoLine
from kame_ros.fetch.hub import Hub, RemoteFile, Repository, refusal
from kame_ros.fetch.hub_cache import CachedRepository
from kame_ros.fetch.report import FetchReport
from kame_ros.fetch.sizes import in_words, is_full

_PIECE = 1 << 20  # bytes
_LONGEST_PAUSE_S = 15.0
_MOST_ANEW = 3  # how often a file is begun anew by a server that cannot go on in its midst
_ANOTHER = 'the hub, or something between (a proxy?), gives another file'


@dataclass(frozen=True)
class LinePatience:
    """How long a line may be broken or silent.

    `silent_s`: without a byte, a line counts as broken; `broken_s`: after so long without a byte
    the download ends. What has come stays.
    """

    silent_s: float = 30.0
    broken_s: float = 600.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


def get(
    hub: Hub,
    repository: Repository,
    file: RemoteFile,
    cache: Path,
    report: FetchReport,
    patience: LinePatience | None = None,
) -> Path:
    """The file in the cache, got unless it is there. Raises FetchError."""
    place = CachedRepository(repository.name, cache)
    blob = place.blob(file.etag)
    try:
        blob.parent.mkdir(parents=True, exist_ok=True)
        with place.locked(file.etag):  # another process may be getting it: then it is there
            report.begin(file.path, file.size, place.have(file.etag, file.size))
            if not blob.is_file():
                _get(hub, repository, file, place, report, patience or LinePatience())
            _sweep(place, file, report)
            path = place.link(repository.commit, file.path, file.etag)
    except OSError as error:
        if is_full(error):
            raise FetchError(
                f'the disk is full at {in_words(place.have(file.etag, file.size))} of '
                f'{in_words(file.size)} of {file.path}, which stay in {blob.parent}: free some '
                'space and call it again, or set HF_HOME to another disk'
            ) from error
        where = error.filename or blob.parent
        raise FetchError(
            f'cannot write {where}: {error.strerror or error}; set HF_HOME to a folder that can be '
            'written'
        ) from error
    report.end()
    return path


def _get(
    hub: Hub,
    repository: Repository,
    file: RemoteFile,
    place: CachedRepository,
    report: FetchReport,
    patience: LinePatience,
) -> None:
    partial = place.partial(file.etag)
    resumed = partial.exists()
    while True:
        digest = _receive(hub, repository, file, partial, report, patience)
        if digest == file.etag:
            partial.rename(place.blob(file.etag))
            return
        partial.unlink()
        if not resumed:
            raise FetchError(
                f'{file.path} has not the checksum that the hub tells of it, and was removed: '
                f'{_ANOTHER}'
            )
        report.note(f'{file.path} was not what the hub has: it is got anew from its beginning')
        resumed = False


def _receive(
    hub: Hub,
    repository: Repository,
    file: RemoteFile,
    partial: Path,
    report: FetchReport,
    patience: LinePatience,
) -> str:
    """Gets what is missing, however often the line breaks; gives the checksum of the whole."""
    digest = _Digest(file)
    with open(partial, 'a+b') as out:
        _read_again(out, digest, file, report)
        alive, tries = patience.clock(), 0
        while digest.size < file.size:
            before = digest.size
            try:
                for piece in _pieces(hub, repository, file, digest, out, patience):
                    out.write(piece)
                    digest.add(piece)
                    report.reached(digest.size)
                    alive, tries = patience.clock(), 0
                reason = 'the line ended'
            except NoLine as error:
                reason = str(error)
            out.flush()
            if digest.size >= file.size:
                break
            if patience.clock() - alive > patience.broken_s:
                raise NoLine(
                    f'{reason}, for {patience.broken_s:.0f} s now; {in_words(digest.size)} of '
                    f'{in_words(file.size)} are here and stay: call it again to go on'
                )
            if digest.size > before or not tries:
                report.note(
                    f'{reason} at {in_words(digest.size)} of {in_words(file.size)}: going on'
                )
            patience.sleep(min(2.0**tries, _LONGEST_PAUSE_S))
            tries += 1
    return digest.hex()


class _Digest:
    """The checksum by which the cache names a file, of what has come so far."""

    def __init__(self, file: RemoteFile) -> None:
        self._file = file
        self.begun_anew = 0
        self.clear()

    def clear(self) -> None:
        self.size = 0
        if len(self._file.etag) == 64:
            self._hash = hashlib.sha256()
        else:  # git's blobs, https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
            self._hash = hashlib.sha1(b'blob %d\0' % self._file.size, usedforsecurity=False)

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        self._hash.update(piece)

    def hex(self) -> str:
        return self._hash.hexdigest()


def _read_again(out: Any, digest: _Digest, file: RemoteFile, report: FetchReport) -> None:
    """What an earlier try has got becomes part of the checksum."""
    out.seek(0)
    if out.seek(0, 2) > file.size:  # another program's: no beginning of this file
        out.truncate(0)
    out.seek(0)
    while piece := out.read(_PIECE):
        digest.add(piece)
        report.reached(digest.size, 'reading what is here')


def _pieces(
    hub: Hub,
    repository: Repository,
    file: RemoteFile,
    digest: _Digest,
    out: Any,
    patience: LinePatience,
) -> Iterator[bytes]:
    """The bytes that follow on what is here. Raises NoLine when the line breaks, FetchError."""
    from huggingface_hub import get_session

    session = get_session()
    below: Any = importlib.import_module(type(session).__module__.partition('.')[0])
    # The library below drops the token where the hub sends us on to another host.
    headers = {**hub.headers(), 'Accept-Encoding': 'identity'}
    if digest.size:
        headers['Range'] = f'bytes={digest.size}-'
    try:
        with session.stream(
            'GET',
            hub.address(repository, file.path),
            headers=headers,
            timeout=patience.silent_s,
            follow_redirects=True,
        ) as answer:
            if answer.status_code not in (200, 206):
                raise refusal(
                    answer.status_code, answer.headers, repository.page, repository.name, file.path
                )
            _check_begin(file, digest, answer, out)
            for piece in answer.iter_raw():
                if digest.size + len(piece) > file.size:
                    raise FetchError(
                        f'{file.path} is longer than the {file.size} bytes that the hub tells of '
                        f'it: {_ANOTHER}'
                    )
                yield piece
            whole = answer.status_code == 200 and 'Content-Length' in answer.headers
            if whole and digest.size < file.size:  # going on would bring the same again
                out.truncate(0)
                raise FetchError(
                    f'{file.path} is shorter than the {file.size} bytes that the hub tells of it: '
                    f'{_ANOTHER}'
                )
    except below.HTTPError as error:
        raise NoLine(_why(error, below)) from error


def _check_begin(file: RemoteFile, digest: _Digest, answer: Any, out: Any) -> None:
    """Begins anew where the answer does so; raises FetchError where that leads nowhere."""
    begin = _begins_at(answer) if digest.size else 0
    if begin == digest.size:
        return
    if begin:
        where = 'somewhere, untold,' if begin < 0 else f'byte {begin}'
        raise FetchError(
            f'of {file.path}, byte {digest.size} was asked for, and what came begins at {where} '
            f'instead: {_ANOTHER}'
        )
    if digest.begun_anew == _MOST_ANEW:
        raise FetchError(
            f'{file.path} was begun anew {_MOST_ANEW} times and never came to its end: the hub, or '
            'something between (a proxy?), cannot go on in the midst of a file'
        )
    digest.begun_anew += 1
    digest.clear()
    out.truncate(0)


def _why(error: Exception, below: Any) -> str:
    """What happened to a line, in words."""
    if isinstance(error, below.TimeoutException):
        return 'nothing came for a while'
    if isinstance(error, below.RemoteProtocolError):
        return 'the other side ended in the middle'
    return f'the line broke ({" ".join(str(error).split())[:120] or type(error).__name__})'


def _begins_at(answer: Any) -> int:
    """The byte at which an answer begins."""
    if answer.status_code != 206:
        return 0
    told = str(answer.headers.get('Content-Range', '')).removeprefix('bytes ').partition('-')[0]
    return int(told) if told.isdigit() else -1


def _sweep(place: CachedRepository, file: RemoteFile, report: FetchReport) -> None:
    """Removes what other tries have left of a file that is whole now."""
    left = place.orphans(file.etag)
    size = 0
    for path in left:
        size += path.stat().st_size
        path.unlink()
    if left:
        report.note(
            f'{len(left)} unfinished {"copy" if len(left) == 1 else "copies"} of {file.path}, left '
            f'by earlier tries of other programs, removed ({in_words(size)})'
        )
