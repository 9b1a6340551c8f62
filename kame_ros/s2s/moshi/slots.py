"""Several robots on one model: fixed slots, one step for all of them each 80 ms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from kame_ros.runtime import progress
from kame_ros.runtime.owner import OutOfMemory
from kame_ros.s2s.front_end import Step
from kame_ros.s2s.moshi.config import Sampling
from kame_ros.s2s.moshi.model import OracleLMGen, OracleLMModel
from kame_ros.s2s.moshi.oracle.growing_text import known_tokens
from kame_ros.s2s.moshi.oracle.monologue import Monologue
from kame_ros.s2s.moshi.oracle.oracle_stream import Mode, OracleStream
from kame_ros.s2s.moshi.primed import Primed
from kame_ros.s2s.moshi.session import Session
from kame_ros.s2s.moshi.weights import runtime
from kame_ros.s2s.moshi.weights.upstream import LMGen, LMModel, MimiModel
from kame_ros.wire.frame import FRAME_SAMPLES, SAMPLE_RATE, silence
from kame_ros.wire.oracle import Oracle

WARM_UP_STEPS = 4  # moshi captures a CUDA graph on the second call
_Method = TypeVar('_Method', bound=Callable[..., Any])


def _there(method: _Method) -> _Method:
    """Lets a method run with the GPU of the model as the current one, in whatever thread."""

    @wraps(method)
    def run(self: MoshiSlots, *args: Any, **kwargs: Any) -> Any:
        with runtime.on(self.device):
            return method(self, *args, **kwargs)

    return run  # type: ignore[return-value]


class MoshiSlots:
    """A model with `slots` seats for robots that join, leave and reset independently.

    One thread only. A slot speaks exactly as it would alone, if sampling is greedy; otherwise the
    slots share one random stream. `prepare` may change the generator once it streams, as
    `lean.install` does. After `warm_up` each session begins as if the model had heard
    `priming_frames` frames of silence already, and had said nothing: the first seconds of a model
    that has heard nothing at all may be gibberish. `advice` tells what to do when memory runs out;
    see Session for `retries`.
    """

    def __init__(
        self,
        lm: LMModel,
        mimi: MimiModel,
        tokenizer: Any,
        *,
        slots: int = 1,
        mode: Mode = 'fifo',
        sampling: Sampling | None = None,
        hush_frames: int = 12,
        priming_frames: int = 0,
        retries: int = 0,
        advice: Callable[[], str] = lambda: '',
        prepare: Callable[[LMGen], None] | None = None,
    ) -> None:
        if mimi.frame_size != FRAME_SAMPLES or mimi.sample_rate != SAMPLE_RATE:
            raise ValueError(
                f'the codec has frames of {mimi.frame_size} samples at {mimi.sample_rate} Hz, '
                f'not {FRAME_SAMPLES} at {SAMPLE_RATE} Hz'
            )
        sampling = (sampling or Sampling()).completed({})
        self._lm, self._mimi, self.slots = lm, mimi, slots
        self.device = lm.device  # where the model is
        self.hears_oracle = isinstance(lm, OracleLMModel)  # KAME does, Moshi does not
        self._priming_frames = priming_frames
        self._primed: Primed | None = None
        self._advice, self._stopped = advice, False
        kind = OracleLMGen if isinstance(lm, OracleLMModel) else LMGen
        self._gen = kind(
            lm,
            use_sampling=True,
            temp=sampling.temperature,
            temp_text=sampling.temperature_text,
            top_k=sampling.top_k,
            top_k_text=sampling.top_k_text,
            support_out_of_sync=True,
            on_text_hook=self._keep_silent,
        )
        self._streaming = ExitStack()
        self._streaming.enter_context(self._gen.streaming(slots))
        self._streaming.enter_context(mimi.streaming(slots))
        if prepare is not None:
            prepare(self._gen)
        self._sessions = [
            Session(
                OracleStream(
                    known_tokens(tokenizer),
                    lm.text_initial_token_id,
                    lm.text_padding_token_id,
                    mode,
                ),
                Monologue(tokenizer, {lm.text_padding_token_id, lm.end_of_text_padding_id}),
                hush_frames,
                retries,
            )
            for _ in range(slots)
        ]
        self._taken: set[int] = set()
        self._mask: list[bool] = []  # the slots that the model steps; none is set yet
        self.held = 0  # frames for which a taken slot had nothing to hear, so that it stood still

    @_there
    def stop(self) -> None:
        """The end of use: the memory of the model and of what it heard is given back.

        As far as nobody else holds the model; twice does no harm.
        """
        if self._stopped:
            return
        self._stopped = True
        self._streaming.close()
        self._primed = None
        del self._gen, self._lm, self._mimi
        runtime.collect()

    @_there
    def warm_up(self) -> None:
        """Does the slow first steps: allocation, CUDA graphs, compilation; then primes.

        Raises OutOfMemory.
        """
        everyone = list(range(self.slots))
        with self._enough_memory('while it warmed up'):
            for step in range(WARM_UP_STEPS):
                progress.tell(f'warming up: step {step + 1} of {WARM_UP_STEPS}')
                self._advance(dict.fromkeys(everyone, silence()), {})
                self._start_over(everyone)
            if self._priming_frames:
                self._prime()
                self._start_over(everyone)

    def _prime(self) -> None:
        """Lets the first slot hear silence, and keeps how it is then for all sessions."""
        self._sessions[0].hush = self._priming_frames + 1  # what nobody hears is not said
        for step in range(self._priming_frames):
            progress.tell(f'priming: frame {step + 1} of {self._priming_frames}')
            self._advance({0: silence()}, {})
        self._primed = Primed((self._gen, self._mimi), self.slots, 0, self._priming_frames)

    @contextmanager
    def _enough_memory(self, when: str) -> Iterator[None]:
        try:
            yield
        except torch.OutOfMemoryError as error:
            what = f'the speech model has no memory left {when}'
            raise OutOfMemory(': '.join(filter(None, (what, self._advice())))) from error

    @_there
    def join(self) -> int:
        """Takes a free slot for a new session. Raises RuntimeError if there is none."""
        free = [slot for slot in range(self.slots) if slot not in self._taken]
        if not free:
            raise RuntimeError(f'all {self.slots} slots of the speech model are taken')
        self._taken.add(free[0])
        self._start_over([free[0]])
        return free[0]

    @_there
    def leave(self, slot: int) -> None:
        """Ends the session of a slot and frees it."""
        self._need(slot)
        self._start_over([slot])
        self._taken.discard(slot)

    @_there
    def reset(self, slot: int) -> None:
        """Forgets the dialogue of a slot: its next step is the first of a new session."""
        self._need(slot)
        self._start_over([slot], stays=True)

    def interrupt(self, slot: int) -> None:
        """Lets the robot of a slot stop speaking and forget its oracle; the dialogue goes on."""
        self._need(slot)
        self._sessions[slot].interrupt()

    def barge_in(self, slot: int) -> None:
        """Lets the robot of a slot stop, as its user takes the floor, and tells so."""
        self._need(slot)
        self._sessions[slot].barge_in()

    def hush(self, slot: int) -> None:
        """Keeps the robot of a slot silent in the next step; its time goes on."""
        self._need(slot)
        self._sessions[slot].hush = max(1, self._sessions[slot].hush)

    def speaking(self, slot: int) -> bool:
        """Whether the robot of a slot speaks now."""
        self._need(slot)
        return self._sessions[slot].speaking

    def counters(self, slot: int) -> dict[str, Any]:
        """Running totals of a slot, by name."""
        self._need(slot)
        return self._sessions[slot].counters()

    @_there
    def step(
        self, heard: Mapping[int, np.ndarray], oracles: Mapping[int, Oracle | None]
    ) -> dict[int, Step]:
        """One tick of 80 ms: each slot in `heard` hears int16[1920] and speaks int16[1920].

        A taken slot that is not in `heard` stands still, as if no time had passed for it; that is
        counted in `held`. Raises KeyError for a slot that nobody has taken, and OutOfMemory: then
        all sessions are over.
        """
        for slot in heard:
            self._need(slot)
        self.held += len(self._taken) - len(heard)
        if not heard:
            return {}
        with self._enough_memory('while it talked'):
            return self._advance(heard, oracles)

    def _need(self, slot: int) -> None:
        if slot not in self._taken:
            raise KeyError(f'nobody has taken slot {slot}')

    @torch.no_grad()
    def _advance(
        self, heard: Mapping[int, np.ndarray], oracles: Mapping[int, Oracle | None]
    ) -> dict[int, Step]:
        self._let_run([slot in heard for slot in range(self.slots)])
        sound = np.zeros((self.slots, 1, FRAME_SAMPLES), np.float32)
        for slot, samples in heard.items():
            sound[slot, 0] = samples / np.float32(32768)
        codes = self._mimi.encode(torch.from_numpy(sound).to(self._lm.device))
        if isinstance(self._gen, OracleLMGen):
            self._gen.feed_oracle(self._oracle_tokens(heard, oracles))
        tokens = self._gen.step(codes)
        assert tokens is not None  # out-of-sync execution gives rows of -2 instead
        spoken = self._mimi.decode(tokens[:, 1:].clamp(min=0))
        speech = (spoken[:, 0] * 32767).round().clamp(-32768, 32767).to(torch.int16).cpu().numpy()
        return self._collect(heard, speech, tokens[:, 0, 0].tolist())

    def _oracle_tokens(
        self, heard: Mapping[int, np.ndarray], oracles: Mapping[int, Oracle | None]
    ) -> list[int]:
        tokens = [self._lm.text_padding_token_id] * self.slots
        for slot in heard:
            tokens[slot] = self._sessions[slot].next_token(oracles.get(slot))
        return tokens

    def _collect(
        self, heard: Mapping[int, np.ndarray], speech: np.ndarray, text: list[int]
    ) -> dict[int, Step]:
        """Makes the steps; a first frame has no speech yet, and its sound was in the past."""
        steps, first = {}, []
        for slot in heard:
            session = self._sessions[slot]
            mute = session.fresh or session.hush > 0
            if session.fresh:
                first.append(slot)
            session.hush = max(0, session.hush - 1)
            if mute:
                steps[slot] = session.say(silence(), self._lm.text_padding_token_id)
            else:
                steps[slot] = session.say(speech[slot].copy(), text[slot])
            session.fresh = False
        if first:
            # The model never hears frame 0 (its delays see to that); the codec starts anew with
            # frame 1, whose codes then have the look of a beginning. As moshi/server.py does.
            self._mimi.reset_streaming(self._rows(first))
            self._mask = []
        return steps

    def _keep_silent(self, text_tokens: Tensor) -> None:
        """Puts padding for the text of slots that were interrupted: Moshi speaks what it writes."""
        for slot, session in enumerate(self._sessions):
            if session.hush > 0:
                text_tokens[slot] = self._lm.text_padding_token_id

    def _start_over(self, slots: list[int], stays: bool = False) -> None:
        rows = self._rows(slots)
        self._gen.reset_streaming(rows)
        self._mimi.reset_streaming(rows)
        self._mask = []  # a reset lets its rows run
        for slot in slots:
            self._sessions[slot].reset(stays)
            if self._primed is not None:
                self._primed.give(slot)
                self._sessions[slot].fresh = False  # it has heard frames

    def _rows(self, slots: list[int]) -> Tensor:
        rows = torch.zeros(self.slots, dtype=torch.bool)
        rows[slots] = True
        return rows.to(self._lm.device)

    def _let_run(self, mask: list[bool]) -> None:
        if mask == self._mask:
            return
        rows = torch.tensor(mask, device=self._lm.device)
        self._gen.set_exec_mask(rows)
        self._mimi.set_exec_mask(rows)
        self._mask = mask
