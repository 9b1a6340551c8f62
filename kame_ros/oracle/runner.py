"""The oracle at work: one thread that carries out what the policy decides."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from kame_ros.oracle.backend import Backend
from kame_ros.oracle.chunk import ChunkKind, OracleChunk
from kame_ros.oracle.clients.base import LlmError, Options, Usage
from kame_ros.oracle.decision import Adopt, Cancel, Clear, Confirm, Decision, GiveUp, Start
from kame_ros.oracle.event import OracleEvent, OracleEventKind
from kame_ros.oracle.history import History
from kame_ros.oracle.mailbox import Mailbox
from kame_ros.oracle.policy import OraclePolicy
from kame_ros.oracle.policy_config import PolicyConfig
from kame_ros.oracle.pool import ClientPool
from kame_ros.oracle.prompt import PromptConfig, build_messages
from kame_ros.oracle.speech import SpokenStream
from kame_ros.stt.transcript import Transcript

_TICK_S = 0.005  # the shortest wait: the clock may stand still in a replay
_INBOX = 256


@dataclass(frozen=True)
class OracleConfig:
    """Everything that may change while the oracle runs.

    The first back-end is asked first; the next ones take over when it fails. `apology` is said
    when none answers; nothing, if it is empty.
    """

    backends: tuple[Backend, ...]
    policy: PolicyConfig = field(default_factory=PolicyConfig)
    prompt: PromptConfig = field(default_factory=PromptConfig)
    max_words: int = 30
    history_tokens: int = 600
    apology: str = 'Sorry, I cannot think right now.'
    source: str = 'llm'
    priority: int = 0

    def __post_init__(self) -> None:
        if not self.backends:
            raise ValueError('the oracle needs a back-end')
        if self.max_words < 1:
            raise ValueError('max_words is at least 1')


@dataclass
class _Generation:
    ask: Start
    task: asyncio.Task[None] | None = None
    words: list[str] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)


class OracleRunner:
    """Transcripts in, oracle chunks and events out.

    All inputs may be called from any thread and return at once; `on_chunk` and `on_event` are
    called in the runner's thread and must not block. `clock` gives the time of the audio clock in
    seconds; it is read, never set.
    """

    def __init__(
        self,
        config: OracleConfig,
        *,
        clock: Callable[[], float],
        on_chunk: Callable[[OracleChunk], None],
        on_event: Callable[[OracleEvent], None],
    ) -> None:
        self._config = config
        self._clock = clock
        self._on_chunk = on_chunk
        self._on_event = on_event
        self._policy = OraclePolicy(_policy_config(config))
        self._history = History(max_tokens=config.history_tokens)
        self._pool = ClientPool()
        self._generations: dict[int, _Generation] = {}
        self._adopted: Start | None = None
        self._counts = dict.fromkeys(_COUNTERS, 0)
        self._mail: Mailbox[Callable[[], object]] = Mailbox(_INBOX)
        self._closing = False
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name='oracle', daemon=True)
        self._thread.start()
        self._ready.wait()

    # -- inputs, from any thread ----------------------------------------------------------

    def submit(self, transcript: Transcript, t: float | None = None) -> None:
        """Hears a revision of what the user says; `t`: when, on the audio clock."""
        self._mail.put(partial(self._hear, transcript), droppable=not transcript.final)

    def say_history(self, text: str, t: float) -> None:
        """The robot has said this piece aloud at `t`; pieces are joined as they are."""
        self._mail.put(partial(self._history.robot_said, text, t))

    def cut_history(self, t: float) -> None:
        """Playback stopped at `t`: what the robot was to say later was not said."""
        self._mail.put(partial(self._history.cut, t))

    def interrupt(self, why: str = 'interrupted') -> None:
        """Stops what is being thought and takes back what is not yet spoken."""
        self._mail.put(lambda: self._do(self._policy.interrupt(self._now(), why)))

    def reset(self) -> None:
        """Forgets the conversation."""
        self._mail.put(self._reset)

    def configure(self, config: OracleConfig) -> None:
        """Changes everything from the next generation on; running ones end as they began."""
        self._mail.put(partial(self._configure, config))

    @property
    def config(self) -> OracleConfig:
        """The configuration that the next generation uses."""
        return self._config

    def counters(self) -> dict[str, float]:
        """Running totals for diagnostics."""
        return {
            **self._counts,
            'running': len(self._generations),
            'inputs_dropped': self._mail.dropped,
            'inputs_deepest': self._mail.deepest,
            'history_turns_dropped': self._history.dropped,
        }

    def warm_up(self, timeout: float = 60.0) -> None:
        """Connects to the first back-end, which loads its model and reads the system prompt.

        Blocks. Raises LlmError, or TimeoutError after `timeout` seconds.
        """
        assert self._loop is not None
        done = asyncio.run_coroutine_threadsafe(self._warm_up(), self._loop)
        try:
            done.result(timeout)
        except TimeoutError:
            done.cancel()
            raise

    def close(self, timeout: float = 10.0) -> bool:
        """Stops all generations, closes the clients and ends the thread; False if it hangs."""
        self._closing = True
        self._mail.wake()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    # -- the loop -------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._mail.attach(self._loop)
        self._ready.set()
        while not self._closing:
            for handle in self._mail.drain():
                handle()
            t = self._now()
            deadline = self._policy.next_deadline()
            if deadline is not None and deadline <= t:
                self._do(self._policy.on_tick(t))
                deadline = self._policy.next_deadline()
            await self._mail.wait(None if deadline is None else max(deadline - t, _TICK_S))
        tasks = [g.task for g in self._generations.values() if g.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._pool.aclose()

    def _now(self) -> float:
        return self._clock()

    # -- inputs, in the loop --------------------------------------------------------------

    def _hear(self, transcript: Transcript) -> None:
        if self._policy.is_old(transcript):
            self._counts['transcripts_old'] += 1
            return
        self._counts['transcripts'] += 1
        self._history.user_begins(transcript.start)
        if transcript.final:
            self._history.user_ends(transcript.utterance, transcript.text)
        self._do(self._policy.on_transcript(self._now(), transcript))
        if transcript.final and not transcript.text.strip():
            self._tell(OracleEventKind.SILENT, utterance=transcript.utterance)

    def _reset(self) -> None:
        self._do(self._policy.reset(self._now()))
        self._history.clear()

    def _configure(self, config: OracleConfig) -> None:
        self._config = config
        self._policy.config = _policy_config(config)
        self._history.max_tokens = config.history_tokens

    async def _warm_up(self) -> None:
        config = self._config
        client = await self._pool.get(config.backends[0])
        await client.warm_up(build_messages(config.prompt, [], 'hello'))

    # -- decisions ------------------------------------------------------------------------

    def _do(self, decisions: Sequence[Decision]) -> None:
        for decision in decisions:
            match decision:
                case Start():
                    self._start(decision)
                case Adopt(gen):
                    self._adopt(gen)
                case Cancel(gen, why):
                    self._cancel(gen, why)
                case Clear(why):
                    self._clear()
                case GiveUp():
                    self._give_up(decision)
                case Confirm(gen):
                    pass
        self._mail.wake()  # the deadline may be another now

    def _start(self, ask: Start) -> None:
        generation = _Generation(ask)
        self._generations[ask.gen] = generation
        self._counts['started'] += 1
        self._tell(OracleEventKind.BEGUN, ask, ask.text)
        generation.task = asyncio.ensure_future(self._generate(generation))

    def _adopt(self, gen: int) -> None:
        ask = self._generations[gen].ask
        self._adopted = ask
        self._counts['adopted'] += 1
        self._tell(OracleEventKind.FIRST_WORD, ask)
        self._send(ChunkKind.BEGIN, ask)

    def _cancel(self, gen: int, why: str) -> None:
        generation = self._generations.pop(gen, None)
        if generation is None:
            return
        if generation.task:
            generation.task.cancel()
        self._counts['cancelled'] += 1
        self._tell(OracleEventKind.CANCELLED, generation.ask, ''.join(generation.words), why)

    def _clear(self) -> None:
        if self._adopted is not None:
            self._send(ChunkKind.CLEAR, self._adopted)
            self._adopted = None

    def _give_up(self, decision: GiveUp) -> None:
        self._counts['gave_up'] += 1
        self._tell(
            OracleEventKind.GAVE_UP,
            Start(-1, '', decision.utterance, decision.revision, True),
            decision.why,
        )
        if decision.answered and self._adopted is not None:
            self._send(ChunkKind.END, self._adopted)
        elif self._config.apology:
            self._say_now(self._config.apology, decision.utterance, decision.revision)

    def _say_now(self, text: str, utterance: int, revision: int) -> None:
        ask = Start(self._policy.new_generation(), text, utterance, revision, True)
        self._adopted = ask
        self._send(ChunkKind.BEGIN, ask)
        self._send(ChunkKind.TEXT, ask, text)
        self._send(ChunkKind.END, ask)

    # -- one generation -------------------------------------------------------------------

    async def _generate(self, generation: _Generation) -> None:
        ask = generation.ask
        config = self._config
        backend = config.backends[min(ask.backend, len(config.backends) - 1)]
        messages = build_messages(
            config.prompt, self._history.turns_before(ask.utterance), ask.text, ask.committed
        )
        spoken = SpokenStream(config.max_words, backend.thinks)
        options = Options(backend.max_tokens, backend.temperature)
        try:
            client = await self._pool.get(backend)
            stream = client.stream(messages, options, generation.usage)
            try:
                async for piece in stream:
                    self._give(generation, spoken.push(piece))
                    if spoken.done:
                        break
            finally:
                await stream.aclose()
            self._give(generation, spoken.flush())
            self._end(generation)
        except LlmError as error:
            self._fail(generation, error)
        except Exception as error:  # a client must not take the oracle down
            self._fail(generation, LlmError(f'{type(error).__name__}: {error}'))
        finally:
            self._counts['tokens_in'] += max(generation.usage.tokens_in, 0)
            self._counts['tokens_cached'] += max(generation.usage.cached, 0)
            self._counts['tokens_out'] += max(generation.usage.tokens_out, len(generation.words))

    def _give(self, generation: _Generation, words: list[str]) -> None:
        ask = generation.ask
        if not words or ask.gen not in self._generations:
            return
        first = not generation.words
        generation.words += words
        if first:
            self._do(self._policy.on_first_word(self._now(), ask.gen))
        if self._adopted is not None and self._adopted.gen == ask.gen:
            self._counts['words'] += len(words)
            self._send(ChunkKind.TEXT, self._adopted, ''.join(words))

    def _end(self, generation: _Generation) -> None:
        ask = generation.ask
        if self._generations.pop(ask.gen, None) is None:
            return
        self._counts['ended'] += 1
        self._tell(OracleEventKind.ENDED, ask, ''.join(generation.words))
        if self._adopted is not None and self._adopted.gen == ask.gen:
            self._send(ChunkKind.END, self._adopted)
        self._do(self._policy.on_end(self._now(), ask.gen))

    def _fail(self, generation: _Generation, error: LlmError) -> None:
        ask = generation.ask
        if self._generations.pop(ask.gen, None) is None:
            return
        self._counts['failed'] += 1
        self._tell(OracleEventKind.FAILED, ask, str(error))
        self._do(
            self._policy.on_failure(
                self._now(), ask.gen, str(error), error.retryable, error.retry_after
            )
        )

    # -- outputs --------------------------------------------------------------------------

    def _send(self, kind: ChunkKind, ask: Start, text: str = '') -> None:
        config = self._config
        self._on_chunk(
            OracleChunk(
                config.source, ask.gen, kind, text, config.priority, ask.utterance, ask.revision
            )
        )

    def _tell(
        self,
        kind: OracleEventKind,
        ask: Start | None = None,
        text: str = '',
        why: str = '',
        utterance: int = -1,
    ) -> None:
        t = self._now()
        if ask is None:
            self._on_event(OracleEvent(kind, t, utterance=utterance, text=text, why=why))
            return
        self._on_event(OracleEvent(kind, t, ask.gen, ask.utterance, ask.revision, text, why))


_COUNTERS = (
    'transcripts',
    'transcripts_old',
    'started',
    'adopted',
    'cancelled',
    'ended',
    'failed',
    'gave_up',
    'words',
    'tokens_in',
    'tokens_cached',
    'tokens_out',
)


def _policy_config(config: OracleConfig) -> PolicyConfig:
    """The policy's share: it knows how many back-ends there are and what the first one can bear."""
    streams = min(config.policy.max_streams, config.backends[0].parallel)
    return replace(config.policy, backends=len(config.backends), max_streams=streams)
