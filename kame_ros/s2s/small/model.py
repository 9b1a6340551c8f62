"""The weights of kame-small, read from a folder and laid out for the step in numpy."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kame_ros.runtime.weights import CorruptWeights, MissingWeights
from kame_ros.s2s.small.sizes import CARD, CODES, FEATURES, DepthSize, ModelSize
from kame_ros.s2s.small.turn_end import FILE as TURN_END
from kame_ros.text.misfit import misfit

CONFIG = 'config.json'
# What reading raises of a config.json that is none.
_NO_CONFIG = (ValueError, TypeError, KeyError, OverflowError, RecursionError)
Tensors = dict[str, np.ndarray]


@dataclass(frozen=True)
class Block:
    """One layer, float32, for `x @ W`. What belongs together is one matrix: fewer, larger products.

    The normalisations are already in the matrices behind them.
    """

    heads: int
    qkv: np.ndarray  # [dim, 3 dim]
    o: np.ndarray  # [dim, dim]
    gate_up: np.ndarray  # [dim, 2 hidden]
    down: np.ndarray  # [hidden, dim]


@dataclass(frozen=True)
class SmallModel:
    """All weights, float32. The matrices are for `x @ W`, the tables have a row for each token."""

    size: ModelSize
    silence: np.ndarray  # int[8], the codes of no sound
    ear: np.ndarray  # [84, dim]
    ear_bias: np.ndarray  # [dim]
    codes: np.ndarray  # [8, 512, dim]
    text: np.ndarray  # [pieces, dim]
    window: np.ndarray  # [pieces + 1, 64]
    window_in: np.ndarray  # [ahead 64, dim]
    mark: np.ndarray  # [2, dim]
    layers: tuple[Block, ...]
    head: np.ndarray  # [dim, pieces + 1]: the pieces, and the gate that copies
    copy_bias: float
    depth_in: np.ndarray  # [dim, depth dim]
    depth_position: np.ndarray  # [8, depth dim]
    depth_text: np.ndarray  # [pieces, depth dim]
    depth_codes: np.ndarray  # [7, 512, depth dim]
    depth_layers: tuple[Block, ...]
    depth_head: np.ndarray  # [8, depth dim, 512]

    @classmethod
    def load(cls, folder: Path) -> SmallModel:
        """Reads config.json and the safetensors files of the model beside it.

        Raises MissingWeights where there are none, CorruptWeights for what is no such model.
        """
        size, silence = _config(folder)
        return cls.of(size, silence, _tensors(folder, expected(size)))

    @classmethod
    def of(cls, size: ModelSize, silence: np.ndarray, w: Tensors) -> SmallModel:
        """Of tensors named as in the file, in any float format."""
        w = {name: np.asarray(value, np.float32) for name, value in w.items()}
        norm = w['norm'][:, None]
        return cls(
            size,
            silence,
            w['ear.weight'],
            w['ear.bias'],
            w['code_emb'],
            w['text_emb'],
            w['window_emb'],
            w['window.weight'],
            w['mark_emb'],
            tuple(_block(w, f'layers.{n}', size.heads) for n in range(size.layers)),
            _joined(norm * w['text_head'], norm * w['copy_gate'][:, None]),
            float(w['copy_bias'][0]),
            np.ascontiguousarray(norm * w['depth.in']),
            w['depth.position'],
            w['depth.text'],
            w['depth.code'],
            tuple(
                _block(w, f'depth.layers.{n}', size.depth.heads) for n in range(size.depth.layers)
            ),
            np.ascontiguousarray(w['depth.norm'][:, None] * w['depth.head']),
        )


def expected(size: ModelSize) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor of a model, by its name in the file."""
    dim, depth = size.dim, size.depth
    shapes: dict[str, tuple[int, ...]] = {
        'ear.weight': (FEATURES, dim),
        'ear.bias': (dim,),
        'code_emb': (CODES, CARD, dim),
        'text_emb': (size.pieces, dim),
        'window_emb': (size.pieces + 1, size.window),
        'window.weight': (size.ahead * size.window, dim),
        'mark_emb': (2, dim),
        'norm': (dim,),
        'text_head': (dim, size.pieces),
        'copy_gate': (dim,),
        'copy_bias': (1,),
        'depth.in': (dim, depth.dim),
        'depth.position': (CODES, depth.dim),
        'depth.text': (size.pieces, depth.dim),
        'depth.code': (CODES - 1, CARD, depth.dim),
        'depth.norm': (depth.dim,),
        'depth.head': (CODES, depth.dim, CARD),
    }
    for n in range(size.layers):
        shapes |= _layer_shapes(f'layers.{n}', size)
    for n in range(depth.layers):
        shapes |= _layer_shapes(f'depth.layers.{n}', depth)
    return shapes


