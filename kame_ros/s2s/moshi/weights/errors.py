"""What is wrong with a checkpoint."""

from __future__ import annotations

# A clone without git-LFS has a line of text in the place of each large file.
NO_SAFETENSORS = (
    'is no safetensors file, was cut off, or is the pointer that git without LFS leaves: '
    'download it again'
)


class CheckpointError(RuntimeError):
    """A checkpoint that is missing, damaged or of another model; the text says what to do."""


class NotHere(CheckpointError):
    """Files that are not on this machine and can be got: `kame get` with this name."""

    def __init__(self, text: str, name: str, revision: str = '') -> None:
        super().__init__(text)
        self.name, self.revision = name, revision
