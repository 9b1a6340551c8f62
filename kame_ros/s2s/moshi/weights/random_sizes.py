"""The sizes of the small random checkpoint, where they are not those of Moshi. No torch."""

from __future__ import annotations

from typing import Any

VOCABULARY = 400
CARD = 256  # entries of a codebook
LM: dict[str, Any] = {
    'dim': 128,
    'n_q': 16,
    'dep_q': 8,
    'card': CARD,
    'num_heads': 4,
    'num_layers': 4,
    'hidden_scale': 4.125,
    'context': 250,
    'depformer_dim': 64,
    'depformer_dim_feedforward': 264,
    'depformer_num_heads': 2,
    'depformer_num_layers': 2,
}
