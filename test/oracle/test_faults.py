"""Nothing that is said, answered or raised leaves the oracle deaf."""

import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_llm import ScriptedClient

from kame_ros.oracle.account import TurnAccount
from kame_ros.oracle.config import OracleConfig
from kame_ros.oracle.llm.backend import Backend
from kame_ros.oracle.llm.clients.base import LlmError, Usage
from kame_ros.oracle.policy.decision import Cancel
from kame_ros.oracle.routing.router import Route
from kame_ros.oracle.runner import OracleRunner
from kame_ros.text.well_formed import well_formed
from kame_ros.wire.transcript import Transcript

BACKEND = Backend('ollama', 'scripted')
HOSTILE = (
    '\ud800 bad', 'half \udfff', '\ud83d\ude00', '\x00', '\u202e\u0000\x1b[2J', '<|im_end|>',
    '<think>', '</think>', '<action>{', '<action>{"name": "\ud800"}</action>', 'a' * 20_000,
    '', ' ', '\n', '{}', 'stop', '\ufeff', '\u0660\u0661', 'e\u0301' * 50, '%s %n {0}',
)  # fmt: skip
texts = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(codec=None), max_size=40))
ERRORS = (RuntimeError, ValueError, KeyError, UnicodeError, OSError, TypeError, SystemExit)


class World:
    """An oracle with a scripted LLM and listeners that raise when told to."""

    def __init__(self, monkeypatch, answer, embed=None, routes=()):
        client = ScriptedClient(answer)
        monkeypatch.setattr(Backend, 'connect', lambda backend: client)
        self.client, self.broken, self.told = client, set(), []
        self.text, self.events, self.changed = '', [], threading.Condition()
        config = OracleConfig((BACKEND, BACKEND) if routes else (BACKEND,), routes=routes)
        self.runner = OracleRunner(
            config, clock=time.monotonic, on_chunk=self.on_chunk, on_event=self.on_event,
            on_action=self.listener('on_action'), on_turn=self.listener('on_turn'),
            on_action_cancelled=self.listener('on_action_cancelled'),
            embed=embed, on_fault=self.told.append,
        )  # fmt: skip

    def listener(self, name):
        def listen(_):
            if name in self.broken:
                raise RuntimeError(f'{name} is broken')

        return listen

    def on_chunk(self, chunk):
        self.listener('on_chunk')(chunk)
        chunk.text.encode()  # as whoever publishes it does
        with self.changed:
            self.text = chunk.text if chunk.kind.name == 'BEGIN' else self.text + chunk.text
            self.changed.notify_all()

    def on_event(self, event):
        self.listener('on_event')(event)
        event.text.encode()
        self.events.append(event)

    def say(self, text, utterance, revision=0, final=True):
        self.runner.submit(Transcript(utterance, revision, text, len(text), final, 0.0, 0.1))

    def until(self, text):
        with self.changed:
            assert self.changed.wait_for(lambda: self.text == text, 60.0), self.told

    def answers(self, utterance):
        """The next question is answered."""
        self.broken.clear()
        self.client.answer = lambda messages: ['Yes.']
        self.runner.interrupt()
        self.text = ''
        self.say('are you there', utterance)
        self.until('Yes.')
        assert self.runner.alive


@pytest.fixture
def world(monkeypatch):
    made = []

    def make(*args, **more):
        made.append(World(monkeypatch, *args, **more))
        return made[-1]

    yield make
    for each in made:
        assert each.runner.close()


step = st.one_of(
    st.tuples(st.just('say'), texts, st.booleans()),
    st.tuples(st.just('fact'), texts),
    st.tuples(st.just('history'), texts),
    st.tuples(st.just('result'), texts),
    st.tuples(st.sampled_from(['barge_in', 'interrupt', 'reset', 'pause'])),
)
piece = st.one_of(texts, st.sampled_from(ERRORS), st.just(LlmError))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(step, max_size=12),
    st.lists(piece, max_size=5),
    st.sets(st.sampled_from(['on_chunk', 'on_event', 'on_action', 'on_turn', 'embed'])),
)
def test_hostile_texts_and_exceptions_anywhere_never_leave_the_oracle_deaf(steps, pieces, broken):
    with pytest.MonkeyPatch.context() as patch:

        def answer(messages):
            return [p if isinstance(p, str) else p('\ud800 raised') for p in pieces]

        def embed(texts):
            if 'embed' in broken and len(texts) == 1:
                raise RuntimeError('bad input')
            return [[1.0] for _ in texts]

        world = World(patch, answer, embed, (Route('a', 1, examples=('x',)),))
        try:
            world.broken |= broken
            runner = world.runner
            for number, (name, *given_) in enumerate(steps):
                match name:
                    case 'say':
                        world.say(given_[0], number, final=given_[1])
                    case 'fact':
                        runner.learn_fact(f'{given_[0]}: {given_[0]}', 0.0)
                    case 'history':
                        runner.say_history(given_[0], float(number), 1)
                    case 'result':
                        runner.action_result(given_[0], True, given_[0])
                    case 'barge_in':
                        runner.barge_in(0.0)
                    case _:
                        getattr(runner, name)()
            world.answers(len(steps))
        finally:
            assert world.runner.close()


