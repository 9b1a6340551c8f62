"""The tokeniser of kame-tiny: a SentencePiece piece for each word and sign, deaf to case."""

from __future__ import annotations

import io
import string
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kame_ros.training.layout import Marks
from kame_ros.training.tiny.lexicon import INSIDE

SPACE = '\u2581'  # what SentencePiece writes for a space
SPACES = '-/\n\t'
SILENT_MARKS = '.,!?;:"()*#'


def make(words: tuple[str, ...], signs: str) -> bytes:
    """A SentencePiece model: a piece for each word, and one for each sign within a word.

    A word that is not known becomes the longest known one that it begins with, and signs. What has
    no piece is token 0; padding is 3, as in Moshi. `words` hold the signs too: to begin a word.
    """
    import sentencepiece

    model = io.BytesIO()
    with tempfile.TemporaryDirectory() as scratch:
        rules = Path(scratch) / 'rules.tsv'
        rules.write_text(_rules())
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter([signs * 2]),  # the first sign is taken by its word
            model_writer=model,
            model_type='char',
            user_defined_symbols=[SPACE + word for word in words],
            vocab_size=len(words) + len(signs) + 5,  # and that of a lone space
            hard_vocab_limit=False,
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
    pairs += [(mark, ' ') for mark in SPACES] + [(mark, '') for mark in SILENT_MARKS]
    pairs += [('%', ' percent'), ('\u2019', "'")]
    rows = [(' '.join(f'{ord(c):x}' for c in side) for side in pair) for pair in pairs]
    return ''.join('\t'.join(row) + '\n' for row in rows)


def read(model: bytes) -> tuple[dict[str, int], Marks]:
    """The token of each unit (see lexicon.py), and the marks."""
    from sentencepiece import SentencePieceProcessor

    tokenizer: Any = SentencePieceProcessor(model_proto=model)
    size = tokenizer.vocab_size()
    pieces = {tokenizer.id_to_piece(token): token for token in range(4, size)}
    ids = {
        piece.removeprefix(SPACE) if piece.startswith(SPACE) else INSIDE + piece: token
        for piece, token in pieces.items()
        if piece != SPACE
    }
    return ids, Marks(start=size)


def splitter(model: bytes) -> Callable[[str], list[str]]:
    """A function from any text to its units (see lexicon.py), without what has no piece."""
    from sentencepiece import SentencePieceProcessor

    tokenizer: Any = SentencePieceProcessor(model_proto=model)
    names = {token: unit for unit, token in read(model)[0].items()}
    return lambda text: [names[token] for token in tokenizer.encode(text) if token in names]
