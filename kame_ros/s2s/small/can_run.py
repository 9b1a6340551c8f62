"""Whether kame-small can run on this machine. Loads nothing."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from kame_ros.runtime import weights
from kame_ros.s2s.small.config import KAME_SMALL
from kame_ros.s2s.small.model import files_of

FOLDER = Path(__file__).with_name('kame_small')
_MODULES = ('onnxruntime', 'safetensors')
_WEIGHTS = ('hibari', 'silero-vad')


def folder_of(model: str) -> Path:
    """Where the weights called so are, or would be."""
    return FOLDER if model == KAME_SMALL else Path(model).expanduser()


def why_not(model: str = KAME_SMALL) -> str:
    """What is missing, as a sentence that says what to do; empty if it can run."""
    for module in _MODULES:
        if importlib.util.find_spec(module) is None:
            return f'{module} is not installed; get it with: pip install {module}'
    for name in _WEIGHTS:
        if not weights.KNOWN[name].present:
            return f'{name} is not installed; get it with: {weights.KNOWN[name].install}'
    folder = folder_of(model)
    if not (folder / 'config.json').is_file() or not files_of(folder):
        return f'there is no model of kame-small in {folder}'
    return ''
