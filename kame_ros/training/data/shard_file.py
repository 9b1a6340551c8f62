"""Writes the dialogues of a shard, and reads parts of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kame_ros.s2s.moshi.oracle.growing_text import known_tokens
from kame_ros.training.data.arrival import ArrivedOracle
from kame_ros.training.data.data_file import Shard
from kame_ros.training.data.dialogue import SPEAKERS, DataError, DialogueWord
from kame_ros.training.data.inputs import Input
from kame_ros.training.data.layout import Marks, monologue
from kame_ros.training.oracles import oracle_file

QUIET = 10 ** (-60 / 20)  # RMS of full scale: no sound, however soft the speaker
SOFT = 10 ** (-40 / 20)  # of the loudest frame: no sound of theirs, in a noisy room
MAKE_ANEW = 'remove it and run "kame train prepare" again, which makes only this shard anew'


@dataclass
class Count:
    """Words of the robot, and those of which the tokeniser knows no part."""

    words: int = 0
    unknown: int = 0


def tensors(
    source: Input,
    codes: np.ndarray,
    levels: np.ndarray,
    robot: str,
    tokenizer: Any,
    marks: Marks,
    count: Count,
) -> dict[str, np.ndarray]:
    """What a shard holds of a dialogue whose robot is A or B.

    `codes` are int16[2, 8, T] and `levels`, the loudness of each frame, float[2, T], of A and B.
    """
    own = SPEAKERS.index(robot)
    words = source.dialogue().words
    known = known_tokens(tokenizer)

    def encode(text: str) -> list[int]:
        tokens = known(text)
        count.words += 1
        count.unknown += not tokens
        return tokens

    spoken = [(word.start, word.end, word.text) for word in words if word.speaker == robot]
    oracles = oracle_file.read(source.oracles, robot) if source.oracles is not None else []
    loudest = float(levels[own].max())
    return {
        'robot': codes[own],
        'user': codes[1 - own],
        'text': monologue(spoken, encode, codes.shape[2], marks).astype(np.int32),
        'quiet': (levels[own] < max(QUIET, SOFT * loudest)).astype(np.uint8),
        'words': _json([[word.speaker, word.text, word.start, word.end] for word in words]),
        'oracles': _json([[oracle.at, oracle.text, oracle.final] for oracle in oracles]),
    }


def _json(value: Any) -> np.ndarray:
    return np.frombuffer(json.dumps(value, ensure_ascii=False).encode(), np.uint8)


def content(dialogues: list[dict[str, np.ndarray]]) -> bytes:
    """The bytes of a shard."""
    from safetensors.numpy import save

    return save(
        {
            f'{number}.{key}': np.ascontiguousarray(array)
            for number, dialogue in enumerate(dialogues)
            for key, array in dialogue.items()
        }
    )


class ShardReader:
    """An open shard, mapped into memory: only what is asked for is read.

    Its sha256 is checked once, when it is opened. Raises DataError.
    """

    def __init__(self, folder: Path, shard: Shard) -> None:
        from safetensors import SafetensorError, safe_open

        self.path = folder / shard.file
        if damage := shard.damage(folder, whole=True):
            raise DataError(f'{self.path} {damage}; {MAKE_ANEW}')
        try:
            self._file = safe_open(self.path, framework='np')
        except (SafetensorError, OSError) as error:
            raise DataError(f'{self.path} is damaged ({error}); {MAKE_ANEW}') from error

    def frames(self, number: int, key: str, begin: int, end: int) -> np.ndarray:
        """The frames from `begin` up to `end`, or the last, of `robot`, `user`, `text`, `quiet`."""
        part = self._file.get_slice(f'{number}.{key}')
        end = min(end, part.get_shape()[-1])
        return np.asarray(part[..., begin:end] if key in ('robot', 'user') else part[begin:end])

    def words(self, number: int) -> tuple[DialogueWord, ...]:
        """All that was said in a dialogue."""
        rows = self._json(f'{number}.words')
        return tuple(DialogueWord(speaker, text, start, end) for speaker, text, start, end in rows)

    def oracles(self, number: int) -> list[ArrivedOracle]:
        """All that was written for the robot of a dialogue."""
        return [
            ArrivedOracle(at, text, final) for at, text, final in self._json(f'{number}.oracles')
        ]

    def _json(self, key: str) -> Any:
        return json.loads(self._file.get_tensor(key).tobytes())
