"""Parts of scenes in which every number tells what it is: pieces, codes and users' sound."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

PIECES = 50  # 0 is silence; an even piece begins a word
BEGINS_WORD = np.arange(PIECES) % 2 == 0
SILENCE = np.full(8, 511)
BACKGROUND, NOISE, TAIL = 1, 2, 3  # features of frames without speech
OWN = range(40, 50)  # pieces that only the robot's own phrases have
PHRASE_COUNTS = (3, 2, 1)


def _sentences(path: Path, groups: list[list[int]]) -> None:
    """Sentences of two frames a piece, whose codes are the piece itself."""
    frames = [2 * len(group) for group in groups]
    pieces = np.concatenate([np.array(group) for group in groups])
    np.savez(
        path,
        codes=np.repeat(pieces, 2)[:, None].repeat(8, axis=1).astype(np.int16),
        starts=np.cumsum([0, *frames]),
        pieces=pieces.astype(np.int16),
        piece_starts=np.cumsum([0, *(len(group) for group in groups)]),
        piece_frames=np.concatenate([2 * np.arange(len(group)) for group in groups]),
        texts=np.array([f'sentence {number}' for number in range(len(groups))]),
    )


def write(folder: Path, count: int = 60, tail: int = 0) -> None:
    """Writes robot_0.npz, phrases.npz and users.npz; the last `tail` frames of speech are TAIL."""
    rng = np.random.default_rng(0)
    groups = []
    for _ in range(count):
        words = rng.integers(2, 9)
        group = [[2 * rng.integers(1, 20), *(2 * rng.integers(0, 19, rng.integers(0, 3)) + 1)]
                 for _ in range(words)]  # fmt: skip
        groups.append([int(piece) for word in group for piece in word])
    _sentences(folder / 'robot_0.npz', groups)
    _sentences(folder / 'phrases.npz', [[40], [42, 43], [44], [46], [48], [40, 41, 42, 49]])
    kinds = np.repeat(np.arange(6), 8)
    rooms = np.tile(np.arange(2), 24)
    lengths = np.where(kinds == 4, 400, np.where(kinds == 3, 4, rng.integers(15, 50, len(kinds))))
    values = np.where(kinds == 4, BACKGROUND, np.where(kinds == 5, NOISE, 100 + kinds))
    features = np.repeat(values, lengths)[:, None].repeat(84, axis=1).astype(np.uint8)
    ends = np.cumsum(lengths)
    for end in ends[kinds < 4]:
        features[end - tail : end] = TAIL
    np.savez(
        folder / 'users.npz',
        tail=np.array(tail),
        features=features,
        labels=(features[:, 0] >= 100).astype(np.uint8),
        starts=np.cumsum([0, *lengths]),
        kind=kinds.astype(np.uint8),
        room=rooms.astype(np.uint8),
    )


def write_whole(folder: Path) -> None:
    """A bank as `prepare` leaves it, with two files of users."""
    write(folder)
    users = folder / 'users.npz'
    for number in range(2):
        (folder / f'users_{number:02}.npz').write_bytes(users.read_bytes())
    users.unlink()
    parts = {
        'phrase_counts': PHRASE_COUNTS,
        'begins_word': BEGINS_WORD.astype(int).tolist(),
        'silence': SILENCE.tolist(),
    }
    (folder / 'parts.json').write_text(json.dumps(parts))
