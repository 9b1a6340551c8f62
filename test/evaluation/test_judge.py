import asyncio
import json

import pytest
from scripted_llm import ScriptedClient

from kame_ros.evaluation.judge import (
    Asked,
    Bench,
    Judge,
    JudgeRefused,
    Template,
    filled,
    points,
    prompt_of,
    read_bench,
    trial_of,
)
from kame_ros.evaluation.judgements import Judgements
from kame_ros.evaluation.suite import BadSuite
from kame_ros.oracle.llm.backend import Backend

PROMPTS = {
    'single-v1': '{question} | {answer}',
    'single-math-v1': '{question} | {ref_answer_1} | {answer}',
    'single-v1-multi-turn': '{question_1} {answer_1} {question_2} | {answer_2}',
    'single-math-v1-multi-turn': '{question_1} {ref_answer_1} {ref_answer_2} | {answer_2}',
}
BENCH = Bench(
    {name: Template(name, 'judge', text) for name, text in PROMPTS.items()},
    {'1': ('four', 'nine'), '2': ('Paris', 'Rome')},
    {'1': 'reasoning', '2': 'reasoning', '3': 'stem'},
    {'1': ('2+2?', '3*3?'), '2': ('France?', 'Italy?'), '3': ('Why?', 'Really?')},
)
GOOD = [
    Asked('a', '1', '', ('2+2?',), ('four',)),
    Asked('b', '2', '', ('France?',), ('Paris',)),
]


class Scripted(Backend):
    """A back-end whose client is a script."""

    def connect(self):
        return self.extra['client']


def judge(rate, tmp_path, **more):
    client = ScriptedClient(lambda messages: [rate(messages[-1]['content'])])
    backend = Scripted('openai', 'fake', price_in=1.0, price_out=1.0, extra={'client': client})
    return Judge(backend, BENCH, Judgements(tmp_path), pause_s=0.0, **more), client


def knows(text):
    question, answer = text.split('|')[0].strip(), text.split('|')[-1].strip()
    right = {'2+2?': 'four', 'France?': 'Paris'}[question]
    return f'It is {"right" if answer == right else "wrong"}. [[{10 if answer == right else 1}]]'


@pytest.mark.parametrize(
    ('name', 'line'),
    [
        ('question.jsonl', {'question_id': 1, 'category': 'stem', 'turns': 5}),
        ('question.jsonl', {'question_id': 1, 'category': 'stem', 'turns': 'Why?'}),
        ('reference_answer_gpt-4.jsonl', {'question_id': 1, 'choices': []}),
        ('reference_answer_gpt-4.jsonl', {'question_id': 1, 'choices': [{}]}),
        ('reference_answer_gpt-4.jsonl', {'question_id': 1, 'choices': [{'turns': 5}]}),
        ('reference_answer_gpt-4.jsonl', {'question_id': 1, 'choices': 5}),
    ],
)
def test_data_of_the_bench_that_are_none_are_named(tmp_path, name, line):
    rows = [{'name': n, 'system_prompt': '', 'prompt_template': ''} for n in PROMPTS]
    (tmp_path / 'judge_prompts.jsonl').write_text('\n'.join(map(json.dumps, rows)))
    question = {'question_id': 1, 'category': 'stem', 'turns': ['Why?']}
    (tmp_path / 'question.jsonl').write_text(json.dumps(question))
    assert read_bench(tmp_path).questions == {'1': ('Why?',)}
    (tmp_path / name).write_text(json.dumps(line))
    with pytest.raises(BadSuite, match=rf'{name}: question 1 '):
        read_bench(tmp_path)


def test_a_judgement_without_points_is_as_none(tmp_path):
    kept = Judgements(tmp_path)
    kept.put('a', {'score': None})
    assert kept.get('a') == {'score': None}  # it could not be read, twice
    for spoiled in ({}, {'score': 'x'}, {'score': True}):
        kept.put('a', spoiled)
        assert kept.get('a') is None


@pytest.mark.parametrize(
    ('reply', 'value', 'compat'),
    [
        ('Fine. [[7]]', 7.0, 7.0),
        ('The answer says [[10]], but: [[2.5]]', 2.5, 10.0),
        ('I give [3].', 3.0, 3.0),
        ('seven', None, None),
        ('[[99]]', None, 99.0),
        ('', None, None),
    ],
)
def test_points_are_the_last_ones_and_the_first_in_compat(reply, value, compat):
    assert points(reply) == value
    assert points(reply, compat=True) == compat


def test_the_reference_is_shown_where_fastchat_shows_it():
    template, text = prompt_of(Asked('a', '1', 'reasoning', ('2+2?',), ('5 [[10]]',)), BENCH)
    assert (template.name, text) == ('single-math-v1', '2+2? | four | 5 10')
    template, _ = prompt_of(Asked('c', '3', 'stem', ('Why?',), ('so',)), BENCH)
    assert template.name == 'single-v1'
    two = Asked('a', '1', 'reasoning', ('2+2?', '3*3?'), ('4', ''))
    template, text = prompt_of(two, BENCH)
    assert (template.name, text) == ('single-math-v1-multi-turn', '2+2? four nine | (no answer)')


def test_what_looks_like_a_slot_in_an_answer_stays():
    assert filled('{a} {b}', {'a': '{b}', 'b': 'x'}) == '{b} x'


def test_a_good_judge_passes_and_what_it_said_is_not_asked_again(tmp_path):
    one, client = judge(knows, tmp_path)
    trial = asyncio.run(one.try_out(GOOD))
    assert (trial.good, trial.foreign, trial.empty) == (10.0, 1.0, 1.0)
    assert trial.refusal == ''
    assert len(client.asked) == 6
    again, other = judge(knows, tmp_path)
    assert again.estimate(trial_of(GOOD)).calls == 0
    assert asyncio.run(again.try_out(GOOD)) == trial
    assert other.asked == []
    assert again.bill.kept == 6


def test_a_judge_that_likes_everything_is_refused(tmp_path):
    one, _ = judge(lambda text: 'Wonderful! [[9]]', tmp_path)
    assert 'other questions 9.0' in asyncio.run(one.try_out(GOOD)).refusal


def test_a_judge_that_gives_no_rating_is_asked_twice_and_refused(tmp_path):
    one, client = judge(lambda text: 'What a nice answer.', tmp_path)
    trial = asyncio.run(one.try_out(GOOD))
    assert 'no rating' in trial.refusal
    assert len(client.asked) == 12
    assert one.bill.unread == 6


def test_the_budget_is_kept(tmp_path):
    one, client = judge(knows, tmp_path, budget=0.0)
    with pytest.raises(JudgeRefused, match='budget'):
        asyncio.run(one.judge(GOOD))
    assert client.asked == []


def test_the_price_is_known_before(tmp_path):
    one, client = judge(knows, tmp_path)
    cost = one.estimate(GOOD)
    assert cost.calls == 2
    assert cost.cost > 0
    assert client.asked == []
