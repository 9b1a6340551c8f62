"""Moshi's language model with a second text input, the oracle stream.

Small extensions of PyPI `moshi`'s `LMModel` and `LMGen`: no step of theirs is copied. Sources: the
KAME paper (section on the oracle stream); SakanaAI/kame, src/kame/models/lm.py (behaviour only).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor

from kame_ros.s2s.moshi.weights.upstream import CUDAGraphed, LMGen, LMModel, LMOutput

ORACLE_PREFIX = 'oracle_emb.'


class OracleLMModel(LMModel):
    """`LMModel` that adds an embedding of an oracle token to that of the text token.

    The sum is (text + oracle) first and then added to the audio, in the order of the reference, so
    that bfloat16 rounds alike. The oracle is an input only: it has no head and no loss, and the
    depformer does not see it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.oracle_emb = deepcopy(self.text_emb)  # the same kind of table, with its own weights
        self._oracle: Tensor | None = None  # [B, 1, S], of the forward that is running
        self.text_emb.register_forward_hook(self._add_oracle)

    def _add_oracle(self, _module: torch.nn.Module, _args: object, text: Tensor) -> Tensor | None:
        if self._oracle is None:
            return None
        return text + self.oracle_emb(self._oracle[:, 0])

    def forward_text(
        self,
        sequence: Tensor,
        sum_condition: Tensor | None = None,
        cross_attention_src: Tensor | None = None,
        oracle_tokens: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """The temporal transformer.

        `sequence` is [B, K, S]; `oracle_tokens`, if any, is [B, 1, S] and lies beside it. Gives the
        transformer's output [B, S, dim] and the text logits [B, 1, S, text_card].
        """
        outer = self._oracle
        self._oracle = outer if oracle_tokens is None else oracle_tokens
        try:
            return super().forward_text(sequence, sum_condition, cross_attention_src)
        finally:
            self._oracle = outer

    def forward(
        self,
        codes: Tensor,
        condition_tensors: Any = None,
        oracle_tokens: Tensor | None = None,
    ) -> LMOutput:
        """The training forward.

        `codes` is [B, K, T] and `oracle_tokens` [B, 1, T]: the token of frame t is an input for
        frame t + 1, as the text is. Raises ValueError for another shape.
        """
        if oracle_tokens is None:
            return super().forward(codes, condition_tensors)
        shape = (codes.shape[0], 1, codes.shape[2])
        if tuple(oracle_tokens.shape) != shape:
            raise ValueError(f'oracle_tokens must be {shape}, not {tuple(oracle_tokens.shape)}')
        start = self._get_initial_token()[:, :1].expand(shape[0], -1, -1)
        self._oracle = torch.cat([start, oracle_tokens[:, :, :-1]], dim=2)
        try:
            return super().forward(codes, condition_tensors)
        finally:
            self._oracle = None


class OracleLMGen(LMGen):
    """`LMGen` that is given one oracle token for each slot before a step.

    The token enters the captured CUDA graph as a tensor, as the codes do: no Python runs inside it.
    A slot that is given nothing hears padding, as the model did in training.
    """

    lm_model: OracleLMModel

    def _init_streaming_state(self, batch_size: int) -> Any:
        state = super()._init_streaming_state(batch_size)
        if not hasattr(state, 'graphed_main'):
            raise RuntimeError('this version of moshi has no graphed_main: 0.2.13 is known to work')
        self._padding = [self.lm_model.text_padding_token_id] * batch_size
        self._oracle = self._padding
        self._graphed = state.graphed_main
        self.capture(self.lm_model.forward_text)
        state.graphed_main = self._main  # type: ignore[assignment]  # LMGen only calls it
        return state

    def capture(self, main: Callable[..., tuple[Tensor, Tensor]]) -> None:
        """Makes `main(codes, sum, cross, oracle)` the function that is run as a CUDA graph."""
        self._graphed = CUDAGraphed(main, disable=self._graphed.disable)

    def feed_oracle(self, tokens: Sequence[int]) -> None:
        """Sets the oracle token of each slot for the next step, and only for that one."""
        if len(tokens) != len(self._padding):
            raise ValueError(f'{len(self._padding)} slots were given {len(tokens)} tokens')
        self._oracle = list(tokens)

    def _main(self, codes: Tensor, condition_sum: Any, condition_cross: Any) -> Any:
        oracle = torch.tensor(self._oracle, dtype=torch.long, device=codes.device).view(-1, 1, 1)
        self._oracle = self._padding
        if codes.shape[0] != oracle.shape[0]:  # classifier-free guidance doubles the batch
            oracle = oracle.repeat(codes.shape[0] // oracle.shape[0], 1, 1)
        return self._graphed(codes, condition_sum, condition_cross, oracle)
