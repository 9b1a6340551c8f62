"""The parameters of the moshi front-end, checked. No torch."""

from __future__ import annotations

from dataclasses import dataclass

DTYPES = ('auto', 'bfloat16', 'float16', 'float32')
QUANTISE = ('none', 'int8', 'int4', 'fp8')
MODES = ('fifo', 'positional')
RANDOM = 'random'  # instead of weights: a small random model, which speaks noise
TINY = 'kame-tiny'  # the small KAME that is part of this package


@dataclass(frozen=True, kw_only=True)
class MoshiConfig:
    """What the moshi front-end is built from. Raises ValueError for what cannot be.

    `weights` is a folder, a repository on the Hugging Face hub, `kame-tiny` or `random`. `dtype`
    auto is bfloat16 on a GPU and float32 on a CPU. `context` is how many frames back the model
    attends to, 0 as it was trained. A temperature of 0 is greedy; a `seed` of -1 is another one at
    each start.
    `lean` runs the same mathematics with far fewer operations. On a GPU, `fused` runs them as a few
    Triton kernels, which `quantise` implies; `compile` lets torch.compile fuse them instead (it
    needs a C compiler). `hush_s` is how long the robot keeps silent after an interruption.
    """

    weights: str = 'SakanaAI/kame'
    revision: str = ''
    lora: str = ''
    device: str = 'auto'
    dtype: str = 'auto'
    mode: str = 'fifo'
    quantise: str = 'none'
    context: int = 0
    temperature: float = 0.8
    temperature_text: float = 0.7
    top_k: int = 250
    top_k_text: int = 25
    seed: int = -1
    slots: int = 1
    threads: int = 1
    lean: bool = True
    fused: bool = False
    compile: bool = False
    hush_s: float = 0.96

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ('dtype', self.dtype, DTYPES),
            ('mode', self.mode, MODES),
            ('quantise', self.quantise, QUANTISE),
        ):
            if value not in allowed:
                raise ValueError(f'{name} must be one of {", ".join(allowed)}, not {value!r}')
        for name, least in (
            ('context', 0),
            ('temperature', 0),
            ('temperature_text', 0),
            ('top_k', 1),
            ('top_k_text', 1),
            ('seed', -1),
            ('slots', 1),
            ('threads', 1),
            ('hush_s', 0),
        ):
            if getattr(self, name) < least:
                raise ValueError(f'{name} must be at least {least}, not {getattr(self, name)}')
        if self.device not in ('auto', 'cpu') and self.device.split(':')[0] != 'cuda':
            raise ValueError(f'device must be auto, cpu, cuda or cuda:N, not {self.device!r}')
        if not self.weights:
            raise ValueError('weights must name a folder or a repository on the Hugging Face hub')
        if self.quantise != 'none' and not self.lean:
            raise ValueError('quantise needs lean: only the lean step has quantised layers')
        if self.fused and (self.compile or not self.lean):
            raise ValueError('fused needs lean, and cannot be combined with compile')
