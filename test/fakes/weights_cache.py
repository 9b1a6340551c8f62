"""What tests of weights share: an empty cache folder, and the sha256 that a file is pinned by."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def weights_cache(tmp_path, monkeypatch) -> Path:
    """Where weights are put together; it is not there yet."""
    monkeypatch.setenv('KAME_CACHE', str(tmp_path / 'cache'))
    return tmp_path / 'cache'
