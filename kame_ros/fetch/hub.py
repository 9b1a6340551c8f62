"""What the Hugging Face hub tells of a repository: its files, sizes, checksums and licence."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from kame_ros.fetch.errors import FetchError, NoLine
from kame_ros.settings.values import shown

_NAME = re.compile(r'[\w.-]+/[\w.-]+', re.ASCII)
_LONGEST_NAME = 96
_COMMIT = re.compile('[0-9a-f]{40}')
HOW_TO_INSTALL = 'the package huggingface-hub is not installed: pip install "huggingface-hub>=1.0"'

# What the hub's library raises where an answer is not as a hub's.
_NOT_UNDERSTOOD = (
    json.JSONDecodeError,
    UnicodeDecodeError,
    KeyError,
    TypeError,
    AttributeError,
)
_NO_HUB = (
    'answers, but not as the hub does: is there a page to log in to before this network lets you '
    'out, a proxy, or a wrong HF_ENDPOINT?'
)


@dataclass(frozen=True)
class RemoteFile:
    """A file of a repository. `etag` is its name in the cache.

    That is the sha256 of large files, and of small ones git's SHA-1 of a blob.
    """

    path: str
    size: int
    etag: str


@dataclass(frozen=True)
class Repository:
    """A repository at one commit."""

    name: str
    revision: str
    commit: str
    files: Mapping[str, RemoteFile] = field(default_factory=dict)
    licence: str = ''
    gated: bool = False
    page: str = ''  # where people read and accept its terms


def is_name(text: str) -> bool:
    """Whether a text can be the name of a repository, by the rules of the hub's library."""
    if not _NAME.fullmatch(text) or '..' in text or '--' in text or text.endswith('.git'):
        return False
    return all(
        len(part) <= _LONGEST_NAME and part[0] not in '-.' and part[-1] not in '-.'
        for part in text.split('/')
    )


class Hub:
    """The hub at `endpoint`; empty: that of the environment (HF_ENDPOINT), else huggingface.co.

    The token is that of HF_TOKEN, or of the hub's own file after `hf auth login`. It goes to the
    endpoint only.
    """

    def __init__(self, endpoint: str = '') -> None:
        try:
            from huggingface_hub import constants, get_session  # noqa: F401  (since 1.0 of httpx)
        except ImportError as error:
            raise FetchError(HOW_TO_INSTALL) from error
        except ValueError as error:  # read when it is imported
            raise FetchError(f'HF_ENDPOINT is no address of a hub: {error}') from error
        self.endpoint = (endpoint or constants.ENDPOINT).rstrip('/')

    def repository(self, name: str, revision: str = '') -> Repository:
        """What is in a repository. Raises FetchError; NoLine where the hub cannot be reached."""
        from huggingface_hub import HfApi

        if not is_name(name):
            raise FetchError(f'{shown(name)} is no name of a repository on the Hugging Face hub')
        check_online(name)
        page = f'{self.endpoint}/{name}'
        try:
            told = HfApi(endpoint=self.endpoint).model_info(
                name, revision=revision or None, files_metadata=True, timeout=30.0
            )
        except Exception as error:  # of the hub's library, and of the one below it
            raise self._refusal(error, name, revision) from error
        # It becomes the name of a folder.
        commit = str(told.sha or '')
        if not _COMMIT.fullmatch(commit):
            raise FetchError(f'{page} tells no commit: it is no repository of models')
        try:
            files = [_file(sibling) for sibling in told.siblings or ()]
            licence = _licence(told)
        except (AttributeError, TypeError, ValueError) as error:
            raise FetchError(f'{self.endpoint} {_NO_HUB}') from error
        if not any(files):
            raise FetchError(f'{page} tells of no files: there is nothing to get')
        return Repository(
            name,
            revision or 'main',
            commit,
            {file.path: file for file in files if file is not None},
            licence,
            bool(told.gated),
            page,
        )

    def address(self, repository: Repository, path: str) -> str:
        """The address of a file."""
        return f'{self.endpoint}/{repository.name}/resolve/{repository.commit}/{quote(path)}'

    def headers(self) -> dict[str, str]:
        """What a request to the endpoint carries: who asks, and the token if there is one."""
        from huggingface_hub.utils import build_hf_headers

        from kame_ros import __version__

        return dict(build_hf_headers(library_name='kame_ros', library_version=__version__))

    def _refusal(self, error: Exception, name: str, revision: str) -> FetchError:
        response = getattr(error, 'response', None)
        reason = ' '.join(str(error).split())[:200] or type(error).__name__
        if isinstance(error, OSError) and error.filename:  # such as the file of the token
            return FetchError(f'cannot read {error.filename}: {error.strerror or reason}')
        if isinstance(error, UnicodeEncodeError):  # its words may hold a part of it
            return FetchError('the token (HF_TOKEN) has letters that no token has: it is mistyped')
        if response is None and isinstance(error, _NOT_UNDERSTOOD):
            return NoLine(f'{self.endpoint} {_NO_HUB}')
        if isinstance(error, ValueError) and response is None:  # such as a proxy's address
            return FetchError(f'{self.endpoint} cannot be asked ({reason})')
        if response is None:
            return NoLine(
                f'{self.endpoint} cannot be reached ({reason}): call it again where a network is'
            )
        found = refusal(
            response.status_code, response.headers, f'{self.endpoint}/{name}', name, revision
        )
        return NoLine(f'{found}: call it again later') if isinstance(found, NoLine) else found