def _layer_shapes(name: str, size: ModelSize | DepthSize) -> dict[str, tuple[int, ...]]:
    dim, hidden = size.dim, size.hidden
    return {
        f'{name}.norm1': (dim,),
        f'{name}.norm2': (dim,),
        **{f'{name}.{part}': (dim, dim) for part in 'qkvo'},
        f'{name}.gate': (dim, hidden),
        f'{name}.up': (dim, hidden),
        f'{name}.down': (hidden, dim),
    }


def _block(w: Tensors, name: str, heads: int) -> Block:
    first, second = w[f'{name}.norm1'][:, None], w[f'{name}.norm2'][:, None]
    return Block(
        heads,
        _joined(*(first * w[f'{name}.{part}'] for part in 'qkv')),
        np.ascontiguousarray(w[f'{name}.o']),
        _joined(*(second * w[f'{name}.{part}'] for part in ('gate', 'up'))),
        np.ascontiguousarray(w[f'{name}.down']),
    )


def _joined(*matrices: np.ndarray) -> np.ndarray:
    return np.concatenate(matrices, axis=1)


def _config(folder: Path) -> tuple[ModelSize, np.ndarray]:
    path = folder / CONFIG
    try:
        config = dict(json.loads(path.read_text()))
        size, silence = ModelSize.of(config), np.asarray(config['silence'], np.int64)
    except FileNotFoundError:
        raise MissingWeights(f'there is no model of kame-small in {folder}: no {CONFIG}') from None
    except (OSError, *_NO_CONFIG) as error:
        raise CorruptWeights(
            f'{path} does not describe a model of kame-small ({misfit(error)})'
        ) from error
    if silence.shape != (CODES,) or silence.min() < 0 or silence.max() >= CARD:
        raise CorruptWeights(f'{path}: silence must be {CODES} codes below {CARD}')
    return size, silence


def files_of(folder: Path) -> list[Path]:
    """The files with the weights of the model itself."""
    return [path for path in sorted(folder.glob('*.safetensors')) if path.name != TURN_END]


def _tensors(folder: Path, shapes: dict[str, tuple[int, ...]]) -> Tensors:
    """The tensors of all safetensors files of a folder, checked. Raises as `SmallModel.load`."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    paths = files_of(folder)
    if not paths:
        raise MissingWeights(f'there is no model of kame-small in {folder}: no model.safetensors')
    found: Tensors = {}
    for path in paths:
        try:
            found |= load_file(path)
        except (OSError, SafetensorError) as error:
            raise CorruptWeights(f'{path} is no whole safetensors file ({error})') from error
        except (TypeError, KeyError, AttributeError) as error:  # numpy has no bfloat16
            raise CorruptWeights(
                f'{path} holds tensors that are not float16 or float32 ({error})'
            ) from error
    for name, shape in shapes.items():
        if name not in found:
            raise CorruptWeights(f'the model in {folder} lacks the tensor {name}')
        if found[name].shape != shape:
            raise CorruptWeights(
                f'the model in {folder}: {name} is {list(found[name].shape)}, not {list(shape)}'
            )
        if not np.isfinite(found[name]).all():
            raise CorruptWeights(f'the model in {folder}: {name} holds numbers that are none')
    return found
