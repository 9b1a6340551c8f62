"""Sentence embeddings for the router: a small model on one thread, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

_MAX_TOKENS = 128
NAME = 'all-minilm-l6-v2'  # in runtime.weights


class MiniLm:
    """all-MiniLM-L6-v2 and its tokenizer.json: texts to vectors of length 1.

    `model` is its model.safetensors, or an ONNX file of it. The mean of the token vectors, as the
    model was trained. Raises FileNotFoundError, ImportError, ValueError for a file that is no such
    model.
    """

    def __init__(self, model: Path, tokenizer: Path) -> None:
        from tokenizers import Tokenizer

        for file in (model, tokenizer):
            if not file.is_file():
                raise FileNotFoundError(f'the router has no model file {file}')
        self._model = _Bert(model) if model.suffix == '.safetensors' else _OnnxModel(model)
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.enable_truncation(_MAX_TOKENS)
        self._tokenizer.no_padding()

    @classmethod
    def packaged(cls) -> MiniLm:
        """The one that `kame get` brings; raises MissingWeights, CorruptWeights."""
        from kame_ros.runtime import weights

        folder = weights.find(NAME, 'embedding')
        return cls(folder / 'model.safetensors', folder / 'tokenizer.json')

    def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector for each text."""
        return [self._embed(text).tolist() for text in texts]

    def _embed(self, text: str) -> np.ndarray:
        mean = self._model.mean(self._tokenizer.encode(text))
        return mean / max(float(np.linalg.norm(mean)), 1e-9)


class _OnnxModel:
    """The model as onnxruntime runs it."""

    def __init__(self, model: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(model), options, providers=['CPUExecutionProvider']
        )
        self._inputs = {tensor.name for tensor in self._session.get_inputs()}

    def mean(self, encoded: Any) -> np.ndarray:
        tokens = {
            'input_ids': encoded.ids,
            'attention_mask': encoded.attention_mask,
            'token_type_ids': encoded.type_ids,
        }
        feed = {k: np.asarray([v], np.int64) for k, v in tokens.items() if k in self._inputs}
        hidden = np.asarray(self._session.run(None, feed)[0])
        mean: np.ndarray = hidden[0].mean(axis=0) if hidden.ndim == 3 else hidden[0]
        return mean


class _Bert:
    """BERT in numpy, one text at a time; arXiv:1810.04805. 6 layers of 384 for this model."""

    heads = 12

    def __init__(self, model: Path) -> None:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            weights = load_file(model)
        except SafetensorError as error:
            raise ValueError(f'{model} is no safetensors file: {error}') from error
        self._weights = {k: w.astype(np.float32, copy=False) for k, w in weights.items()}
        if 'embeddings.word_embeddings.weight' not in self._weights:
            raise ValueError(f'{model} holds no BERT, as all-MiniLM-L6-v2 is')
        self._layers = len({k.split('.')[2] for k in weights if k.startswith('encoder.layer.')})

    def mean(self, encoded: Any) -> np.ndarray:
        tables = [
            self._weights[f'embeddings.{name}_embeddings.weight']
            for name in ('word', 'token_type', 'position')
        ]
        places = (encoded.ids, encoded.type_ids, range(len(encoded.ids)))
        told = [table[list(place)] for table, place in zip(tables, places, strict=True)]
        x = self._norm('embeddings', np.sum(told, axis=0))
        for number in range(self._layers):
            layer = f'encoder.layer.{number}'
            seen = self._dense(f'{layer}.attention.output', self._attended(layer, x))
            x = self._norm(f'{layer}.attention.output', x + seen)
            inner = _gelu(self._dense(f'{layer}.intermediate', x))
            x = self._norm(f'{layer}.output', x + self._dense(f'{layer}.output', inner))
        mean: np.ndarray = x.mean(axis=0)
        return mean

    def _dense(self, name: str, x: np.ndarray) -> np.ndarray:
        return self._linear(f'{name}.dense', x)

    def _linear(self, name: str, x: np.ndarray) -> np.ndarray:
        return x @ self._weights[f'{name}.weight'].T + self._weights[f'{name}.bias']

    def _norm(self, name: str, x: np.ndarray) -> np.ndarray:
        x = x - x.mean(axis=1, keepdims=True)
        x = x / np.sqrt((x * x).mean(axis=1, keepdims=True) + 1e-12)
        name = f'{name}.LayerNorm'
        return x * self._weights[f'{name}.weight'] + self._weights[f'{name}.bias']

    def _attended(self, layer: str, x: np.ndarray) -> np.ndarray:
        queries, keys, values = (
            self._linear(f'{layer}.attention.self.{name}', x)
            .reshape(len(x), self.heads, -1)
            .transpose(1, 0, 2)
            for name in ('query', 'key', 'value')
        )
        scores = queries @ keys.transpose(0, 2, 1) / np.sqrt(queries.shape[2])
        share = np.exp(scores - scores.max(axis=2, keepdims=True))
        share /= share.sum(axis=2, keepdims=True)
        return (share @ values).transpose(1, 0, 2).reshape(len(x), -1)


def _gelu(x: np.ndarray) -> np.ndarray:
    """X times the normal distribution; its integral to 1.5e-7 (Abramowitz and Stegun, 7.1.26)."""
    z = np.abs(x) / np.sqrt(2.0)
    t = 1.0 / (1.0 + 0.3275911 * z)
    series = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
    tail = sum(a * t**power for power, a in enumerate(series, 1)) * np.exp(-z * z)
    return x * np.where(x < 0, tail, 2.0 - tail) / 2.0
