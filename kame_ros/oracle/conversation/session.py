"""The conversation as the oracle sees it: carries out what the policy decides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from kame_ros.oracle.actions.book import ActionError, ActionRequest
from kame_ros.oracle.actions.desk import ActionDesk
from kame_ros.oracle.actions.half_turn import HalfTurn, Held
from kame_ros.oracle.config import OracleConfig
from kame_ros.oracle.conversation.facts import FactBook
from kame_ros.oracle.conversation.history import History
from kame_ros.oracle.conversation.prompt import build_messages
from kame_ros.oracle.conversation.remarks import Remarks
from kame_ros.oracle.conversation.voice import OracleVoice
from kame_ros.oracle.ledger import Ledger
from kame_ros.oracle.llm.backend import Backend
from kame_ros.oracle.llm.clients.base import LlmClient, LlmError, Message
from kame_ros.oracle.llm.generation import Generation
from kame_ros.oracle.llm.pool import ClientPool
from kame_ros.oracle.llm.warm_ahead import WarmAhead
from kame_ros.oracle.outputs import Outputs
from kame_ros.oracle.policy.compare import unasked
from kame_ros.oracle.policy.decision import Adopt, Cancel, Clear, Confirm, Decision, GiveUp, Start
from kame_ros.oracle.policy.policy import OraclePolicy
from kame_ros.oracle.routing.router import Embed, Router
from kame_ros.runtime.faults import RAISED_BY_OTHERS, Faults
from kame_ros.text.heard import clean_heard
from kame_ros.wire.transcript import Transcript
from kame_ros.wire.turn import TurnKind

_MAX_RESULT = 400  # characters of what an action tells


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
        last_generation: int = 0,
        faults: Faults | None = None,
    ) -> None:
        self.config = config
        self._faults = faults or Faults(lambda _: None)
        self.policy = OraclePolicy(config.policy_config, last_generation)
        self.history = History(max_tokens=config.history_bound)
        self.facts = FactBook(max_age_s=config.facts_age_s, max_tokens=config.facts_bound)
        self.desk = ActionDesk(config.actions)
        self._half = HalfTurn()
        self._asked: dict[str, Held] = {}  # how running requests were asked for, by their id
        self.ledger = Ledger(outputs.on_turn)
        self.generations: dict[int, Generation] = {}
        self.voice = OracleVoice(outputs, clock)
        self._pool = ClientPool()
        self._embed = embed
        self._router = self._new_router()
        self._clock = clock
        self._out = outputs
        self._on_change = on_change
        self._facts_now = ''  # in the prompt, the same for a whole turn
        self._warm = WarmAhead()
        self.warmed = 0  # prompts that were read ahead
        self._stopped = -1  # the utterance in which a stop word was heard
        self._remarks = Remarks()

    # -- inputs ---------------------------------------------------------------------------

    def hear(self, transcript: Transcript) -> None:
        """A revision of what the user says."""
        t = self._clock()
        if self.policy.is_old(t, transcript):
            self.policy.pass_over(transcript)
            self.ledger.count('transcripts_old')
            return
        if self.policy.starts_anew(t, transcript):
            self._count_anew()
        if self._remarks.is_remark(transcript, self.history.robot_said_until(transcript.end)):
            self._pass_over_remark(t, transcript)
            return
        if self.ledger.hear(transcript):
            self.history.user_begins(transcript.start)
            self._facts_now = self.facts.prompt(t)
            self.desk.forget_unconfirmed()
        if transcript.final:
            self.history.user_ends(transcript.utterance, transcript.text)
        for held in self._half.hear(transcript):
            self._act(held.text, held.generation, held.utterance, confirmed=True)
        stopped = self._is_stop(transcript)
        if not stopped:
            try:
                self._think(transcript)
            except RAISED_BY_OTHERS as error:
                self._faults.book('thinking', error)
                self.recover(unasked(transcript) if transcript.final else None)
        if transcript.final and (stopped or not transcript.text.strip()):
            self.voice.tell(TurnKind.SILENT, unasked(transcript))

    def _pass_over_remark(self, t: float, transcript: Transcript) -> None:
        """An "uh-huh" over the robot's answer is no question, and no turn."""
        self.ledger.count('transcripts')
        self.do(self.policy.on_remark(t, transcript))
        if transcript.final:
            self.ledger.count('remarks')
            if self.ledger.utterance == transcript.utterance:  # it began as other words
                self.history.user_ends(transcript.utterance, '')
            self.voice.tell(TurnKind.SILENT, unasked(transcript))

    def _count_anew(self) -> None:
        """Utterances have lower numbers from now on; old ones mean nothing any more."""
        self.ledger.count('numbered_anew')
        self.history.count_anew()
        self._half.forget()
        self._router.forget()
        self._stopped = -1

    def _think(self, transcript: Transcript) -> None:
        self.policy.backends.first = self._route(transcript)
        self.do(self.policy.on_transcript(self._clock(), transcript))

    def robot_said(self, text: str, t: float, generation: int = -1) -> None:
        """The robot has said this piece aloud, of this generation if it is one of ours."""
        dropped = self.history.dropped
        self.history.robot_said(text, t)
        if self.history.dropped > dropped:  # the prompt begins with other turns
            self._read_ahead()
        self.ledger.spoken(generation)

    def robot_speaks(self, t: float, begins: bool) -> None:
        """The robot's voice begins at `t`, or has ended."""
        (self._remarks.robot_begins if begins else self._remarks.robot_ends)(t)

    def learn_fact(self, line: str, t: float) -> None:
        """A fact about the robot, `name: text`; a local LLM reads it before anybody asks."""
        before = self.facts.prompt(t)
        self.facts.learn(line, t)
        if self.facts.prompt(t) != before:
            self._read_ahead()

    def _read_ahead(self) -> None:
        if self.config.backends[0].about.loads:
            self._warm.changed(self._clock())
            self._on_change()

    def action_result(self, id: str, succeeded: bool, text: str) -> None:
        """The robot's answer to a request."""
        self._asked.pop(id, None)
        if request := self.desk.result(id):
            text = clean_heard(text)[:_MAX_RESULT]
            self._report(request.name, f'{"done" if succeeded else "failed"}: {text}')

    def barge_in(self, t: float) -> None:
        """The user spoke over the robot at `t`: what it was to say later was not said."""
        self._remarks.robot_stopped(t)
        self.history.cut(t)
        self.do(self.policy.barge_in(t))

    def take_back(self, t: float) -> None:
        """The user's turn seemed to be over at `t`, and goes on: what they say is one turn.

        What half of it asked for is stopped at once, see HalfTurn.
        """
        self.ledger.count('turns_taken_back')
        self.history.take_back(t)
        utterance = self._half.take_back(t, self._clock())
        for request in [] if utterance is None else self.desk.take_back(utterance):
            self.ledger.count('actions_taken_back')
            self._half.hold(self._asked.pop(request.id))
            self._out.on_action_cancelled(request)
        self._on_change()

    def interrupt(self, why: str) -> None:
        """Stops thinking, takes back what is not yet spoken, stops actions."""
        self._stop_actions()
        self.do(self.policy.interrupt(self._clock(), why))

    def reset(self) -> None:
        """Forgets the conversation; facts about the robot stay."""
        self._stop_actions()
        self.do(self.policy.reset(self._clock()))
        self.ledger.close()
        self.history.clear()
        self._router.forget()
        self._stopped = -1
        self._remarks.forget()

    def configure(self, config: OracleConfig) -> None:
        """From the next generation on; running ones end as they began."""
        self.config = config
        self.policy.configure(config.policy_config)
        self.history.max_tokens = config.history_bound
        self.facts.max_age_s = config.facts_age_s
        self.facts.max_tokens = config.facts_bound
        self.desk.book = config.actions
        self._router = self._new_router()
        self._facts_now = self.facts.prompt(self._clock())
        self._prepare(config.backends)

    def recover(self, asked: Start | None = None) -> None:
        """After a fault: stops everything and thinks anew; facts and what was said stay.

        A final question, `asked` or one that was being answered, is excused.
        """
        finals = (g.ask for g in self.generations.values() if g.ask.final and not g.words)
        open_final = asked or next(finals, None)
        for generation in self.generations.values():
            generation.stop()
            self.ledger.cancel(generation.ask.gen, 'a fault')
        self.generations.clear()
        self.policy.recover()
        try:
            self._stop_actions()
            self.voice.clear()
            if open_final is not None:
                self._give_up(GiveUp(open_final.utterance, open_final.revision, 'a fault', False))
        except RAISED_BY_OTHERS as error:
            self._faults.book('recovering', error)

    def tick(self) -> None:
        """Time has passed."""
        for request in self.desk.overdue(self._clock()):
            self._asked.pop(request.id, None)
            self._report(request.name, 'failed: no answer')
        for held in self._half.give_up(self._clock()):
            why = 'an action is not done: the user went on, and nobody knows with what'
            self.voice.tell(TurnKind.GENERATION_FAILED, text=why)
            self.desk.forget(held.generation)
        self.do(self.policy.on_tick(self._clock()))
        idle = not self.generations and not self.history.is_open
        if self._warm.take(self._clock(), idle):
            self.warmed += 1
            self._prepare(self.config.backends[:1])

    def next_deadline(self) -> float | None:
        """When `tick` has something to do, or None."""
        desk, half = self.desk.next_deadline(), self._half.deadline
        times = (self.policy.next_deadline(), desk, half, self._warm.at)
        return min((t for t in times if t is not None), default=None)

    async def warm_up(self) -> None:
        """Connects to the first back-end and shows it the system prompt. Raises LlmError."""
        self._prepare(self.config.backends[1:])
        first = self.config.backends[0]
        try:
            await (await self._pool.get(first)).warm_up(self._greeting())
        except LlmError:
            raise
        except RAISED_BY_OTHERS as error:  # a client must not take the oracle down
            raise LlmError(f'{first.name}: {type(error).__name__}: {error}') from error

    async def pause(self) -> None:
        """Stops thinking and acting, and completes the books; the history stays."""
        tasks = [g.task for g in self.generations.values() if g.task]
        self.interrupt('not active')
        self.ledger.close()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def aclose(self) -> None:
        """Stops every generation and closes the clients."""
        try:
            await self.pause()
        finally:
            await self._pool.aclose()

    def _new_router(self) -> Router:
        try:
            return Router(self.config.routes, embed=self._embed)
        except RAISED_BY_OTHERS as error:  # of the embedding model: keywords still work
            self._faults.book('the router', error)
            return Router(self.config.routes)

    def _route(self, transcript: Transcript) -> int:
        try:
            return self._router.choose(transcript.utterance, transcript.text, transcript.final)
        except RAISED_BY_OTHERS as error:
            self._faults.book('the router', error)
            self._router.embed = None  # from now on by keywords, until it is configured anew
            return 0

    def _book(self, generation: Generation, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            self._faults.book('a generation', error)
        try:
            self.ledger.book(generation)
        except RAISED_BY_OTHERS as error:
            self._faults.book('the books', error)
            self.ledger.lose(generation.ask.gen)

    def _greeting(self) -> list[Message]:
        facts = self.facts.prompt(self._clock())
        turns = self.history.all_turns()
        while turns and turns[-1].role == 'user':
            turns.pop()  # it would be joined with the greeting
        extra = self.config.actions.prompt
        return build_messages(self.config.prompt, turns, 'hello', extra=extra, facts=facts)

    def _prepare(self, backends: Sequence[Backend]) -> None:
        self._pool.prepare(
            backends,
            self._greeting(),
            lambda error: self.voice.tell(TurnKind.GENERATION_FAILED, text=str(error)),
        )

    def _is_stop(self, transcript: Transcript) -> bool:
        phrase = self.config.stop_words.heard(transcript.text)
        if phrase and self._stopped != transcript.utterance:
            self._stopped = transcript.utterance
            self.ledger.count('stop_words')
            self.interrupt(f"heard '{phrase}'")
            self.voice.tell(TurnKind.STOPPED, unasked(transcript), phrase)
        return bool(phrase)

    def _stop_actions(self) -> None:
        self._half.forget()
        self._asked.clear()
        for request in self.desk.cancel_all():
            self._out.on_action_cancelled(request)

    def _report(self, name: str, result: str) -> None:
        text = f'(Result of {name}: {result}. Tell me in a few words.)'
        self.do(self.policy.on_result(self._clock(), text))
        self.history.note(text)  # after the prompt was built, of which the text is the end

    # -- decisions ------------------------------------------------------------------------

    def do(self, decisions: Sequence[Decision]) -> None:
        """Carries out decisions in their order."""
        for decision in decisions:
            match decision:
                case Start():
                    self._start(decision)
                case Adopt(gen):
                    self.ledger.adopt(self._clock(), gen)
                    self.voice.adopt(self.generations[gen].ask)
                case Confirm(gen):
                    for text in self.desk.confirm(gen):
                        self._act(text, gen, self.ledger.utterance, confirmed=True)
                case Cancel(gen, why):
                    self._cancel(gen, why)
                case Clear():
                    self.voice.clear()
                case GiveUp():
                    self._give_up(decision)
        self._on_change()

    def _start(self, ask: Start) -> None:
        backends = self.config.backends
        backend = backends[min(ask.backend, len(backends) - 1)]
        generation = Generation(
            ask,
            backend,
            self._prompt(ask),
            self.config.max_words,
            hidden=self.config.marks,
        )
        self.generations[ask.gen] = generation
        self._warm.clear()  # it reads the prompt itself
        self.ledger.start(ask)
        self.voice.tell(TurnKind.GENERATION_BEGUN, ask, ask.text)
        generation.task = asyncio.ensure_future(self._run(generation))
        generation.task.add_done_callback(lambda task: self._book(generation, task))

    def _prompt(self, ask: Start) -> list[Message]:
        history = self.history
        turns = history.all_turns() if ask.follow_up else history.turns_before(ask.utterance)
        stable = None if ask.final else ask.stable
        extra = self.config.actions.prompt
        return build_messages(self.config.prompt, turns, ask.text, stable, extra, self._facts_now)

    def _cancel(self, gen: int, why: str) -> None:
        generation = self.generations.pop(gen, None)
        if generation is None:
            return
        generation.stop()
        self.desk.forget(gen)
        self.ledger.cancel(gen, why)
        self.voice.tell(TurnKind.GENERATION_CANCELLED, generation.ask, generation.text, why)

    def _give_up(self, decision: GiveUp) -> None:
        gen = self.policy.new_generation()
        sorry = Start(gen, '', decision.utterance, decision.revision, True)
        self.ledger.count('gave_up')
        self.voice.tell(TurnKind.GAVE_UP, sorry, decision.why)
        if decision.answered:
            self.voice.break_off(self.config.apology)
        elif self.config.apology.strip():  # else nothing is said
            self.voice.adopt(sorry)
            self.voice.say(gen, [self.config.apology])
            self.voice.end(gen)

    # -- generations ----------------------------------------------------------------------

    async def _run(self, generation: Generation) -> None:
        try:
            client = await self._connected(generation)
            own = self._own
            await generation.write(
                client, own(self._on_words), own(self._on_request), own(self._on_piece)
            )
        except LlmError as error:
            generation.refused = not generation.words
            self._fail(generation.ask, error)
        # A fault of ours: the next question is answered all the same.
        except RAISED_BY_OTHERS as error:
            self._faults.book('a generation', error)
            self._fail(generation.ask, LlmError(f'{type(error).__name__}: {error}'))
        else:
            self._end(generation)
        used = [other.backend for other in self.generations.values()]
        await self._pool.keep_only([*self.config.backends, *used])

    async def _connected(self, generation: Generation) -> LlmClient:
        gen = generation.ask.gen
        if not self._pool.is_ready(generation.backend):
            self.policy.on_waiting(gen)  # an SDK is imported, a model loaded: not its slowness
            self._on_change()
        client = await self._pool.ready(generation.backend)
        self.policy.on_asked(self._clock(), gen)
        if generation.backend.about.in_process:  # it tells when it reads, but not when it loads
            self.policy.on_reading(self._clock(), gen)
        self._on_change()
        return client

    def _own(self, step: Callable[..., None]) -> Callable[..., None]:
        """The step, but a fault in it is booked to us, not to the LLM."""

        def call(*args: object) -> None:
            try:
                step(*args)
            except RAISED_BY_OTHERS as error:
                self._faults.book('a generation', error)
                raise LlmError(f'a fault: {type(error).__name__}: {error}') from error

        return call

    def _on_words(self, generation: Generation, words: list[str]) -> None:
        gen = generation.ask.gen
        if gen not in self.generations:
            return
        if len(generation.words) == len(words):
            self.do(self.policy.on_first_word(self._clock(), gen))
        self.voice.say(gen, words)

    def _on_piece(self, generation: Generation) -> None:
        gen, t = generation.ask.gen, self._clock()
        if generation.reading:
            self.policy.on_reading(t, gen)
        else:
            self.do(self.policy.on_piece(t, gen, len(generation.words)))

    def _on_request(self, generation: Generation, text: str) -> None:
        if (gen := generation.ask.gen) in self.generations:
            self._act(text, gen, generation.ask.utterance, self.policy.is_confirmed(gen))

    def _act(self, text: str, gen: int, utterance: int, confirmed: bool) -> None:
        """A request in an answer to this utterance."""
        waits = confirmed and (self._half.is_open or self._half.is_void(utterance))
        request: ActionRequest | None = None
        try:
            if waits:
                self.desk.check(text)
            else:
                request = self.desk.ask(self._clock(), text, gen, self.ledger.utterance, confirmed)
        except ActionError as error:
            self.voice.tell(TurnKind.GENERATION_FAILED, text=f'refused an action: {error}')
            return
        self.policy.on_action(self._clock(), gen)
        held = Held(text, gen, utterance)
        if waits:
            self.ledger.count('actions_taken_back')
            if not self._half.is_void(utterance):
                self._half.hold(held)
        if request is not None:
            self._asked[request.id] = held
            self._out.on_action(request)

    def _end(self, generation: Generation) -> None:
        gen = generation.ask.gen
        if self.generations.pop(gen, None) is None:
            return
        self.ledger.count('ended')
        self.voice.tell(TurnKind.GENERATION_ENDED, generation.ask, generation.text)
        self.voice.end(gen)
        self.do(self.policy.on_end(self._clock(), gen))

    def _fail(self, ask: Start, error: LlmError) -> None:
        if self.generations.pop(ask.gen, None) is None:
            return
        self.desk.forget(ask.gen)
        self.ledger.fail(ask.gen)
        self.voice.tell(TurnKind.GENERATION_FAILED, ask, str(error))
        why, t = str(error), self._clock()
        self.do(self.policy.on_failure(t, ask.gen, why, error.retryable, error.retry_after))