def check_online(name: str) -> None:
    """Raises FetchError where the environment forbids asking the hub."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise FetchError(
            f'HF_HUB_OFFLINE is set, so that {name} cannot be got: unset it where a network is'
        )


def refusal(
    status: int, headers: Mapping[str, str], page: str, name: str, what: str = ''
) -> FetchError:
    """What an answer of the hub that is none means, and what to do about it."""
    code = headers.get('X-Error-Code', '')
    given = has_token()
    if status == 403 and not code:
        return FetchError(
            f'access to {name} is refused (status 403): see at {page} whether it asks you to '
            'accept its terms; your token may lack the right to read it, or a proxy does not let '
            'you out'
        )
    if code == 'GatedRepo':
        how = (
            'the account of your token has not accepted them, or waits to be let in'
            if given
            else 'then make a token at https://huggingface.co/settings/tokens and export HF_TOKEN=…'
        )
        return FetchError(f'{name} asks you to accept its terms: do so at {page}; {how}')
    if code == 'RevisionNotFound':
        return FetchError(f'{name} has no revision {what!r}: see {page}/tree/main')
    if code == 'EntryNotFound' or (status == 404 and not code and what):
        return FetchError(f'{name} has no file {what}: it is gone, or was renamed; see {page}')
    if status == 401 and given and code != 'RepoNotFound':
        return FetchError(
            'the hub does not take your token (HF_TOKEN, or that of "hf auth login"): it is '
            'mistyped, or has expired'
        )
    if code == 'RepoNotFound' or status in (401, 404):
        private = 'your token may not read it' if given else 'it is private, which needs HF_TOKEN'
        return FetchError(f'there is no repository {name} on the hub, or {private}; see {page}')
    if status == 429:
        more = '' if given else '; it lets you ask more often with a token (HF_TOKEN)'
        return NoLine(f'the hub was asked too often (status 429){more}')
    if status == 408 or status >= 500:
        return NoLine(f'the hub is busy or broken (status {status})')
    return FetchError(f'the hub refuses {what or name} (status {status}); see {page}')


def has_token() -> bool:
    """Whether there is a token for the hub; it is shown nowhere."""
    if os.environ.get('HF_TOKEN', '').strip():
        return True
    try:
        from huggingface_hub import get_token

        return bool(get_token())
    except ImportError:
        return False


def _file(sibling: Any) -> RemoteFile | None:
    lfs = getattr(sibling, 'lfs', None)
    etag = (lfs.sha256 if lfs else '') or getattr(sibling, 'blob_id', '') or ''
    size = (lfs.size if lfs else None) or sibling.size
    path = sibling.rfilename
    # The names of files of a repository come from strangers: none may lead out of its folder.
    if not re.fullmatch('[0-9a-f]{40}|[0-9a-f]{64}', etag) or size is None or int(size) < 0:
        return None
    if path.startswith('/') or '..' in path.split('/') or '\\' in path:
        return None
    return RemoteFile(path, int(size), etag)


def _licence(told: Any) -> str:
    card = told.card_data
    if card is None:
        tags = [tag.partition(':')[2] for tag in told.tags or () if tag.startswith('license:')]
        return tags[0] if tags else ''
    data = card.to_dict() if hasattr(card, 'to_dict') else dict(card)
    name = str(data.get('license_name') or data.get('license') or '')
    link = str(data.get('license_link') or '')
    return f'{name} ({link})' if link and link.startswith('http') else name
