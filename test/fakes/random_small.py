"""A kame-small of random weights, for tests that need a model and no sense."""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from kame_ros.s2s.small.model import expected
from kame_ros.s2s.small.sizes import DepthSize, ModelSize

SILENCE = np.array([1, 2, 3, 4, 5, 6, 7, 8])
LITTLE = ModelSize(
    pieces=40, dim=48, layers=2, heads=4, hidden=64, context=20, ahead=6, window=8,
    depth=DepthSize(dim=32, layers=2, heads=2, hidden=48),
)  # fmt: skip


def random_tensors(size: ModelSize, seed: int = 0, gain: float = 3.0) -> dict[str, np.ndarray]:
    """Tensors named as in the file, float32. `gain`: how sure the model is of what it says."""
    rng = np.random.Generator(np.random.Philox(seed))
    tensors = {}
    for name, shape in expected(size).items():
        values = rng.standard_normal(shape)
        if 'norm' in name:
            values = 1 + 0.1 * values
        elif len(shape) > 1 and 'emb' not in name:
            values /= np.sqrt(shape[-2])
        if name in ('text_head', 'depth.head'):
            values *= gain
        tensors[name] = values.astype(np.float32)
    return tensors


def write(folder: Path, size: ModelSize = LITTLE, seed: int = 0) -> Path:
    """A folder as training leaves it: config.json, and weights as float16 in two files."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: w.astype(np.float16) for name, w in random_tensors(size, seed).items()}
    names = sorted(tensors)
    for number, some in enumerate((names[::2], names[1::2])):
        save_file({name: tensors[name] for name in some}, folder / f'model-{number}.safetensors')
    config = {**size.as_dict(), 'silence': SILENCE.tolist()}
    (folder / 'config.json').write_text(json.dumps(config))
    return folder
