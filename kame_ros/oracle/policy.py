"""When to ask the LLM, which answer to keep, and when to give up."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from kame_ros.oracle.decision import Adopt, Cancel, Clear, Confirm, Decision, GiveUp, Start
from kame_ros.oracle.policy_config import PolicyConfig
from kame_ros.oracle.words import normalise, word_count
from kame_ros.stt.transcript import Transcript

_TOO_LONG = 'took too long'


@dataclass
class _Stream:
    ask: Start
    begun: float
    first_word: float | None = None
    last_piece: float = 0.0
    words: int = 0


@dataclass
class _Retry:
    ask: Start
    at: float


@dataclass
class OraclePolicy:
    """Turns a growing transcript into generations; it does nothing itself.

    Trailing edge: a partial that comes too early after a start is asked when the gap is over, so
    the last one is never lost. The running generation goes on until a newer one gives its first
    word, so a fast talker starves no one. Feed it one event at a time, with times that never go
    back, and carry out what it returns in that order.
    """

    config: PolicyConfig = field(default_factory=PolicyConfig)

    def __post_init__(self) -> None:
        self.order: tuple[int, ...] = ()  # back-ends by preference; empty: as they are numbered
        self._gen = 0
        self._down_until: dict[int, float] = {}
        self._forget()

    def _forget(self) -> None:
        self._streams: dict[int, _Stream] = {}
        self._newest: Transcript | None = None  # the last revision that was heard
        self._pending: Transcript | None = None  # heard, worth asking, and not yet asked
        self._asked: Start | None = None  # the last question, while it is answered or to be retried
        self._asked_words = 0  # committed words in it
        self._retry: _Retry | None = None
        self._adopted: int | None = None
        self._answered_utterance: int | None = None
        self._last_start = float('-inf')

    @property
    def running(self) -> tuple[int, ...]:
        """The generations in flight, oldest first."""
        return tuple(self._streams)

    def new_generation(self) -> int:
        """A number for words that need no LLM, greater than all before."""
        self._gen += 1
        return self._gen

    def is_old(self, transcript: Transcript) -> bool:
        """Whether the revision is older than one that was heard, or heard already."""
        newest = self._newest
        if newest is None or transcript.utterance > newest.utterance:
            return False
        if transcript.utterance < newest.utterance:
            return True
        return newest.final or transcript.revision <= newest.revision

    # -- events ---------------------------------------------------------------------------

    def is_confirmed(self, gen: int) -> bool:
        """Whether this running generation answers a final transcript."""
        return gen in self._streams and self._streams[gen].ask.final

    def on_transcript(self, t: float, transcript: Transcript) -> list[Decision]:
        """Hears a revision of what the user says."""
        if self.is_old(transcript):
            return []
        if self._newest is None or transcript.utterance != self._newest.utterance:
            self._asked_words = 0
        self._newest = transcript
        if transcript.final and not normalise(transcript.text):
            return self._withdraw('nothing was said', transcript.utterance)
        confirmed: list[Decision] = []
        if self._is_worth_asking(transcript):
            self._pending, self._retry = transcript, None
        elif transcript.final:
            self._pending = None
            confirmed = self._confirm(transcript.revision)
        return confirmed + self._end_stale() + self._advance(t)

    def on_first_word(self, t: float, gen: int) -> list[Decision]:
        """A generation gave its first word: it becomes the oracle, older ones stop."""
        stream = self._streams.get(gen)
        if stream is None:
            return []
        stream.first_word = stream.last_piece = t
        self._adopted = gen
        self._answered_utterance = stream.ask.utterance
        older = [g for g in self._streams if g < gen]
        decisions: list[Decision] = [Adopt(gen)]
        decisions += [self._stop(g, 'superseded') for g in older]
        return decisions + self._advance(t)

    def on_piece(self, t: float, gen: int, words: int) -> list[Decision]:
        """A generation goes on, and has given so many words in all."""
        stream = self._streams.get(gen)
        if stream is None:
            return []
        stream.last_piece, stream.words = t, words
        return self._end_stale()

    def on_end(self, t: float, gen: int) -> list[Decision]:
        """A generation is complete; one without a word counts as a failure."""
        stream = self._streams.get(gen)
        if stream is not None and stream.first_word is None:
            return self.on_failure(t, gen, 'the answer was empty')
        self._streams.pop(gen, None)
        return self._advance(t)

    def on_failure(
        self, t: float, gen: int, error: str, retryable: bool = True, retry_after: float = 0.0
    ) -> list[Decision]:
        """A generation broke; it is asked again, later or elsewhere, unless a newer one runs."""
        stream = self._streams.pop(gen, None)
        if stream is None:
            return []
        decisions = self._try_again(t, stream.ask, error, retryable, retry_after)
        return decisions + self._advance(t)

    def on_tick(self, t: float) -> list[Decision]:
        """Time has passed; call it at `next_deadline()`, or at any time."""
        decisions: list[Decision] = []
        for gen, stream in list(self._streams.items()):
            why = self._overdue(t, stream)
            if why:
                decisions.append(self._stop(gen, why))
                # A server that hangs will likely hang again: the next one gets the question.
                hopeless = self.config.backends > 1
                if why == _TOO_LONG:
                    decisions += self._leave_it(stream.ask, why)
                else:
                    decisions += self._try_again(t, stream.ask, why, not hopeless)
        return decisions + self._advance(t)

    def on_result(self, t: float, text: str) -> list[Decision]:
        """An action of this turn has a result: the robot speaks of it, unless the user speaks."""
        newest = self._newest
        if newest is None or not newest.final or self._pending is not None:
            return []
        self._last_start, self._retry = t, None
        ask = Start(
            0, text, newest.utterance, newest.revision, True, len(text), self._preferred_backend(t)
        )
        return [*(self._make_room(t, True) or []), self._begin(t, replace(ask, follow_up=True))]

    def interrupt(self, t: float, why: str = 'interrupted') -> list[Decision]:
        """Stops all speech; what the user says from now on is answered."""
        decisions = self._withdraw(why)
        if self._newest is not None:
            self._asked_words = word_count(self._newest.committed_text)
        return decisions

    def reset(self, t: float) -> list[Decision]:
        """Forgets the session; generation numbers still grow, so that nothing old is taken."""
        decisions = self._withdraw('reset')
        self._forget()
        return decisions

    def next_deadline(self) -> float | None:
        """When `on_tick` has something to do, or None."""
        times = [self._due(s) for s in self._streams.values()]
        if self._retry:
            times.append(self._retry.at)
        if self._pending and not self._pending.final:
            free = self._slot_free_at()
            if free is not None:
                times.append(max(free, self._last_start + self.config.min_gap_s))
        return min(times, default=None)

    # -- the rules ------------------------------------------------------------------------

    def _is_worth_asking(self, transcript: Transcript) -> bool:
        if transcript.final:
            return not self._is_being_answered(transcript)
        if not self.config.answer_partials:
            return False
        new = word_count(transcript.committed_text) - self._asked_words
        return new >= self.config.min_new_words and not self._is_being_answered(transcript)

    def _is_being_answered(self, transcript: Transcript) -> bool:
        asked = self._asked
        return (
            asked is not None
            and asked.utterance == transcript.utterance
            and normalise(asked.text) == normalise(transcript.text)
        )

    def _end_stale(self) -> list[Decision]:
        """Stops answers to a part of what was said, when they have given an opening."""
        opening, newest = self.config.opening_words, self._newest
        if not opening or newest is None:
            return []
        said = normalise(newest.text)
        stale = [
            gen
            for gen, stream in self._streams.items()
            if stream.words >= opening
            and not stream.ask.final
            and stream.ask.utterance == newest.utterance
            and normalise(stream.ask.text) != said
        ]
        return [self._stop(gen, 'the user has said more') for gen in stale]

    def _confirm(self, revision: int) -> list[Decision]:
        """The final says what was asked already: from now on it is the answer to the final."""
        if self._asked is None or self._asked.final:
            return []
        self._asked = replace(self._asked, final=True)
        gen = self._asked.gen
        if gen in self._streams:
            self._streams[gen].ask = self._asked
        if self._retry is not None:
            self._retry.ask = replace(self._retry.ask, final=True)
        return [Confirm(gen, revision)]

    def _advance(self, t: float) -> list[Decision]:
        """Starts what is due and may start."""
        if self._pending is not None:
            final = self._pending.final
            if not final and t < self._last_start + self.config.min_gap_s:
                return []
            room = self._make_room(t, final)
            if room is None:
                return []
            return [*room, self._ask(t, self._pending)]
        if self._retry and t >= self._retry.at:
            ask, self._retry = self._retry.ask, None
            return [*(self._make_room(t, True) or []), self._begin(t, ask)]
        return []

    def _ask(self, t: float, transcript: Transcript) -> Start:
        self._pending = self._retry = None
        self._asked_words = word_count(transcript.committed_text)
        self._last_start = t
        return self._begin(
            t,
            Start(
                0,
                transcript.text,
                transcript.utterance,
                transcript.revision,
                transcript.final,
                transcript.committed,
                backend=self._preferred_backend(t),
            ),
        )

    def _begin(self, t: float, ask: Start) -> Start:
        self._gen += 1
        ask = replace(ask, gen=self._gen)
        self._asked = ask
        self._streams[ask.gen] = _Stream(ask, t)
        return ask

    def _make_room(self, t: float, final: bool) -> list[Decision] | None:
        """Cancels what must go for a start now; None: wait."""
        if len(self._streams) < self.config.max_streams:
            return []
        if final:
            waiting = [g for g, s in self._streams.items() if s.first_word is None]
            return [self._stop(min(waiting or self._streams), 'the final transcript is here')]
        free = self._slot_free_at()
        if free is None or t < free:
            return None
        return [self._stop(min(self._streams), 'no stream left for newer words')]

    def _slot_free_at(self) -> float | None:
        """When a partial may take a stream; None: when one of them gives a word or ends."""
        if len(self._streams) < self.config.max_streams:
            return float('-inf')
        spoken = [s.first_word for s in self._streams.values() if s.first_word is not None]
        return min(spoken) + self.config.hold_s if spoken else None

    def _stop(self, gen: int, why: str) -> Cancel:
        self._streams.pop(gen, None)
        return Cancel(gen, why)

    def _withdraw(self, why: str, utterance: int | None = None) -> list[Decision]:
        """Stops all generations, or those of one utterance, and takes back their words."""
        mine = [
            gen
            for gen, stream in self._streams.items()
            if utterance is None or stream.ask.utterance == utterance
        ]
        decisions: list[Decision] = [self._stop(gen, why) for gen in mine]
        self._pending = None
        if self._asked is not None and utterance in (None, self._asked.utterance):
            self._asked = self._retry = None
        if utterance is None or self._answered_utterance == utterance:
            decisions.append(Clear(why))
            self._adopted = self._answered_utterance = None
        return decisions

    # -- failures -------------------------------------------------------------------------

    def _due(self, stream: _Stream) -> float:
        if stream.first_word is None:
            patience = stream.begun + self.config.first_token_s
        else:
            patience = stream.last_piece + self.config.stall_s
        return min(patience, stream.begun + self.config.total_s)

    def _overdue(self, t: float, stream: _Stream) -> str:
        if t < self._due(stream):
            return ''
        if stream.first_word is None:
            return 'no first token in time'
        too_long = t >= stream.begun + self.config.total_s
        return _TOO_LONG if too_long else 'fell silent in mid-stream'

    def _preferred_backend(self, t: float) -> int:
        order = self._order()
        up = [b for b in order if t >= self._down_until.get(b, float('-inf'))]
        return (up or order)[0]

    def _order(self) -> tuple[int, ...]:
        rest = (b for b in range(self.config.backends) if b not in self.order)
        return (*(b for b in self.order if b < self.config.backends), *rest)

    def _try_again(
        self, t: float, ask: Start, error: str, retryable: bool, retry_after: float = 0.0
    ) -> list[Decision]:
        newer = any(gen > ask.gen for gen in self._streams) or self._pending is not None
        if newer or self._asked is None or self._asked.gen != ask.gen:
            return []
        wait = max(retry_after, self.config.backoff_s * 2**ask.attempt)
        here = retryable and ask.attempt < self.config.retries and wait <= self.config.max_wait_s
        if here:
            self._retry = _Retry(replace(ask, attempt=ask.attempt + 1), t + wait)
            return []
        cooldown = max(self.config.cooldown_s, retry_after)
        self._down_until[ask.backend] = t + cooldown
        order = self._order()
        after = order[order.index(ask.backend) + 1 :] if ask.backend in order else order[:1]
        if after:
            self._retry = _Retry(replace(ask, backend=after[0], attempt=0), t)
            return []
        return self._leave_it(ask, error)

    def _leave_it(self, ask: Start, error: str) -> list[Decision]:
        if self._asked is not None and self._asked.gen == ask.gen:
            self._asked = None
        if not ask.final:
            return []  # the next words of the user are a new try
        answered = self._answered_utterance == ask.utterance
        return [GiveUp(ask.utterance, ask.revision, error, answered)]
