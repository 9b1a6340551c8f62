"""The conversation as the oracle sees it: carries out what the policy decides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from kame_ros.oracle.account import TurnAccount
from kame_ros.oracle.action_desk import ActionDesk
from kame_ros.oracle.actions import ActionError
from kame_ros.oracle.backend import Backend
from kame_ros.oracle.chunk import ChunkKind, OracleChunk
from kame_ros.oracle.clients.base import LlmError, Message
from kame_ros.oracle.config import OracleConfig
from kame_ros.oracle.decision import Adopt, Cancel, Clear, Confirm, Decision, GiveUp, Start
from kame_ros.oracle.event import OracleEvent, OracleEventKind
from kame_ros.oracle.facts import FactBook
from kame_ros.oracle.generation import Generation
from kame_ros.oracle.history import History
from kame_ros.oracle.outputs import Outputs
from kame_ros.oracle.policy import OraclePolicy
from kame_ros.oracle.pool import ClientPool
from kame_ros.oracle.prompt import build_messages
from kame_ros.oracle.router import Embed, Router
from kame_ros.stt.transcript import Transcript

COUNTERS = (
    'transcripts', 'transcripts_old', 'stop_words',
    'started', 'adopted', 'cancelled', 'ended', 'failed', 'gave_up', 'words',
    'tokens_in', 'tokens_cached', 'tokens_out', 'cost',
)  # fmt: skip


class OracleSession:
    """Belongs to one event loop; `clock` gives the audio clock's time in seconds.

    `on_change` is called when the next deadline may have moved.
    """

    def __init__(
        self,
        config: OracleConfig,
        clock: Callable[[], float],
        outputs: Outputs,
        on_change: Callable[[], None],
        embed: Embed | None = None,
    ) -> None:
        self.config = config
        self.policy = OraclePolicy(config.policy_config)
        self.history = History(max_tokens=config.history_tokens)
        self.facts = FactBook(max_age_s=config.facts_age_s)
        self.desk = ActionDesk(config.actions)
        self.pool = ClientPool()
        self.generations: dict[int, Generation] = {}
        self.counts: dict[str, float] = dict.fromkeys(COUNTERS, 0)
        self._embed = embed
        self._router = Router(config.routes, embed=embed)
        self._clock = clock
        self._out = outputs
        self._on_change = on_change
        self._adopted: Start | None = None
        self._account: TurnAccount | None = None
        self._extra = ''  # facts and actions in the prompt, the same for a whole turn
        self._stopped = -1  # the utterance in which a stop word was heard
        self._preparing: asyncio.Task[None] | None = None

    # -- inputs ---------------------------------------------------------------------------

    def hear(self, transcript: Transcript) -> None:
        """A revision of what the user says."""
        if self.policy.is_old(transcript):
            self.counts['transcripts_old'] += 1
            return
        self.counts['transcripts'] += 1
        if self._account is None or self._account.utterance != transcript.utterance:
            self._begin_turn(transcript)
        if transcript.final:
            self.history.user_ends(transcript.utterance, transcript.text)
            if self._account:
                self._account.on_final(transcript)
        if self._is_stop(transcript):
            return
        self.policy.backends.first = self._router.choose(
            transcript.utterance, transcript.text, transcript.final
        )
        self.do(self.policy.on_transcript(self._clock(), transcript))
        if transcript.final and not transcript.text.strip():
            self._tell(OracleEventKind.SILENT, utterance=transcript.utterance)

    def robot_said(self, text: str, t: float, generation: int = -1) -> None:
        """The robot has said this piece aloud, of this generation if it is one of ours."""
        self.history.robot_said(text, t)
        if self._account and generation >= 0:
            self._account.on_spoken(generation)

    def action_result(self, id: str, succeeded: bool, text: str) -> None:
        """The robot's answer to a request."""
        request = self.desk.result(id)
        if request is not None:
            self._report(request.name, f'{"done" if succeeded else "failed"}: {text}')

    def barge_in(self, t: float) -> None:
        """The user spoke over the robot at `t`: what it was to say later was not said."""
        self.history.cut(t)
        self.do(self.policy.barge_in(t))

    def interrupt(self, why: str) -> None:
        """Stops thinking, takes back what is not yet spoken, stops actions."""
        for request in self.desk.cancel_all():
            self._out.on_action_cancelled(request)
        self.do(self.policy.interrupt(self._clock(), why))

    def reset(self) -> None:
        """Forgets the conversation; facts about the robot stay."""
        for request in self.desk.cancel_all():
            self._out.on_action_cancelled(request)
        self.do(self.policy.reset(self._clock()))
        self._close_turn()
        self.history.clear()
        self._router.forget()
        self._stopped = -1

    def configure(self, config: OracleConfig) -> None:
        """From the next generation on; running ones end as they began."""
        self.config = config
        self.policy.configure(config.policy_config)
        self.history.max_tokens = config.history_tokens
        self.facts.max_age_s = config.facts_age_s
        self.desk.book = config.actions
        self._router = Router(config.routes, embed=self._embed)
        self._extra = self._extra_prompt()
        self._preparing = asyncio.ensure_future(self._prepare())

    def tick(self) -> None:
        """Time has passed."""
        t = self._clock()
        for request in self.desk.overdue(t):
            self._report(request.name, 'failed: no answer')
        self.do(self.policy.on_tick(t))

    def next_deadline(self) -> float | None:
        """When `tick` has something to do, or None."""
        times = (self.policy.next_deadline(), self.desk.next_deadline())
        return min((t for t in times if t is not None), default=None)

    async def warm_up(self) -> None:
        """Connects to the first back-end and shows it the system prompt. Raises LlmError."""
        client = await self.pool.get(self.config.backends[0])
        await client.warm_up(build_messages(self.config.prompt, [], 'hello', extra=self._extra))
        self._preparing = asyncio.ensure_future(self._prepare(self.config.backends[1:]))

    async def _prepare(self, backends: Sequence[Backend] | None = None) -> None:
        """Connects before anything is asked: an SDK imports, and a model loads, for seconds."""
        for backend in self.config.backends if backends is None else backends:
            try:
                client = await self.pool.get(backend)
                if backend.loads:
                    await client.warm_up(build_messages(self.config.prompt, [], 'hello'))
            except LlmError as error:
                self._tell(OracleEventKind.FAILED, text=str(error))
        await self._tidy()

    async def _tidy(self) -> None:
        """Closes the clients that nothing uses any more."""
        running = [generation.backend for generation in self.generations.values()]
        await self.pool.keep_only([*self.config.backends, *running])

    async def aclose(self) -> None:
        """Stops every generation and closes the clients."""
        tasks = [g.task for g in self.generations.values() if g.task]
        tasks += [self._preparing] if self._preparing else []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._close_turn()
        await self.pool.aclose()

    # -- turns ----------------------------------------------------------------------------

    def _begin_turn(self, transcript: Transcript) -> None:
        self._close_turn()
        self._account = TurnAccount(transcript.utterance)
        self.history.user_begins(transcript.start)
        self._extra = self._extra_prompt()

    def _close_turn(self) -> None:
        if self._account is not None:
            self._out.on_turn(self._account)
        self._account = None

    def _extra_prompt(self) -> str:
        parts = (self.facts.prompt(self._clock()), self.config.actions.prompt)
        return '\n'.join(part for part in parts if part)

    def _is_stop(self, transcript: Transcript) -> bool:
        phrase = self.config.stop_words.heard(transcript.text)
        if not phrase:
            return False
        if self._stopped != transcript.utterance:
            self._stopped = transcript.utterance
            self.counts['stop_words'] += 1
            self.interrupt(f"heard '{phrase}'")
            self._tell(OracleEventKind.STOPPED, text=phrase, utterance=transcript.utterance)
        return True

    def _report(self, name: str, result: str) -> None:
        text = f'(Result of {name}: {result}. Tell me in a few words.)'
        decisions = self.policy.on_result(self._clock(), text)
        self.do(decisions)  # the prompt is built before the history has the result
        self.history.note(text)

    # -- decisions ------------------------------------------------------------------------

    def do(self, decisions: Sequence[Decision]) -> None:
        """Carries out decisions in their order."""
        for decision in decisions:
            match decision:
                case Start():
                    self._start(decision)
                case Adopt(gen):
                    self._adopt(gen)
                case Confirm(gen):
                    self._confirm(gen)
                case Cancel(gen, why):
                    self._cancel(gen, why)
                case Clear():
                    self._clear()
                case GiveUp():
                    self._give_up(decision)
        self._on_change()

    def _start(self, ask: Start) -> None:
        backends = self.config.backends
        generation = Generation(
            ask,
            backends[min(ask.backend, len(backends) - 1)],
            self._prompt(ask),
            self.config.max_words,
        )
        self.generations[ask.gen] = generation
        self.counts['started'] += 1
        if self._account:
            self._account.on_start(ask)
        self._tell(OracleEventKind.BEGUN, ask, ask.text)
        generation.task = asyncio.ensure_future(self._run(generation))

    def _prompt(self, ask: Start) -> list[Message]:
        history = self.history
        turns = history.all_turns() if ask.follow_up else history.turns_before(ask.utterance)
        committed = None if ask.final else ask.committed
        return build_messages(self.config.prompt, turns, ask.text, committed, self._extra)

    def _adopt(self, gen: int) -> None:
        ask = self.generations[gen].ask
        self._adopted = ask
        self.counts['adopted'] += 1
        if self._account:
            self._account.on_first_word(self._clock(), gen)
        self._tell(OracleEventKind.FIRST_WORD, ask)
        self._send(ChunkKind.BEGIN, ask)

    def _confirm(self, gen: int) -> None:
        for text in self.desk.confirm(gen):
            self._act(text, gen, confirmed=True)

    def _cancel(self, gen: int, why: str) -> None:
        generation = self.generations.pop(gen, None)
        if generation is None:
            return
        if generation.task:
            generation.task.cancel()
        self.desk.forget(gen)
        self.counts['cancelled'] += 1
        if self._account:
            self._account.on_cancel(why)
        self._tell(OracleEventKind.CANCELLED, generation.ask, generation.text, why)

    def _clear(self) -> None:
        if self._adopted is not None:
            self._send(ChunkKind.CLEAR, self._adopted)
            self._adopted = None

    def _give_up(self, decision: GiveUp) -> None:
        self.counts['gave_up'] += 1
        ask = Start(-1, '', decision.utterance, decision.revision, True)
        self._tell(OracleEventKind.GAVE_UP, ask, decision.why)
        if decision.answered and self._adopted is not None:
            self._send(ChunkKind.END, self._adopted)
        elif self.config.apology:
            sorry = Start(self.policy.new_generation(), '', ask.utterance, ask.revision, True)
            self._adopted = sorry
            self._send(ChunkKind.BEGIN, sorry)
            self._send(ChunkKind.TEXT, sorry, self.config.apology)
            self._send(ChunkKind.END, sorry)

    # -- generations ----------------------------------------------------------------------

    async def _run(self, generation: Generation) -> None:
        ask = generation.ask
        try:
            client = await self.pool.get(generation.backend)
            await generation.write(client, self._on_words, self._on_request, self._on_piece)
        except LlmError as error:
            self._fail(ask, error)
        else:
            self._end(generation)
        finally:
            self._book(generation)
        await self._tidy()

    def _on_words(self, generation: Generation, words: list[str]) -> None:
        gen = generation.ask.gen
        if gen not in self.generations:
            return
        if len(generation.words) == len(words):
            self.do(self.policy.on_first_word(self._clock(), gen))
        if self._adopted is not None and self._adopted.gen == gen:
            self.counts['words'] += len(words)
            self._send(ChunkKind.TEXT, self._adopted, ''.join(words))

    def _on_piece(self, generation: Generation) -> None:
        gen, words = generation.ask.gen, len(generation.words)
        self.do(self.policy.on_piece(self._clock(), gen, words))

    def _on_request(self, generation: Generation, text: str) -> None:
        gen = generation.ask.gen
        if gen in self.generations:
            self._act(text, gen, confirmed=self.policy.is_confirmed(gen))

    def _act(self, text: str, gen: int, confirmed: bool) -> None:
        utterance = self._account.utterance if self._account else -1
        try:
            request = self.desk.ask(self._clock(), text, gen, utterance, confirmed)
        except ActionError as error:
            self._tell(OracleEventKind.FAILED, text=f'refused an action: {error}')
            return
        if request is not None:
            self._out.on_action(request)

    def _end(self, generation: Generation) -> None:
        ask = generation.ask
        if self.generations.pop(ask.gen, None) is None:
            return
        self.counts['ended'] += 1
        self._tell(OracleEventKind.ENDED, ask, generation.text)
        if self._adopted is not None and self._adopted.gen == ask.gen:
            self._send(ChunkKind.END, self._adopted)
        self.do(self.policy.on_end(self._clock(), ask.gen))

    def _fail(self, ask: Start, error: LlmError) -> None:
        if self.generations.pop(ask.gen, None) is None:
            return
        self.desk.forget(ask.gen)
        self.counts['failed'] += 1
        if self._account:
            self._account.failed += 1
        self._tell(OracleEventKind.FAILED, ask, str(error))
        t = self._clock()
        self.do(self.policy.on_failure(t, ask.gen, str(error), error.retryable, error.retry_after))

    def _book(self, generation: Generation) -> None:
        books = TurnAccount(generation.ask.utterance)
        account = self._account
        if account is not None and account.utterance == generation.ask.utterance:
            account.on_usage(
                generation.backend, generation.prompt, generation.text, generation.usage
            )
        books.on_usage(generation.backend, generation.prompt, generation.text, generation.usage)
        for name in ('tokens_in', 'tokens_cached', 'tokens_out', 'cost'):
            self.counts[name] += getattr(books, name)

    # -- outputs --------------------------------------------------------------------------

    def _send(self, kind: ChunkKind, ask: Start, text: str = '') -> None:
        source, priority = self.config.source, self.config.priority
        self._out.on_chunk(
            OracleChunk(source, ask.gen, kind, text, priority, ask.utterance, ask.revision)
        )

    def _tell(
        self,
        kind: OracleEventKind,
        ask: Start | None = None,
        text: str = '',
        why: str = '',
        utterance: int = -1,
    ) -> None:
        gen, revision = -1, -1
        if ask is not None:
            gen, utterance, revision = ask.gen, ask.utterance, ask.revision
        self._out.on_event(OracleEvent(kind, self._clock(), gen, utterance, revision, text, why))
