"""A small random checkpoint, and a copy of it that a test may break."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope='module')
def random_folder(tmp_path_factory) -> Path:
    from kame_ros.s2s.moshi.weights.random_checkpoint import write

    return write(tmp_path_factory.mktemp('random'))


@pytest.fixture
def folder(random_folder, tmp_path) -> Path:
    """A copy of the random checkpoint that a test may break."""
    for file in random_folder.iterdir():
        if file.name in ('model.safetensors', 'config.json'):
            (tmp_path / file.name).write_bytes(file.read_bytes())
        else:
            (tmp_path / file.name).symlink_to(file)
    return tmp_path
