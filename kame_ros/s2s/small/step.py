"""One frame of kame-small in numpy: what it hears and has to say in, its next bit of speech out.

A bit of speech is a piece of pronunciation and eight codes of sound: token for token what the
torch model of `kame_ros.training.small.model` gives.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kame_ros.s2s.small.choice import begun, drawn, softmax
from kame_ros.s2s.small.model import Block, SmallModel
from kame_ros.s2s.small.sizes import CODES, EPSILON, ROPE_BASE

QUIET_FRAMES = 8  # without a piece, 0.64 s: nothing is being said then
SILENCES = 2  # frames: a model that would rather begin in each of them a little does begin
_DRAWS = CODES + 1
_NEVER_SILENT = 2.0  # a threshold that no probability reaches


@dataclass(frozen=True, kw_only=True)
class Choosing:
    """How tokens are chosen of what the model finds likely.

    `threshold`: where nothing is being said, the robot stays silent while it is at least so likely
    that it would have been silent in the last frames and in this one; a single frame is enough in
    the midst of speech, for `pause`; where it is known that the user has finished, it opens unless
    the silence of this frame is as likely as `opening`. `near`: a piece of its own is drawn of
    those at least so likely, relative to the likeliest.
    `temperatures` of the codes: the sound of the 3 units, its detail, pitch, energy; 0: the
    likeliest. `top_k`: of how many one is drawn.
    """

    threshold: float = 0.46
    opening: float = 0.93
    pause: float = 0.5
    near: float = 0.2
    temperatures: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    top_k: int = 20
    seed: int = 0

    def of_code(self, code: int) -> float:
        """The temperature of a code, 0 to 7."""
        unit, detail, pitch, energy = self.temperatures
        return (unit, unit, unit, detail, detail, detail, pitch, energy)[code]


class Stepper:
    """One stream of frames through a model. About 5 ms of one core a frame.

    Owned by one thread.
    """

    def __init__(self, model: SmallModel, choosing: Choosing | None = None) -> None:
        self.model = model
        self.choosing = choosing or Choosing()
        size = model.size
        self._main = _Past(model.layers, size.dim, size.context)
        self._depth = _Past(model.depth_layers, size.depth.dim, CODES)
        half = size.dim // size.heads // 2
        self._rates = ROPE_BASE ** (-np.arange(half) / half)  # radians a frame
        self._positions = np.arange(CODES)
        self._rng = np.random.Generator(np.random.Philox(self.choosing.seed))
        self.reset()

    def reset(self) -> None:
        """The next frame is the first one."""
        self._frame = 0
        self._piece = 0
        self._codes = self.model.silence
        self._felt = np.zeros(self.model.size.dim, np.float32)
        self._window = np.zeros(self.model.size.ahead, np.int64)
        self._quiet = QUIET_FRAMES
        self._silences: deque[float] = deque(maxlen=SILENCES - 1)  # how likely each one was

    def step(
        self,
        ear: np.ndarray,
        window: np.ndarray,
        mark: int,
        silent: bool = False,
        eager: bool = False,
        opens: bool = False,
    ) -> tuple[int, np.ndarray]:
        """One frame: the piece that begins in it (0: none) and its codes int[8].

        `ear` is float32[84], `window` int[ahead] the pieces of the oracle that come next, `mark` 1
        where another oracle took the place of one. `silent`: no piece may begin; `eager`: one does;
        `opens`: the user has just finished.
        """
        self.hear(ear, window, mark)
        return self.say(silent=silent, eager=eager, opens=opens)

    def hear(self, ear: np.ndarray, window: np.ndarray, mark: int) -> np.ndarray:
        """The first half of a step: float32[dim], what the model makes of all it was told."""
        with np.errstate(over='ignore', under='ignore'):
            self._felt, self._window = self._hidden(ear, window, mark), window
        return self._felt

    def say(
        self,
        *,
        silent: bool = False,
        eager: bool = False,
        opens: bool = False,
        answers: int = 0,
        shunned: Sequence[int] = (),
        allowed: Sequence[int] | None = None,
        mute: bool = False,
    ) -> tuple[int, np.ndarray]:
        """The second half, of the frame that was heard last; see `step`. `mute`: nothing sounds.
        `answers`: the piece that begins, whatever the model finds likely; 0: it is asked.
        `shunned`: pieces that begin only where no other is likely; `allowed`: those that may at
        all, None: any.
        """
        chances, hidden = self._rng.random(_DRAWS), self._felt
        with np.errstate(over='ignore', under='ignore'):
            piece = 0
            if not silent:
                chance = chances[CODES]
                rules = _Rules(eager, opens, shunned, allowed)
                chosen = self._choose_piece(hidden, self._window, chance, rules)
                piece = answers or chosen
            codes = self.model.silence if mute else self._choose_codes(hidden, piece, chances)
        self._quiet = 0 if piece else self._quiet + 1
        if piece:
            self._silences.clear()
        self._piece, self._codes = piece, codes
        self._frame += 1
        return piece, codes

    def _hidden(self, ear: np.ndarray, window: np.ndarray, mark: int) -> np.ndarray:
        m = self.model
        x = ear @ m.ear
        x += m.ear_bias
        x += m.codes[self._positions, self._codes].sum(axis=0)
        x += m.text[self._piece]
        x += m.window[window].reshape(-1) @ m.window_in
        x += m.mark[mark]
        # In double precision: a stream may be days long.
        angles = self._frame * self._rates
        turn = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
        return self._main.through(x, self._frame, turn)

    def _choose_piece(
        self,
        hidden: np.ndarray,
        window: np.ndarray,
        chance: float,
        rules: _Rules,
    ) -> int:
        m, how = self.model, self.choosing
        found = hidden @ m.head
        logits = found[:-1]
        due = int(window[0])
        if 0 < due < m.size.pieces:
            logits[due] += found[-1] + m.copy_bias
        shunned = rules.shunned
        if rules.eager:
            threshold = _NEVER_SILENT
        elif rules.opens:
            threshold = how.opening
        elif self._quiet < QUIET_FRAMES:
            threshold, shunned = how.pause, ()
        else:
            threshold = how.threshold / max(math.prod(self._silences), 1e-6)
            self._silences.append(float(softmax(logits)[0]))
        return begun(logits, threshold, how.near, due, chance, shunned, rules.allowed)

    def _choose_codes(self, hidden: np.ndarray, piece: int, chances: np.ndarray) -> np.ndarray:
        m, how = self.model, self.choosing
        every = hidden @ m.depth_in
        codes = np.empty(CODES, np.int64)
        before = m.depth_text[piece]
        for q in range(CODES):
            x = every + m.depth_position[q]
            x += before
            logits = self._depth.through(x, q) @ m.depth_head[q]
            codes[q] = drawn(logits, how.of_code(q), how.top_k, chances[q])
            if q < CODES - 1:
                before = m.depth_codes[q][codes[q]]
        return codes


@dataclass(frozen=True)
class _Rules:
    """Which pieces may begin in a frame; see Stepper.say."""

    eager: bool
    opens: bool
    shunned: Sequence[int]
    allowed: Sequence[int] | None


class _Past:
    """Layers of a transformer, and the keys and values of the last `context` positions."""

    def __init__(self, layers: tuple[Block, ...], dim: int, context: int) -> None:
        self._layers = layers
        self._dim, self._context = dim, context
        heads = layers[0].heads
        self._shape = (heads, dim // heads)
        self._scale = np.float32((dim // heads) ** -0.5)
        shape = (len(layers), heads, context, dim // heads)
        self._keys, self._values = np.zeros(shape, np.float32), np.zeros(shape, np.float32)

    def through(
        self, x: np.ndarray, position: int, turn: tuple[np.ndarray, np.ndarray] | None = None
    ) -> np.ndarray:
        """A position's float32[dim] through all layers and the last normalisation.

        Positions come one after another, from 0. `turn` are the cosines and sines of RoPE.
        """
        for number, layer in enumerate(self._layers):
            q, k, v = (_normalised(x) @ layer.qkv).reshape(3, *self._shape)
            if turn is not None:
                q, k = _rotated(q, *turn), _rotated(k, *turn)
            place = position % self._context  # the oldest is overwritten; order is in the keys
            known = min(position + 1, self._context)
            self._keys[number, :, place], self._values[number, :, place] = k, v
            keys, values = self._keys[number, :, :known], self._values[number, :, :known]
            scores = np.matmul(keys, (q * self._scale)[:, :, None])[:, :, 0]
            scores -= scores.max(axis=1, keepdims=True)
            np.exp(scores, out=scores)
            scores /= scores.sum(axis=1, keepdims=True)
            x = x + np.matmul(scores[:, None], values).reshape(-1) @ layer.o
            gate, up = (_normalised(x) @ layer.gate_up).reshape(2, -1)
            x += (gate / (1 + np.exp(-gate)) * up) @ layer.down
        return _normalised(x)


def _normalised(x: np.ndarray) -> np.ndarray:
    """RMSNorm without its weights, which are in the matrix behind it."""
    return x * np.float32(1 / np.sqrt(x.dot(x) / len(x) + EPSILON))


def _rotated(x: np.ndarray, cos: np.ndarray, sin: np.ndarray) -> np.ndarray:
    """RoPE with the two halves of a head as the pairs (as in Llama); float32[heads, head dim]."""
    half = x.shape[1] // 2
    a, b = x[:, :half], x[:, half:]
    return np.concatenate((a * cos - b * sin, b * cos + a * sin), axis=1)
