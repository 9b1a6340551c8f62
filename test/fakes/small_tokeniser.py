"""A real SentencePiece tokeniser, trained in an instant on a few sentences."""

from __future__ import annotations

import io
from typing import Any

import pytest


def small_tokeniser(sentences: list[str], vocab_size: int, **options: Any) -> Any:
    """Trained on `sentences`; a letter that is not in them is its bytes. Skips without the library.

    `options` are those of the trainer.
    """
    spm = pytest.importorskip('sentencepiece', reason='needs sentencepiece (the extra "moshi")')
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences),
        model_writer=model,
        vocab_size=vocab_size,
        byte_fallback=True,
        hard_vocab_limit=False,
        num_threads=1,
        minloglevel=2,
        **options,
    )
    return spm.SentencePieceProcessor(model_proto=model.getvalue())
