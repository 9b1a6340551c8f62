"""Sentence embeddings for the router: a small model on one thread, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

_MAX_TOKENS = 128


class MiniLm:
    """all-MiniLM-L6-v2 as an ONNX file with its tokenizer.json: texts to vectors of length 1.

    Mean of the token vectors, as the model was trained. Raises FileNotFoundError, ImportError.
    """

    def __init__(self, model: Path, tokenizer: Path) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        for file in (model, tokenizer):
            if not file.is_file():
                raise FileNotFoundError(f'the router has no model file {file}')
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(model), options, providers=['CPUExecutionProvider']
        )
        self._inputs = {tensor.name for tensor in self._session.get_inputs()}
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.enable_truncation(_MAX_TOKENS)
        self._tokenizer.no_padding()

    def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector for each text."""
        return [self._embed(text).tolist() for text in texts]

    def _embed(self, text: str) -> np.ndarray:
        encoded = self._tokenizer.encode(text)
        tokens = {
            'input_ids': encoded.ids,
            'attention_mask': encoded.attention_mask,
            'token_type_ids': encoded.type_ids,
        }
        feed = {k: np.asarray([v], np.int64) for k, v in tokens.items() if k in self._inputs}
        hidden = np.asarray(self._session.run(None, feed)[0])
        mean = hidden[0].mean(axis=0) if hidden.ndim == 3 else hidden[0]
        return mean / max(float(np.linalg.norm(mean)), 1e-9)
