"""When the session asks, waits, asks again and gives up: on virtual time, to the hundredth."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from virtual_oracle import VirtualOracle

from kame_ros.oracle.actions.book import actions_from_config
from kame_ros.oracle.llm.clients.base import LlmError
from kame_ros.oracle.policy.config import PolicyConfig

SORRY = 'Sorry, I cannot think right now.'
POLICY = PolicyConfig(first_token_s=2.0, stall_s=3.0, total_s=15.0, backoff_s=0.25, retries=1)
ACTIONS = actions_from_config(
    [{'name': 'wave', 'description': 'Waves.', 'arguments': {'times': {'type': 'integer'}}}]
)
WAVE = '<action>{"name": "wave", "arguments": {"times": 2}}</action>'


@pytest.fixture
def oracle(monkeypatch):
    settings = {'policy': POLICY}
    return lambda *answers, **more: VirtualOracle(
        monkeypatch, partial(_next, list(answers)), **{**settings, **more}
    )


def _next(answers, messages):
    return answers.pop(0) if len(answers) > 1 else answers[0]


def test_a_partial_that_comes_too_early_is_asked_when_the_gap_is_over(oracle):
    async def talk():
        world = oracle([5.0, 'Paris.'])
        world.hear('what is the', final=False)
        await world.wait(0.1)
        world.hear('what is the capital of France', final=False, revision=1)
        await world.wait(0.2)
        assert len(world.client.asked) == 1
        await world.wait(0.2)
        assert [m[-1]['content'] for m in world.client.asked] == [
            'what is the', 'what is the capital of France',
        ]  # fmt: skip
        assert world.times('GENERATION_BEGUN') == [0.0, 0.4]

    asyncio.run(talk())


def test_the_newest_question_takes_over_at_its_first_word(oracle):
    async def talk():
        world = oracle([0.2, 'One ', 3.0, 'two.'], [0.5, 'Paris.'])
        world.hear('tell me about', final=False)
        await world.wait(0.4)
        world.hear('tell me about the capital of France', revision=1)
        await world.wait(0.4)
        assert world.said == 'One'  # goes on until the other begins
        await world.wait(0.2)
        assert world.said == 'One\nParis.'
        assert world.times('GENERATION_FIRST_WORD') == [0.2, 0.9]
        assert world.times('GENERATION_CANCELLED') == [0.9]

    asyncio.run(talk())


def test_an_llm_without_a_word_is_given_up_after_its_time(oracle):
    async def talk():
        world = oracle([100.0, 'Paris.'])
        world.hear('capital of France?')
        await world.wait(1.9)
        assert not world.chunks
        await world.wait(0.2)
        assert world.said == SORRY
        assert world.times('GAVE_UP') == [2.0]

    asyncio.run(talk())


def test_an_llm_that_fails_is_asked_again_after_a_while(oracle):
    async def talk():
        world = oracle([0.1, LlmError('it is busy')], ['Paris.'])
        world.hear('capital of France?')
        await world.wait(1.0)
        assert world.said == 'Paris.'
        assert world.times('GENERATION_BEGUN') == [0.0, 0.35]  # 0.1 s, and a backoff of 0.25 s

    asyncio.run(talk())


def test_a_server_is_not_asked_before_it_wants_to_be(oracle):
    async def talk():
        world = oracle([LlmError('it is busy', retry_after=0.7)], ['Paris.'])
        world.hear('capital of France?')
        await world.wait(1.0)
        assert world.said == 'Paris.'
        assert world.times('GENERATION_BEGUN') == [0.0, 0.7]

    asyncio.run(talk())


def test_an_answer_that_stands_still_in_its_middle_is_excused(oracle):
    async def talk():
        world = oracle([0.5, 'The answer ', 'is ', 100.0])
        world.hear('what is it?')
        await world.wait(3.4)
        assert world.said == 'The answer is'
        await world.wait(4.0)  # it is asked again after 0.25 s, and stands still again
        assert world.said == f'The answer is\nThe answer is. {SORRY}'
        assert world.times('GENERATION_CANCELLED') == [3.5, 7.25]
        assert world.times('GAVE_UP') == [7.25]

    asyncio.run(talk())


def test_an_action_without_a_word_is_done_once_however_long_nothing_comes(oracle):
    async def talk():
        world = oracle([WAVE], ['I waved.'], actions=ACTIONS)
        world.hear('wave twice', final=False)
        await world.wait(1.0)
        assert not world.actions  # speculation never acts
        world.hear('Wave twice.', revision=1)
        await world.wait(1.0)
        ((t, request),) = world.actions
        assert (t, request.name, dict(request.arguments)) == (1.0, 'wave', {'times': 2})
        assert len(world.client.asked) == 1
        assert not world.chunks  # and no apology
        world.session.action_result(request.id, True, 'waved twice')
        await world.wait(0.1)
        assert world.said == 'I waved.'

    asyncio.run(talk())


def test_an_action_without_an_answer_has_failed_when_its_time_is_over(oracle):
    async def talk():
        world = oracle([WAVE], ['I could not.'], actions=ACTIONS)
        world.hear('Wave twice.')
        await world.wait(0.1)
        assert len(world.actions) == 1
        deadline = world.session.next_deadline()
        assert deadline is not None
        await world.wait(deadline - world.now - 0.1)
        assert not world.chunks
        await world.wait(0.2)
        assert world.said == 'I could not.'
        assert 'failed: no answer' in world.client.asked[-1][-1]['content']

    asyncio.run(talk())


def test_a_fact_is_believed_for_so_long(oracle):
    async def talk():
        world = oracle(['Yes.'], facts_age_s=60.0)
        world.session.learn_fact('battery: 80 percent full', world.now)
        await world.wait(59.0)
        world.hear('how full is it?')
        await world.wait(2.0)
        world.hear('and now?', utterance=1)
        await world.wait(1.0)
        first, second = (messages[-1]['content'] for messages in world.client.asked)
        assert '80 percent' in first
        assert '80 percent' not in second

    asyncio.run(talk())


def test_pausing_ends_what_is_being_thought_at_once(oracle):
    async def talk():
        world = oracle(['Once upon ', 100.0])
        world.hear('a story')
        await world.wait(1.0)
        await world.session.pause()
        assert world.times('GENERATION_CANCELLED') == [1.0]
        assert world.session.generations == {}
        assert world.session.next_deadline() is None

    asyncio.run(talk())


def test_what_a_client_raises_while_it_warms_up_is_told_with_its_name(oracle):
    async def talk():
        world = oracle(['Yes.'])

        async def broken():
            raise AttributeError("'dict' object has no attribute 'content'")

        world.client.warm = broken
        with pytest.raises(LlmError, match=r"^ollama:scripted: AttributeError: 'dict' object"):
            await world.session.warm_up()

    asyncio.run(talk())


HALF, REST, WHOLE = 'Wave twice', 'and then go away.', ['I will not.', WAVE]


@pytest.mark.parametrize('late', [False, True])
@pytest.mark.parametrize('answer', WHOLE)
def test_what_half_a_turn_asked_for_is_stopped_and_the_whole_is_asked_anew(oracle, late, answer):
    async def talk():
        world = oracle([0.4 if late else 0.1, WAVE], ['Hm.'], [answer], ['I did.'], actions=ACTIONS)
        world.now = 5.0
        world.hear(HALF)
        await world.wait(0.2)
        world.session.take_back(5.0)
        asked = len(world.actions)
        assert asked == (0 if late else 1)  # late: the LLM asks for it when the user speaks on
        assert [r.id for r in world.cancelled] == [r.id for _, r in world.actions]
        await world.wait(0.6)
        assert len(world.actions) == asked
        world.hear('and then', utterance=1, final=False)
        await world.wait(0.6)
        assert len(world.actions) == asked  # nothing is done before the final
        world.hear(REST, utterance=1, revision=1)
        await world.wait(1.0)
        assert len(world.actions) == asked + (answer == WAVE)
        assert [r.utterance for _, r in world.actions[asked:]] == [1] * (answer == WAVE)
        assert len(world.cancelled) == asked
        assert world.session.ledger.totals['actions_taken_back'] == 1
        if world.actions[asked:]:
            world.session.action_result(world.actions[-1][1].id, True, 'waved')
        await world.wait(60.0)  # the first one is not awaited, nor told to have failed
        assert not [text for _, _, text in world.log if 'no answer' in text or 'not done' in text]

    asyncio.run(talk())


@pytest.mark.parametrize('late', [False, True])
def test_what_a_whole_turn_asked_for_is_done_though_a_noise_followed(oracle, late):
    async def talk():
        world = oracle([0.4 if late else 0.1, WAVE], ['I waved.'], actions=ACTIONS)
        world.now = 5.0
        world.hear(HALF)
        await world.wait(0.2)
        world.session.take_back(5.0)
        await world.wait(0.6)
        assert len(world.cancelled) == len(world.actions) == (0 if late else 1)
        world.hear('', utterance=1)
        await world.wait(0.1)
        assert len(world.actions) == (1 if late else 2)
        request = world.actions[-1][1]
        assert request.id not in [r.id for r in world.cancelled]
        world.session.action_result(request.id, True, 'waved')
        await world.wait(1.0)
        assert world.said == 'I waved.'

    asyncio.run(talk())


def test_an_order_given_late_by_the_llm_to_half_a_turn_is_none_after_the_whole_was_asked(oracle):
    async def talk():
        world = oracle([3.0, WAVE], [1.0, 'No.'], actions=ACTIONS)
        world.now = 5.0
        world.hear(HALF)
        await world.wait(0.2)
        world.session.take_back(5.0)
        await world.wait(0.5)
        world.hear(REST, utterance=1)
        await world.wait(6.0)
        assert not world.actions
        assert world.said == 'No.'

    asyncio.run(talk())


def test_orders_of_earlier_turns_go_on_when_a_turn_is_taken_back(oracle):
    async def talk():
        world = oracle([WAVE], ['Well.'], actions=ACTIONS)
        world.hear('Wave twice.')
        await world.wait(9.0)
        assert len(world.actions) == 1
        world.hear('What is', utterance=1, final=False)
        await world.wait(0.1)
        world.hear('What is', utterance=1, revision=1)  # of no action
        world.session.take_back(world.now)
        await world.wait(0.5)
        assert not world.cancelled
        # Nothing was heard of the turn that is taken back: no order can be of it.
        await world.wait(9.0)
        world.session.take_back(world.now)
        assert not world.cancelled

    asyncio.run(talk())


def test_an_order_is_not_kept_for_ever_when_the_words_of_the_rest_do_not_come(oracle):
    async def talk():
        world = oracle([0.1, WAVE], ['I waved.'], actions=ACTIONS)
        world.now = 5.0
        world.hear(HALF)
        await world.wait(0.2)
        world.session.take_back(5.0)
        assert len(world.cancelled) == 1
        await world.wait(11.0)
        (told,) = [text for _, name, text in world.log if name == 'GENERATION_FAILED']
        assert told.startswith('an action is not done: the user went on')
        world.hear('', utterance=1)
        await world.wait(1.0)
        assert len(world.actions) == 1

    asyncio.run(talk())


def test_a_stop_word_ends_what_half_a_turn_asked_for(oracle):
    async def talk():
        world = oracle([0.1, WAVE], ['I waved.'], actions=ACTIONS)
        world.now = 5.0
        world.hear(HALF)
        await world.wait(0.2)
        world.session.take_back(5.0)
        world.session.interrupt('by a button')
        world.hear('', utterance=1)
        await world.wait(20.0)
        assert len(world.actions) == len(world.cancelled) == 1
        assert world.session.next_deadline() is None

    asyncio.run(talk())


def test_an_answer_that_goes_on_as_the_user_ends_there_and_is_counted(oracle):
    async def talk():
        world = oracle(['Paris.', '\nUs', 'er', ': And', ' Spain?', '\nAssistant: ', 'Madrid.'])
        world.hear('What is the capital of France?')
        await world.wait(1.0)
        assert world.said == 'Paris.'
        assert world.session.ledger.totals['user_parts_cut'] == 1
        assert [text for _, kind, text in world.log if kind == 'GENERATION_ENDED'] == ['Paris.']

    asyncio.run(talk())


@pytest.mark.parametrize('late', [0.0, 0.5, 30.0])
@pytest.mark.parametrize('remark', ['Right.', 'Okay.', 'uh-huh'])
def test_a_remark_over_the_answer_is_no_question_however_late_it_comes(oracle, remark, late):
    async def talk():
        world = oracle(['It ', 2.0, 'is ', 'Paris.'])
        world.hear('What is the capital of France?')
        await world.wait(0.5)
        world.session.robot_speaks(world.now, begins=True)
        world.session.robot_said('It', world.now)
        await world.wait(1.0)
        said_at = world.now
        await world.wait(late)
        world.hear(remark[:2], final=False, utterance=1, end=said_at)
        world.hear(remark, utterance=1, revision=1, end=said_at)
        await world.wait(3.0)
        assert len(world.client.asked) == 1
        assert world.said == 'It is Paris.'
        assert len(world.times('SILENT')) == 1
        assert world.session.ledger.totals['remarks'] == 1
        assert [t.role for t in world.session.history.all_turns()] == ['user', 'assistant']

    asyncio.run(talk())


def test_words_that_begin_as_a_remark_and_go_on_are_asked(oracle):
    async def talk():
        world = oracle(['It is Paris.'], ['Madrid.'])
        world.hear('What is the capital of France?')
        world.session.robot_speaks(world.now, begins=True)
        await world.wait(2.0)
        world.hear('Okay.', final=False, utterance=1)
        world.hear('Okay, and what is that of Spain?', utterance=1, revision=1)
        await world.wait(1.0)
        assert world.said == 'It is Paris.\nMadrid.'
        assert world.session.ledger.totals['remarks'] == 0

    asyncio.run(talk())


def test_what_seemed_to_be_a_question_and_was_a_remark_is_withdrawn(oracle):
    async def talk():
        world = oracle(['It is Paris.'], [5.0, 'No.'])
        world.hear('What is the capital of France?')
        world.session.robot_speaks(world.now, begins=True)
        await world.wait(2.0)
        world.hear('write it', final=False, utterance=1)
        await world.wait(0.5)
        world.hear('Right.', utterance=1, revision=1)
        await world.wait(9.0)
        assert len(world.client.asked) == 2
        assert world.said == 'It is Paris.'
        assert len(world.times('GENERATION_CANCELLED')) == 1
        world.hear('And of Spain?', utterance=2)
        await world.wait(9.0)
        assert len(world.client.asked) == 3

    asyncio.run(talk())


def test_an_answer_to_a_question_of_the_robot_is_asked(oracle):
    async def talk():
        world = oracle(['Shall I come?'], ['I come.'])
        world.hear('Where are you?')
        world.session.robot_speaks(world.now, begins=True)
        await world.wait(2.0)
        world.session.robot_said('Shall I come?', world.now - 0.5)
        world.hear('Yes.', utterance=1)
        world.session.robot_speaks(world.now, begins=False)
        await world.wait(1.0)
        assert world.said == 'Shall I come?\nI come.'

    asyncio.run(talk())
