"""All that is used of PyPI `moshi`, in one place, imported after the environment is set for it."""

from __future__ import annotations

import kame_ros.s2s.moshi.weights.runtime  # noqa: F401  (first: moshi reads the environment when imported)

# isort: split
from moshi.models import loaders
from moshi.models.compression import MimiModel
from moshi.models.lm import LMGen, LMModel, LMOutput
from moshi.models.lm_utils import ScaledEmbedding
from moshi.modules.gating import ActivationGating
from moshi.modules.lora import LoRALinear
from moshi.modules.transformer import RingKVCache, RMSNorm, StreamingTransformerLayer
from moshi.utils.compile import CUDAGraphed

__all__ = [
    'ActivationGating',
    'CUDAGraphed',
    'LMGen',
    'LMModel',
    'LMOutput',
    'LoRALinear',
    'MimiModel',
    'RMSNorm',
    'RingKVCache',
    'ScaledEmbedding',
    'StreamingTransformerLayer',
    'loaders',
]
