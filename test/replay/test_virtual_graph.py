"""A recorded conversation gets the same decisions again, on virtual time."""

import asyncio
import time

import pytest
from fake_speech import speech
from recorded_bag import record as recorded
from replayed import SPANS, answer, config, converse
from scripted_llm import ScriptedClient

from kame_ros.bag.bag import Bag
from kame_ros.conversation.conversation import Conversation
from kame_ros.oracle.llm.clients.base import LlmError
from kame_ros.record.record import Record
from kame_ros.replay.decisions import Compared, compare, decisions
from kame_ros.replay.llms import AnswerTimes, RecordedLlm
from kame_ros.replay.virtual_graph import Timing
from kame_ros.wire.frame import Frame

T0 = 1_764_000_000.0
NOTHING = Compared([], [])
FRAMES = [Frame(f.seq, T0 + f.t, f.samples) for f in speech(SPANS, 16.0)]


def told(conversation):
    return [(d.what, round(d.t, 3)) for d in decisions(conversation, T0)]


def test_two_turns_are_heard_thought_and_said():
    record, conversation, graph = converse(FRAMES)
    heard = [turn.user_text for turn in record.turns()]
    assert heard == ['what is the capital of france', 'and of spain']
    said = [turn.robot_text for turn in record.turns()]
    assert said[0].endswith('I mean, It is Paris.')  # the answer to a partial was corrected
    assert said[1] == 'It is Madrid.'
    assert all(turn.latency > 0 for turn in record.turns())
    assert graph.faults == []
    kinds = [what.split(' answer')[0] for what, _ in told(conversation)]
    assert {'heard', 'asked about', 'adopted', 'written', 'spoken'} <= {
        kind.split(':')[0] for kind in kinds
    }


def test_the_same_parts_decide_the_same_at_the_same_time():
    first, again = (converse(FRAMES)[1] for _ in range(2))
    assert told(first) == told(again)


def test_minutes_take_no_minutes():
    began = time.monotonic()
    converse(FRAMES)
    assert time.monotonic() - began < 10.0  # of 16 s; it takes less than one


def test_a_bag_gets_the_same_decisions(tmp_path):
    """With the scripted LLM, and with the one that answers as the bag has it."""
    folder = recorded(tmp_path, lambda consumer: converse(FRAMES, consumer)).folder
    bag, record, before = Bag(folder), Record(), Conversation(bounded=False)
    frames = []
    keep = Conversation()
    keep.on_mic = frames.append
    times = AnswerTimes(lambda: bag.t)
    bag.tell('robot', record, before, keep, times)
    assert bag.problems == []
    assert len(frames) == len(FRAMES)
    expected = decisions(before, T0)
    assert len(expected) > 10
    _, same, _ = converse(frames)
    assert compare(expected, decisions(same, T0)) == NOTHING
    llm = RecordedLlm(record.generations.by_number.values(), times.pieces)
    _, same, _ = converse(frames, oracle=config(llm))
    assert compare(expected, decisions(same, T0)) == NOTHING
    assert llm.unknown == []


def test_another_llm_is_another_answer():
    _, before, _ = converse(FRAMES)
    other = ScriptedClient(lambda messages: [lambda: asyncio.sleep(1.0), 'I do not know.'])
    record, after, _ = converse(FRAMES, oracle=config(other))
    assert all(turn.robot_text.endswith('I do not know.') for turn in record.turns())
    found = compare(decisions(before, T0), decisions(after, T0)).differences
    words = ' '.join(str(d) for difference in found for d in difference.replay)
    assert 'written' in words
    assert 'I do not know.' in words


def test_slower_parts_are_slower():
    quick, _, _ = converse(FRAMES, timing=Timing(playout_s=0.2))
    slow, _, _ = converse(FRAMES, timing=Timing(playout_s=0.6))
    difference = slow.turns()[0].latency - quick.turns()[0].latency
    assert difference == pytest.approx(0.4, abs=0.02)


def test_an_llm_that_fails_is_a_decision_and_no_end():
    def fails(messages):
        raise LlmError('no server answers', retryable=False)

    record, conversation, _ = converse(FRAMES, oracle=config(ScriptedClient(fails)))
    assert any('no server answers' in what for what, _ in told(conversation))
    assert len(record.turns()) == 2


def test_what_the_llm_was_never_asked_gets_the_answer_to_what_is_most_alike():
    record, _, _ = converse(FRAMES)
    answers = list(record.generations.by_number.values())
    llm = RecordedLlm(answers)
    assert llm._find('and what is the capital of france').text == 'It is Paris.'
    assert llm._find('what was the capital of the france').text == 'It is Paris.'
    assert llm._find('how are you') is None
    assert llm.unknown == ['what was the capital of the france', 'how are you']
    assert answer([{'content': 'x'}])
