"""Random speech models for s2s_step.py, of the size of a test or of KAME."""

from __future__ import annotations

import torch

from kame_ros.s2s.moshi import random_checkpoint
from kame_ros.s2s.moshi.model import OracleLMModel
from kame_ros.s2s.moshi.upstream import LMModel, MimiModel, loaders

EMBEDDINGS = ('emb.', 'text_emb.', 'oracle_emb.', 'depformer_emb.', 'depformer_text_emb.')


class NoTokenizer:
    """The benchmark's oracle is silent, so that nothing is tokenised or written."""

    def encode(self, _text: str) -> list[int]:
        return []

    def vocab_size(self) -> int:
        return 0


def make_lm(size: str, device: str) -> OracleLMModel:
    """A random language model, in the dtype it is used in."""
    small = {**random_checkpoint.LM, 'text_card': random_checkpoint.VOCABULARY}
    kwargs = loaders._lm_kwargs | (small if size == 'tiny' else {})
    dtype = torch.float32 if size == 'tiny' else torch.bfloat16
    torch.manual_seed(0)
    lm = OracleLMModel(device=device, dtype=dtype, **kwargs).eval()
    for weight in lm.parameters():
        weight.requires_grad_(False)
    return lm


def make_mimi(size: str, device: str) -> MimiModel:
    """A random codec with filled codebooks."""
    config = random_checkpoint._mimi_config() if size == 'tiny' else loaders._mimi_config
    mimi = loaders.get_mimi(None, config, device=device, num_codebooks=8)
    for name, buffer in mimi.named_buffers():
        if name.endswith('embedding_sum'):
            buffer.normal_()
    return mimi


def bytes_of_a_step(lm: LMModel) -> int:
    """The weights that one step reads; of an embedding it reads a row."""
    return sum(
        weight.numel() * weight.element_size()
        for name, weight in lm.named_parameters()
        if not name.startswith(EMBEDDINGS)
    )
