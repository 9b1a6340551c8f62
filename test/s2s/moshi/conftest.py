"""Small random models for the tests of the moshi front-end, or a skip where there is no torch."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from kame_ros.s2s.moshi.weights import moshi_7b

os.environ.setdefault('OMP_NUM_THREADS', '1')
WHY = 'needs torch and moshi (the extra "moshi"): make setup-moshi'
TINY_LM: dict[str, Any] = {
    **moshi_7b.LM,
    'dim': 64,
    'text_card': 48,
    'card': 32,
    'num_heads': 4,
    'num_layers': 2,
    'context': 50,
    'depformer_dim': 32,
    'depformer_dim_feedforward': 132,
    'depformer_num_heads': 2,
    'depformer_num_layers': 2,
}


@pytest.fixture(scope='session', autouse=True)
def one_thread() -> None:
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(1)


@pytest.fixture
def tiny() -> dict[str, Any]:
    """The architecture of Moshi with tiny numbers."""
    return dict(TINY_LM)


@pytest.fixture
def make_lm() -> Callable[..., Any]:
    """Builds a tiny language model, with an oracle or without, from a seed."""
    torch = pytest.importorskip('torch', reason=WHY)
    pytest.importorskip('moshi', reason=WHY)
    from kame_ros.s2s.moshi.model import OracleLMModel
    from kame_ros.s2s.moshi.weights.upstream import LMModel

    def make(oracle: bool = True, seed: int = 0, dtype: Any = None, **changes: Any) -> Any:
        torch.manual_seed(seed)
        kind = OracleLMModel if oracle else LMModel
        lm = kind(device='cpu', dtype=dtype or torch.float32, **{**TINY_LM, **changes})
        for name, weight in lm.named_parameters():
            if 'alpha' not in name:  # wide enough that every token has its chance
                torch.nn.init.normal_(weight, std=0.3 if weight.ndim > 1 else 0.1)
        return lm.eval()

    return make
