"""Several robots on one model: fixed slots, one step for all of them each 80 ms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kame_ros.audio.frame import FRAME_SAMPLES, SAMPLE_RATE, silence
from kame_ros.oracle.chunk import Oracle
from kame_ros.s2s.front_end import Step
from kame_ros.s2s.moshi.codec2_codec import Codec2Codec
from kame_ros.s2s.moshi.growing_text import known_tokens
from kame_ros.s2s.moshi.model import OracleLMGen, OracleLMModel
from kame_ros.s2s.moshi.monologue import Monologue
from kame_ros.s2s.moshi.oracle_stream import Mode, OracleStream
from kame_ros.s2s.moshi.session import Session
from kame_ros.s2s.moshi.upstream import LMGen, LMModel, MimiModel

WARM_UP_STEPS = 4  # moshi captures a CUDA graph on the second call


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How tokens are drawn. A temperature of 0 is greedy."""

    temperature: float = 0.8
    temperature_text: float = 0.7
    top_k: int = 250
    top_k_text: int = 25


class MoshiSlots:
    """A model with `slots` seats for robots that join, leave and reset independently.

    One thread only. A slot speaks exactly as it would alone, if sampling is greedy; otherwise the
    slots share one random stream. `prepare` may change the generator once it streams, as
    `lean.install` does.
    """

    def __init__(
        self,
        lm: LMModel,
        mimi: MimiModel | Codec2Codec,
        tokenizer: Any,
        *,
        slots: int = 1,
        mode: Mode = 'fifo',
        sampling: Sampling | None = None,
        hush_frames: int = 12,
        oracle_ahead: int = 0,
        prepare: Callable[[LMGen], None] | None = None,
    ) -> None:
        if mimi.frame_size != FRAME_SAMPLES or mimi.sample_rate != SAMPLE_RATE:
            raise ValueError(
                f'the codec has frames of {mimi.frame_size} samples at {mimi.sample_rate} Hz, '
                f'not {FRAME_SAMPLES} at {SAMPLE_RATE} Hz'
            )
        sampling = sampling or Sampling()
        self._lm, self._mimi, self.slots = lm, mimi, slots
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
                    oracle_ahead,
                ),
                Monologue(tokenizer, {lm.text_padding_token_id, lm.end_of_text_padding_id}),
                hush_frames,
            )
            for _ in range(slots)
        ]
        self._taken: set[int] = set()
        self._mask: list[bool] = []  # the slots that the model steps; none is set yet
        self.held = 0  # frames for which a taken slot had nothing to hear, so that it stood still

    @property
    def hears_oracle(self) -> bool:
        """Whether the model has an oracle stream: KAME has, Moshi has not."""
        return isinstance(self._gen, OracleLMGen)

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self._lm.device

    def stop(self) -> None:
        """Frees the streaming state (most of the memory beside the weights); the end of use."""
        self._streaming.close()

    def warm_up(self) -> None:
        """Does the slow first steps: allocation, CUDA graphs, compilation."""
        for _ in range(WARM_UP_STEPS):
            self._advance(dict.fromkeys(range(self.slots), silence()), {})
            self._start_over(list(range(self.slots)))

    def join(self) -> int:
        """Takes a free slot for a new session. Raises RuntimeError if there is none."""
        free = [slot for slot in range(self.slots) if slot not in self._taken]
        if not free:
            raise RuntimeError(f'all {self.slots} slots of the speech model are taken')
        self._taken.add(free[0])
        self._start_over([free[0]])
        return free[0]

    def leave(self, slot: int) -> None:
        """Ends the session of a slot and frees it."""
        self._need(slot)
        self._start_over([slot])
        self._taken.discard(slot)

    def reset(self, slot: int) -> None:
        """Forgets the dialogue of a slot: its next step is the first of a new session."""
        self._need(slot)
        self._start_over([slot])

    def interrupt(self, slot: int) -> None:
        """Lets the robot of a slot stop speaking and forget its oracle; the dialogue goes on."""
        self._need(slot)
        self._sessions[slot].interrupt()

    def barge_in(self, slot: int) -> None:
        """Lets the robot of a slot stop, as its user takes the floor, and tells so."""
        self._need(slot)
        self._sessions[slot].barge_in()

    def speaking(self, slot: int) -> bool:
        """Whether the robot of a slot speaks now."""
        self._need(slot)
        return self._sessions[slot].speaking

    def counters(self, slot: int) -> dict[str, Any]:
        """Running totals of a slot, by name."""
        self._need(slot)
        return self._sessions[slot].counters()

    def step(
        self, heard: Mapping[int, np.ndarray], oracles: Mapping[int, Oracle | None]
    ) -> dict[int, Step]:
        """One tick of 80 ms: each slot in `heard` hears int16[1920] and speaks int16[1920].

        A taken slot that is not in `heard` stands still, as if no time had passed for it; that is
        counted in `held`. Raises KeyError for a slot that nobody has taken.
        """
        for slot in heard:
            self._need(slot)
        self.held += len(self._taken) - len(heard)
        return self._advance(heard, oracles) if heard else {}

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
        codes = self._mimi.encode(torch.from_numpy(sound).to(self.device))
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

    def _start_over(self, slots: list[int]) -> None:
        rows = self._rows(slots)
        self._gen.reset_streaming(rows)
        self._mimi.reset_streaming(rows)
        self._mask = []  # a reset lets its rows run
        for slot in slots:
            self._sessions[slot].reset()

    def _rows(self, slots: list[int]) -> Tensor:
        rows = torch.zeros(self.slots, dtype=torch.bool)
        rows[slots] = True
        return rows.to(self.device)

    def _let_run(self, mask: list[bool]) -> None:
        if mask == self._mask:
            return
        rows = torch.tensor(mask, device=self.device)
        self._gen.set_exec_mask(rows)
        self._mimi.set_exec_mask(rows)
        self._mask = mask
