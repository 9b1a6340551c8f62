"""What a checkpoint without a word of its own is: Moshi, and where its parts are. No torch.

The same as in moshi/models/loaders.py, which imports torch; a test holds the two together.
"""

from __future__ import annotations

from typing import Any

REPOSITORY = 'kyutai/moshiko-pytorch-bf16'  # has Mimi and the tokeniser of all that come from Moshi
WEIGHTS = 'model.safetensors'
MIMI = 'tokenizer-e351c8d8-checkpoint125.safetensors'
TOKENIZER = 'tokenizer_spm_32k_3.model'
LM: dict[str, Any] = {
    'dim': 4096,
    'text_card': 32000,
    'existing_text_padding_id': 3,
    'n_q': 16,
    'dep_q': 8,
    'card': 2048,
    'num_heads': 32,
    'num_layers': 32,
    'hidden_scale': 4.125,
    'causal': True,
    'layer_scale': None,
    'context': 3000,
    'max_period': 10000,
    'gating': 'silu',
    'norm': 'rms_norm_f32',
    'positional_embedding': 'rope',
    'depformer_dim': 1024,
    'depformer_dim_feedforward': 4224,
    'depformer_num_heads': 16,
    'depformer_num_layers': 6,
    'depformer_layer_scale': None,
    'depformer_multi_linear': True,
    'depformer_context': 8,
    'depformer_max_period': 10000,
    'depformer_gating': 'silu',
    'depformer_pos_emb': 'none',
    'depformer_weights_per_step': True,
    'delays': [0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1],
}
