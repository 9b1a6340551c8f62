"""When to ask the LLM, which answer to keep, and when to give up."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from kame_ros.oracle.conversation.numbering import Numbering
from kame_ros.oracle.policy.compare import is_disproved, question, says_the_same
from kame_ros.oracle.policy.config import PolicyConfig
from kame_ros.oracle.policy.decision import Adopt, Clear, Confirm, Decision, GiveUp, Start
from kame_ros.oracle.policy.failover import Failover, Retry
from kame_ros.oracle.policy.stream import NO_WORD, TOO_LONG
from kame_ros.oracle.policy.streams import Streams
from kame_ros.text.compare import normalise, word_count
from kame_ros.wire.transcript import Transcript


@dataclass
class OraclePolicy:
    """Turns a growing transcript into generations; it does nothing itself.

    Trailing edge: a partial that comes too early after a start is asked when the gap is over, so
    the last one is never lost. The running generation goes on until a newer one gives its first
    word, so a fast talker starves no one. Feed it one event at a time, with times that never go
    back, and carry out what it returns in that order.
    """

    config: PolicyConfig = field(default_factory=PolicyConfig)
    last_generation: int = 0  # numbers begin above this one

    def __post_init__(self) -> None:
        self.backends = Failover(self.config.backends)
        self._forget()

    def _forget(self) -> None:
        self._streams = Streams()
        self._numbering = Numbering()
        self._newest: Transcript | None = None  # the last revision that was heard
        self._pending: Transcript | None = None  # heard, worth asking, and not yet asked
        self._asked: Start | None = None  # the last question, while it is answered or to be retried
        self._asked_words = 0  # stable words when one was asked for new ones
        self._retry: Retry | None = None
        self._answered_utterance: int | None = None
        self._last_start = float('-inf')

    @property
    def running(self) -> tuple[int, ...]:
        """The generations in flight, oldest first."""
        return self._streams.running

    def configure(self, config: PolicyConfig) -> None:
        """Changes the rules from now on; back-ends that failed get a new chance."""
        self.config = config
        self.backends = Failover(config.backends)

    def new_generation(self) -> int:
        """A number for words that need no LLM, greater than all before."""
        self.last_generation += 1
        return self.last_generation

    def is_old(self, t: float, transcript: Transcript) -> bool:
        """Whether the revision is older than one that was heard, or heard already."""
        return self._numbering.is_old(t, transcript)

    def starts_anew(self, t: float, transcript: Transcript) -> bool:
        """Whether utterances are counted anew with this one, from a lower number."""
        return self._numbering.starts_anew(t, transcript)

    def pass_over(self, transcript: Transcript) -> None:
        """Takes note of a revision that is old."""
        self._numbering.pass_over(transcript)

    # -- events ---------------------------------------------------------------------------

    def is_confirmed(self, gen: int) -> bool:
        """Whether this running generation answers a final transcript."""
        stream = self._streams.get(gen)
        return stream is not None and stream.ask.final

    def on_transcript(self, t: float, transcript: Transcript) -> list[Decision]:
        """Hears a revision of what the user says."""
        if self.is_old(t, transcript):
            return []
        if t < self._last_start:  # the clock was set back
            self._last_start = float('-inf')
            self.backends = Failover(self.config.backends, self.backends.first)
        self._numbering.take(t, transcript)
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
            confirmed = self._confirm(t, transcript.revision)
        return confirmed + self._end_stale() + self._advance(t)

    def on_remark(self, t: float, transcript: Transcript) -> list[Decision]:
        """These words ask for nothing: what was asked of the same utterance is withdrawn."""
        self._numbering.take(t, transcript)
        return self._withdraw('a remark', transcript.utterance)

    def on_first_word(self, t: float, gen: int) -> list[Decision]:
        """A generation gave its first word: it becomes the oracle, older ones stop."""
        stream = self._streams.get(gen)
        if stream is None:
            return []
        stream.first_word = stream.last_piece = t
        self.backends.answers(t, stream.ask.backend)
        self._answered_utterance = stream.ask.utterance
        older = [g for g in self._streams.running if g < gen]
        stopped = [self._streams.stop(g, 'superseded') for g in older]
        return [Adopt(gen), *stopped, *self._advance(t)]

    def on_piece(self, t: float, gen: int, words: int) -> list[Decision]:
        """A generation goes on, and has given so many words in all."""
        stream = self._streams.get(gen)
        if stream is None:
            return []
        stream.last_piece, stream.words, stream.reading = t, words, False
        return self._end_stale()

    def on_waiting(self, gen: int) -> None:
        """A generation cannot be asked yet: its LLM is being connected or loaded."""
        if stream := self._streams.get(gen):
            stream.waiting = True

    def on_asked(self, t: float, gen: int) -> None:
        """A generation is asked now: patience begins."""
        if stream := self._streams.get(gen):
            stream.waiting, stream.asked = False, t

    def on_reading(self, t: float, gen: int) -> None:
        """A generation's LLM has read some of the prompt, and reads on."""
        if stream := self._streams.get(gen):
            stream.waiting, stream.reading, stream.read_at = False, True, t

    def on_action(self, t: float, gen: int) -> None:
        """A generation has asked for an action that is allowed."""
        if stream := self._streams.get(gen):
            stream.acted, stream.last_piece = True, t
            self.backends.answers(t, stream.ask.backend)

    def on_end(self, t: float, gen: int) -> list[Decision]:
        """A generation is complete; one with neither a word nor an action is a failure."""
        stream = self._streams.get(gen)
        if stream is None or stream.first_word is not None:
            self._streams.remove(gen)
            return self._advance(t)
        if not stream.acted:
            return self.on_failure(t, gen, 'the answer was empty')
        self._streams.remove(gen)
        if not stream.ask.final or stream.ask.follow_up:
            return self._advance(t)
        # The deed is the answer: what was guessed before is not to be said.
        return [*self._withdraw('an action answers', stream.ask.utterance), *self._advance(t)]

    def on_failure(
        self, t: float, gen: int, error: str, retryable: bool = True, retry_after: float = 0.0
    ) -> list[Decision]:
        """A generation broke; it is asked again, later or elsewhere, unless a newer one runs."""
        stream = self._streams.remove(gen)
        if stream is None:
            return []
        decisions = self._try_again(t, stream.ask, error, retryable, retry_after)
        return decisions + self._advance(t)

    def on_tick(self, t: float) -> list[Decision]:
        """Time has passed; call it at `next_deadline()`, or at any time."""
        decisions: list[Decision] = []
        for ask, why in self._streams.overdue(t, self.config):
            decisions.append(self._streams.stop(ask.gen, why))
            # A server that hangs will likely hang again: another one is asked, or the user told.
            hopeless = self.config.backends > 1 or (ask.final and why == NO_WORD)
            if why == TOO_LONG:
                decisions += self._leave_it(ask, why)
            else:
                decisions += self._try_again(t, ask, why, not hopeless)
        return decisions + self._advance(t)

    def on_result(self, t: float, text: str) -> list[Decision]:
        """An action of this turn has a result: the robot speaks of it, unless the user speaks."""
        newest = self._newest
        if newest is None or not newest.final or self._pending is not None:
            return []
        self._last_start, self._retry = t, None
        ask = replace(question(newest, self.backends.preferred(t)), text=text, follow_up=True)
        return [*self._streams.make_room(self.config), self._begin(t, ask)]

    def interrupt(self, t: float, why: str = 'interrupted') -> list[Decision]:
        """Stops all speech; what the user says from now on is answered."""
        decisions = self._withdraw(why)
        if self._newest is not None:
            self._asked_words = word_count(self._newest.stable_text)
        return decisions

    def barge_in(self, t: float) -> list[Decision]:
        """The user speaks over the robot: stops all answers but those to this very utterance."""
        newest = self._newest
        if newest is None or (newest.final and not newest.start <= t <= newest.end):
            return self.interrupt(t, 'barge-in')  # what the user says now is still to be heard
        earlier = {ask.utterance for ask in self._streams.asks} | {self._answered_utterance}
        decisions: list[Decision] = []
        for utterance in sorted(u for u in earlier if u not in (None, newest.utterance)):
            decisions += self._withdraw('barge-in', utterance)
        return decisions

    def reset(self, t: float) -> list[Decision]:
        """Forgets the session; generation numbers still grow, so that nothing old is taken."""
        decisions = self._withdraw('reset')
        self._forget()
        return decisions

    def recover(self) -> None:
        """Forgets what is being asked, after a fault; numbers go on."""
        newest, numbering = self._newest, self._numbering
        self._forget()
        self._newest, self._numbering = newest, numbering

    def next_deadline(self) -> float | None:
        """When `on_tick` has something to do, or None."""
        times = self._streams.deadlines(self.config)
        if self._retry:
            times.append(self._retry.at)
        if self._pending and not self._pending.final:
            free = self._free_at(self._pending)
            if free is not None:
                times.append(max(free, self._earliest_partial))
        return min(times, default=None)

    # -- the rules ------------------------------------------------------------------------

    def _is_worth_asking(self, transcript: Transcript) -> bool:
        if says_the_same(self._asked, transcript):
            return False
        if transcript.final or not self.config.answer_partials:
            return transcript.final
        new = self._new_words(transcript) >= self.config.min_new_words
        return new or is_disproved(self._asked, transcript)

    def _new_words(self, transcript: Transcript) -> int:
        """How many more words are stable than were when a question was asked for such words."""
        return word_count(transcript.stable_text) - self._asked_words

    def _end_stale(self) -> list[Decision]:
        """Stops answers to a part of what was said, when they have given an opening."""
        words = self.config.opening_words
        stopped = self._streams.stop_stale(self._newest, words) if self._newest else []
        if self._asked is not None and self._asked.gen in [d.gen for d in stopped]:
            self._asked = None  # it will not be answered to its end: the final asks again
        return list(stopped)

    def _confirm(self, t: float, revision: int) -> list[Decision]:
        """The final says what was asked already: from now on it is the answer to the final."""
        if self._asked is None or self._asked.final:
            return []
        self._asked = replace(self._asked, final=True)
        gen = self._asked.gen
        if stream := self._streams.get(gen):
            stream.ask, stream.confirmed = self._asked, t
        if self._retry is not None:
            self._retry.ask = replace(self._retry.ask, final=True)
        return [Confirm(gen, revision)]

    def _advance(self, t: float) -> list[Decision]:
        """Starts what is due and may start."""
        if self._pending is not None:
            return self._advance_pending(t, self._pending)
        if self._retry and t >= self._retry.at:
            ask, self._retry = self._retry.ask, None
            return [*self._streams.make_room(self.config), self._begin(t, ask)]
        return []

    def _advance_pending(self, t: float, pending: Transcript) -> list[Decision]:
        if not pending.final:
            free = self._free_at(pending)
            if free is None or t < max(free, self._earliest_partial):
                return []
        room = self._streams.make_room(self.config, oldest=not pending.final)
        return [*room, self._ask(t, pending)]

    def _free_at(self, pending: Transcript) -> float | None:
        return self._streams.free_at(self.config, is_disproved(self._asked, pending))

    @property
    def _earliest_partial(self) -> float:
        return max(self._last_start + self.config.min_gap_s, self.backends.patient_until)

    def _ask(self, t: float, transcript: Transcript) -> Start:
        self._pending = self._retry = None
        if transcript.final or self._new_words(transcript) >= self.config.min_new_words:
            self._asked_words = word_count(transcript.stable_text)
        self._last_start = t
        return self._begin(t, question(transcript, self.backends.preferred(t)))

    def _begin(self, t: float, ask: Start) -> Start:
        ask = replace(ask, gen=self.new_generation())
        self._asked = ask
        self._streams.add(ask, t)
        return ask

    def _withdraw(self, why: str, utterance: int | None = None) -> list[Decision]:
        """Stops all generations, or those of one utterance, and takes back their words."""
        decisions: list[Decision] = [
            self._streams.stop(ask.gen, why)
            for ask in self._streams.asks
            if utterance in (None, ask.utterance)
        ]
        if self._pending is not None and utterance in (None, self._pending.utterance):
            self._pending = None
        if self._asked is not None and utterance in (None, self._asked.utterance):
            self._asked = self._retry = None
        if utterance is None or self._answered_utterance == utterance:
            decisions.append(Clear(why))
            self._answered_utterance = None
        return decisions

    # -- failures -------------------------------------------------------------------------

    def _try_again(
        self, t: float, ask: Start, error: str, retryable: bool, retry_after: float = 0.0
    ) -> list[Decision]:
        retry_after = self.config.believed(retry_after)
        wait = max(retry_after, self.config.backoff_s * 2**ask.attempt)
        if retry_after:
            self.backends.demand(ask.backend, t, t + retry_after)
        here = retryable and ask.attempt < self.config.retries and wait <= self.config.max_wait_s
        if not here:
            self.backends.leave(ask.backend, t + max(self.config.cooldown_s, retry_after))
        if self._pending is not None or self._asked is None or self._asked.gen != ask.gen:
            return []  # newer words are asked, or will be
        if here:
            self._retry = Retry(replace(ask, attempt=ask.attempt + 1), t + wait)
            return []
        following = self.backends.after(ask.backend)
        if following is not None:
            self._retry = Retry(replace(ask, backend=following, attempt=0), t)
            return []
        return self._leave_it(ask, error)

    def _leave_it(self, ask: Start, error: str) -> list[Decision]:
        if self._asked is not None and self._asked.gen == ask.gen:
            self._asked = None
        if not ask.final:
            return []  # the next words of the user are a new try
        answered = self._answered_utterance == ask.utterance
        return [GiveUp(ask.utterance, ask.revision, error, answered)]