INPUTS = ('hear', 'robot_said', 'action_result', 'barge_in', 'interrupt', 'reset', 'configure')
INNER = ('on_transcript', 'on_first_word', 'on_piece', 'on_end', 'on_failure', 'next_deadline')


@pytest.mark.parametrize('name', INPUTS)
def test_a_fault_in_an_input_is_counted_told_once_and_the_next_question_answered(name, world):
    w = world(lambda messages: ['No.'])
    session, real = w.runner._session, getattr(w.runner._session, name)
    setattr(session, name, lambda *_: 1 / 0)
    for number in range(3):
        w.say('hello', number)
        w.runner.say_history('x', 0.0)
        w.runner.action_result('x', True, 'x')
        w.runner.barge_in(0.0)
        w.runner.interrupt()
        w.runner.reset()
        w.runner.configure(w.runner.config)
    assert w.runner.pause()
    setattr(session, name, real)
    w.answers(9)
    assert w.runner.counters()['faults'] >= 3
    assert sum('ZeroDivisionError' in text for text in w.told) in (1, 2)  # pause interrupts too


@pytest.mark.parametrize('name', INNER)
def test_a_fault_in_a_rule_is_counted_and_the_next_question_answered(name, world):
    w = world(lambda messages: ['No.'])
    policy, real = w.runner._session.policy, getattr(w.runner._session.policy, name)
    raised = threading.Event()

    def broken(*_, **__):
        raised.set()
        raise KeyError(name)

    setattr(policy, name, broken)
    if name == 'on_failure':
        w.client.answer = lambda messages: [LlmError('down')]
    w.say('hello there', 1)
    assert raised.wait(60.0)
    setattr(policy, name, real)
    w.answers(2)
    assert w.runner.counters()['faults'] >= 1
    assert w.told


def test_a_final_question_that_ran_into_a_fault_is_excused(world):
    w = world(lambda messages: ['No.'])
    w.runner._session.policy.on_transcript = lambda *_: 1 / 0
    w.say('hello there', 1)
    w.until(w.runner.config.apology)


def test_cancelling_what_is_gone_is_no_fault(world):
    w = world(lambda messages: ['No.'])
    w.runner._mail.put(lambda: w.runner._session.do([Cancel(99, 'gone')]))
    w.answers(1)
    assert w.runner.counters()['faults'] == 0


def test_an_error_text_with_half_a_character_is_told_and_the_next_question_answered(world):
    w = world(lambda messages: [LlmError('\ud800 bad', retryable=False)])
    w.say('hello', 0)
    w.until(w.runner.config.apology)
    assert [e.text for e in w.events if e.kind.name == 'GENERATION_FAILED'] == ['\ufffd bad']
    w.answers(1)
    assert w.runner.counters()['faults'] == 0


@pytest.mark.parametrize('text', ['\ud800', 'a\udc00b', '\ud800\ud800'])
def test_halves_of_characters_are_replaced(text):
    well_formed(text).encode()
    assert '\ufffd' in well_formed(text)


def test_whole_characters_are_kept():
    assert well_formed('Zoë 😀 \x00') == 'Zoë 😀 \x00'
    assert well_formed('\ud83d\ude00') == '😀'


@pytest.mark.parametrize('bad', [None, 'many', float('nan'), float('inf'), -7, 1e300, True, [1]])
def test_counts_of_tokens_that_are_none_are_estimated(bad):
    account = TurnAccount(0)
    account.on_usage(BACKEND, 'a prompt', 'an answer', Usage(bad, bad, bad))
    assert account.estimated == 1
    assert account.tokens_in == 8 // 3 + 4
    assert account.tokens_cached == 0
