"""Writes a trained model as a checkpoint that the moshi front-end loads."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from kame_ros.s2s.moshi.model import OracleLMModel


def export(
    model: OracleLMModel,
    lm_kwargs: dict[str, Any],
    tokenizer: bytes,
    folder: Path,
    codec: str = 'codec2-700c',
    oracle_ahead: int = 0,
) -> Path:
    """Writes config.json, model.safetensors (bfloat16) and tokenizer.model; gives `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {k: v.detach().to(torch.bfloat16).contiguous() for k, v in model.state_dict().items()}
    new = folder / 'model.safetensors.new'
    save_file(state, new)
    os.replace(new, folder / 'model.safetensors')
    (folder / 'tokenizer.model').write_bytes(tokenizer)
    config = {
        **lm_kwargs,
        'moshi_name': 'model.safetensors',
        'tokenizer_name': 'tokenizer.model',
        'model_type': 'moshi',
        'codec': codec,
        'oracle_ahead': oracle_ahead,
    }
    # Last: a folder with a config.json is a whole checkpoint.
    (folder / 'config.json').write_text(json.dumps(config, indent=1) + '\n')
    return folder
