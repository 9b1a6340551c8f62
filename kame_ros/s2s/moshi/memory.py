"""How much memory a Moshi model takes, by arithmetic, and the settings that fit into what is free.

No torch: it can be asked before anything is loaded, from what config.json says. Weights and rings
are exact, as tests hold against models that are built; `WORK` is an estimate: no GPU was at hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

ITEMSIZE = {'bfloat16': 2, 'float16': 2, 'float32': 4}
MIMI = 384_600_000  # bytes: Mimi's weights and code books, in float32
MIMI_SLOT = 16_500_000  # bytes of Mimi's own memory for each slot
# Beside model and rings: the driver's context, libraries, compiled kernels, captured graphs, and
# what a step or the rounding of a weight needs for a moment. An estimate.
WORK = 1_200_000_000
WORK_SLOT = 20_000_000
PROCESS = 2_500_000_000  # of RAM beside a model on a CPU: torch, ROS, what a file is read through
SPARE = 0.03  # of the free memory, which is kept: free memory is in pieces
CONTEXTS = (3000, 1500, 750, 375)  # frames: 240, 120, 60, 30 s
_GROUP = 32


# What a sum needs of a config.json; far beyond any model the sum itself would take for ever.
_COUNTS = ('num_layers', 'depformer_num_layers', 'dep_q', 'n_q')
_WIDTHS = ('dim', 'depformer_dim', 'card', 'text_card')
_MOST_LAYERS, _MOST_WIDE = 10_000, 10_000_000


@dataclass(frozen=True)
class Setting:
    """What of the settings decides over memory; `context` in frames, 0: as it was trained."""

    quantise: str = 'none'
    context: int = 3000
    slots: int = 1

    def __str__(self) -> str:
        return f'quantise={self.quantise}, context={self.context}, slots={self.slots}'


@dataclass(frozen=True)
class Needs:
    """Bytes: the language model's weights, what was heard (of all slots), the codec, the rest."""

    weights: int
    heard: int
    codec: int
    work: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.heard + self.codec + self.work


def untold_size(model: Mapping[str, Any]) -> str:
    """A size that a config.json leaves to moshi, so that there is no sum; empty: it tells all."""
    told = (*_COUNTS, *_WIDTHS, 'hidden_scale')
    return next((key for key in told if key not in model), '')


def bad_size(model: Mapping[str, Any]) -> str:
    """What in a config.json no sum can be made of, as a sentence; empty: there is nothing."""
    for key, most in (
        *((key, _MOST_LAYERS) for key in _COUNTS),
        *((key, _MOST_WIDE) for key in _WIDTHS),
    ):
        if key in model and not _whole(model[key], 1, most):
            return f'{key} is a whole number between 1 and {most}, not {model[key]!r}'
    scale = model.get('hidden_scale', 1)
    if not isinstance(scale, int | float) or isinstance(scale, bool) or not 0 < scale < 1000:
        return f'hidden_scale is a number between 0 and 1000, not {scale!r}'
    for key in ('context', 'depformer_dim_feedforward', 'text_card_out'):
        if model.get(key) is not None and not _whole(model[key], 0, _MOST_WIDE):
            return f'{key} is a whole number between 0 and {_MOST_WIDE}, not {model[key]!r}'
    schedule = model.get('depformer_weights_per_step_schedule') or []
    if not isinstance(schedule, list) or not all(
        _whole(step, 0, _MOST_LAYERS) for step in schedule
    ):
        return f'depformer_weights_per_step_schedule is a list of whole numbers, not {schedule!r}'
    return ''


def _whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def needs(
    model: Mapping[str, Any], setting: Setting, dtype: str = 'bfloat16', oracle: bool = True
) -> Needs:
    """What the model of a config.json takes; KeyError if that lacks a size."""
    frames = _context(model, setting.context)
    ring = 2 * model['num_layers'] * model['dim'] * frames * ITEMSIZE[dtype]
    return Needs(
        weights=weight_bytes(model, setting.quantise, dtype, oracle),
        heard=setting.slots * ring,
        codec=MIMI + setting.slots * MIMI_SLOT,
        work=WORK + setting.slots * WORK_SLOT,
    )


def _context(model: Mapping[str, Any], wanted: int) -> int:
    trained = model.get('context') or 0
    return min(wanted, trained) if wanted and trained else wanted or trained or CONTEXTS[0]


def file_bytes(model: Mapping[str, Any], dtype: str = 'float32', oracle: bool = True) -> int:
    """What a checkpoint takes on a disk, Mimi and the tokeniser with it."""
    return weight_bytes(model, 'none', dtype, oracle) + MIMI + 1_000_000


def weight_bytes(
    model: Mapping[str, Any], quantise: str = 'none', dtype: str = 'bfloat16', oracle: bool = True
) -> int:
    """Bytes of the language model's weights."""
    size = ITEMSIZE[dtype]
    total = size * _others(model, oracle)
    for rows, width, depformer in _linears(model):
        kind = 'int8' if quantise == 'int4' and depformer else quantise
        if kind == 'none':
            total += size * rows * width
        elif kind == 'int4':
            total += rows * width // 2 + 4 * rows * width // _GROUP
        else:
            total += rows * width + 4 * rows
    return total


