"""The tokeniser of kame-tiny: one SentencePiece piece for each word, deaf to case and commas."""

from __future__ import annotations

import io
import string
import tempfile
from pathlib import Path
from typing import Any

from kame_ros.training.layout import Marks

SILENT_MARKS = '.,!?;:"()'


def make(words: tuple[str, ...]) -> bytes:
    """A SentencePiece model of the words. Unknown words are token 0, padding is 3 as in Moshi."""
    import sentencepiece

    model = io.BytesIO()
    with tempfile.TemporaryDirectory() as scratch:
        rules = Path(scratch) / 'rules.tsv'
        rules.write_text(_rules())
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(words),
            model_writer=model,
            model_type='word',
            vocab_size=len(words) + 4,
            character_coverage=1.0,
            unk_id=0,
            bos_id=1,
            eos_id=2,
            pad_id=3,
            normalization_rule_tsv=str(rules),
            num_threads=1,
            minloglevel=2,
        )
    # The model remembers the path of its rules, which is of no use and differs each time.
    name = str(rules).encode()
    return model.getvalue().replace(name, b'-' * len(name))


def _rules() -> str:
    """Capitals to small letters, hyphens to spaces, marks to nothing; in hexadecimal."""
    pairs = [(upper, upper.lower()) for upper in string.ascii_uppercase]
    pairs += [('-', ' '), *((mark, '') for mark in SILENT_MARKS)]
    return ''.join(f'{ord(a):x}\t{f"{ord(b):x}" if b else ""}\n' for a, b in pairs)


def read(model: bytes) -> tuple[dict[str, int], Marks]:
    """The token of each word, and the marks."""
    from sentencepiece import SentencePieceProcessor

    tokenizer: Any = SentencePieceProcessor(model_proto=model)
    size = tokenizer.vocab_size()
    ids = {tokenizer.id_to_piece(i).removeprefix('\u2581'): i for i in range(4, size)}
    return ids, Marks(start=size)