def _linears(model: Mapping[str, Any]) -> Iterator[tuple[int, int, bool]]:
    """Rows and width of each linear layer, and whether it is the depformer's."""
    dim, depth = model['dim'], model['depformer_dim']
    yield model.get('text_card_out') or model['text_card'], dim, False
    for _ in range(model['num_layers']):
        for rows, width in _layer(dim, int(model['hidden_scale'] * dim)):
            yield rows, width, False
    schedule = model.get('depformer_weights_per_step_schedule')
    kinds = max(schedule) + 1 if schedule else model['dep_q']
    inputs = kinds if model.get('depformer_multi_linear') else 1
    yield inputs * depth, dim, True
    forward = model.get('depformer_dim_feedforward') or int(model['hidden_scale'] * depth)
    steps = kinds if model.get('depformer_weights_per_step') else 1
    for _ in range(model['depformer_num_layers'] * steps):
        for rows, width in _layer(depth, forward):
            yield rows, width, True
    for _ in range(model['dep_q']):
        yield model['card'], depth, True


def _layer(dim: int, forward: int) -> Iterator[tuple[int, int]]:
    """The linear layers of a transformer's layer with gating."""
    hidden = 21 * dim // 8 if forward == 4 * dim else 2 * forward // 3
    yield 3 * dim, dim
    yield dim, dim
    yield 2 * hidden, dim
    yield dim, hidden


def _others(model: Mapping[str, Any], oracle: bool) -> int:
    """Numbers of embeddings and norms, which are never rounded."""
    dim, depth = model['dim'], model['depformer_dim']
    words, codes = model['text_card'] + 1, model['card'] + 1
    tables = (1 + oracle) * words * dim + model['n_q'] * codes * dim
    tables += words * depth + (model['dep_q'] - 1) * codes * depth
    norms = (2 * model['num_layers'] + 1) * dim + 2 * model['depformer_num_layers'] * depth
    if model.get('depformer_norm'):
        norms += model['dep_q'] * depth
    return tables + norms


def fit(
    model: Mapping[str, Any],
    free: int,
    wanted: Setting,
    *,
    kinds: Sequence[str] = ('none', 'int8', 'int4'),
    dtype: str = 'bfloat16',
    oracle: bool = True,
) -> Setting | None:
    """The best setting that fits into `free` bytes, at most `wanted`; None: there is none.

    First the slots stay as many as wanted and the context at 60 s or more, while weights become
    smaller, those of a kind the model is `wanted` with at least; then the context shrinks to 30 s;
    then slots go.
    """
    kinds = tuple(kinds)[kinds.index(wanted.quantise) :] if wanted.quantise in kinds else kinds
    room = int(free * (1 - SPARE))

    def fits(setting: Setting) -> bool:
        return needs(model, setting, dtype, oracle).total <= room

    longest = _context(model, wanted.context)
    contexts = [longest, *(frames for frames in CONTEXTS if frames < longest)]
    for slots in range(wanted.slots, 0, -1):
        for at_least in (min(750, longest), 0):
            for kind in kinds:
                for context in contexts:
                    setting = Setting(kind, context, slots)
                    if context >= at_least and fits(setting):
                        return setting
    return None


def ways_down(
    model: Mapping[str, Any], now: Setting, dtype: str = 'bfloat16', oracle: bool = True
) -> list[tuple[str, int]]:
    """Settings that take less, each by itself, and by how many bytes; the largest gain first."""
    before = needs(model, now, dtype, oracle).total
    context = _context(model, now.context)
    smaller = {'none': ('int8', 'int4'), 'int8': ('int4',), 'fp8': ('int4',), 'int4': ()}
    tried = {
        f's2s.moshi.quantise={kind}': replace(now, quantise=kind) for kind in smaller[now.quantise]
    }
    if context > 750:
        tried['s2s.moshi.context=750 (60 s)'] = replace(now, context=750)
    elif context > 375:
        tried['s2s.moshi.context=375 (30 s)'] = replace(now, context=375)
    if now.slots > 1:
        tried['one slot less'] = replace(now, slots=now.slots - 1)
    gains = [(name, before - needs(model, s, dtype, oracle).total) for name, s in tried.items()]
    return sorted((pair for pair in gains if pair[1] > 0), key=lambda pair: -pair[1])


def advice(model: Mapping[str, Any], now: Setting, free: int, dtype: str = 'bfloat16') -> str:
    """What to do where `free` bytes were not enough, with numbers."""
    total = needs(model, now, dtype).total
    ways = ways_down(model, now, dtype)
    told = ', '.join(f'{name} saves {gain / 1e9:.1f}' for name, gain in ways)
    return (
        f'{now} in {dtype} takes about {total / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free'
        + (f': {told} GB' if told else '')
        + '; s2s.moshi.fit=auto chooses what fits'
    )
