"""The user over a robot that goes on hearing: ducked, stopped, or let go on. No torch."""

from __future__ import annotations

import numpy as np
import pytest
from fake_vad import FakeVad

from kame_ros.turns.barge_in import Verdict
from kame_ros.turns.give_way import GiveWay
from kame_ros.turns.profiles.moshi import MOSHI
from kame_ros.wire.frame import FRAME_S
from kame_ros.wire.oracle import Oracle

ANSWER = Oracle('llm', 1, 'The capital of France is Paris.', utterance=4)
ASKED = Oracle('llm', 1, 'It is Paris. Do you want to know more?', utterance=4)
LOUD, QUIET = np.full(1920, 12_000, np.int16), np.zeros(1920, np.int16)
DUCK, HOLD, GO_ON, STOP = Verdict.DUCK, Verdict.HOLD, Verdict.GO_ON, Verdict.STOP


def over(
    voice: float,
    words: tuple[float, str, bool] | None = None,
    oracle: Oracle | None = ANSWER,
    robot=lambda t: t < 8.0,
    begins: float = 2.0,
    seconds: float = 8.0,
    utterance: int = 5,
):
    """The user has `voice` s from `begins` on; `words` are known at, are, and are final.

    Gives the decisions with their frames, and the gain of each frame.
    """
    judge = GiveWay(FakeVad(0.05, 0.95))
    judge.hear_words(utterance - 1, 'what is the capital', -3.0, -2.0)
    decisions, gains = [], []
    for k in range(round(seconds / FRAME_S)):
        t = k * FRAME_S
        now = t + FRAME_S
        if words and now - FRAME_S < words[0] <= now:
            judge.hear_words(utterance, words[1], begins - t, begins + voice - t, words[2])
        loud = begins <= t + 1e-6 < begins + voice - 1e-6
        verdict = judge.hear(LOUD if loud else QUIET, robot(t), oracle)
        if verdict is not Verdict.NONE:
            decisions.append((verdict, round(now - begins, 2)))
        gains.append(judge.gain)
    return decisions, gains


@pytest.mark.parametrize('voice', [0.08, 0.16, 0.24, 0.32, 0.48])
def test_a_short_sound_stops_nothing(voice):
    decisions, gains = over(voice, words=(3.0, 'Mhm.', True))
    assert STOP not in [verdict for verdict, _ in decisions]
    assert gains[-1] == 1.0
    assert min(gains) >= MOSHI.duck_gain


@pytest.mark.parametrize(
    'remark', ['uh-huh', 'Yeah.', 'Okay, I see.', 'mm-hmm', 'right', 'Yes, exactly.']
)
@pytest.mark.parametrize('final_at', [2.4, 3.2, 3.5])
def test_a_remark_lets_the_robot_go_on(remark, final_at):
    decisions, gains = over(0.64, words=(final_at, remark, True))
    assert decisions[0][0] is DUCK
    assert decisions[-1][0] is GO_ON
    assert MOSHI.duck_gain in gains
    assert gains[-1] == 1.0
    assert 0.0 not in gains


@pytest.mark.parametrize(
    ('voice', 'words'),
    [
        (2.5, None),  # whatever they say
        (2.5, (3.0, 'what about the', False)),
        (0.5, (2.8, 'Stop.', False)),
        (0.8, (3.3, 'What about Rome?', True)),
        (3.5, (3.0, 'yeah but that is wrong', False)),
    ],
)
def test_who_means_it_stops_the_robot_once(voice, words):
    decisions, gains = over(voice, words)
    assert [verdict for verdict, _ in decisions].count(STOP) == 1
    assert decisions[0][0] is DUCK
    assert decisions[0][1] <= 0.32  # at once: the gate needs 0.1 s, a frame has 0.08 s
    assert gains.count(0.0) == 1


@pytest.mark.parametrize(
    ('case', 'why'),
    [
        ({'voice': 3.0, 'robot': lambda t: False}, 'the robot does not speak'),
        ({'voice': 3.0, 'robot': lambda t: t > 4.0}, 'it answers before the user has ended'),
        ({'voice': 3.0, 'oracle': Oracle('battery', 1, 'Low.', priority=20)}, 'it is urgent'),
    ],
)
def test_what_is_no_barge_in(case, why):
    decisions, gains = over(**case)
    assert STOP not in [verdict for verdict, _ in decisions], why
    assert set(gains) == {1.0}, why


def test_the_answer_to_what_is_being_said_is_not_spoken_over():
    answer = Oracle('llm', 2, 'Rome.', utterance=5)
    decisions, gains = over(3.0, words=(2.4, 'What about Italy and', False), oracle=answer)
    assert STOP not in [verdict for verdict, _ in decisions]
    assert gains[-1] == 1.0


@pytest.mark.parametrize(
    ('said', 'word', 'is_said'),
    [(ANSWER, 'uh-huh', False), (ASKED, 'yes', True), (ASKED, 'uh-huh', True)],
)
def test_an_answer_to_a_remark_is_not_said(said, word, is_said):
    judge = GiveWay(FakeVad(0.05, 0.95))
    assert judge.choose(said) is said
    for k in range(100):
        loud = 25 <= k < 33
        if k == 38:
            judge.hear_words(5, word, 25 * FRAME_S - k * FRAME_S, 33 * FRAME_S - k * FRAME_S)
        judge.hear(LOUD if loud else QUIET, True, said)
    welcome = Oracle('llm', 2, 'You are welcome.', utterance=5)
    assert judge.choose(welcome) is (welcome if is_said else said)
    other = Oracle('llm', 3, 'Rome.', utterance=6)
    assert judge.choose(other) is other
    judge.reset()
    assert judge.gain == 1.0


def test_it_remembers_no_more_than_it_needs():
    judge = GiveWay(FakeVad(0.05, 0.95))
    for k in range(5_000):
        judge.hear_words(k, 'what is the capital of France and of Italy ' * 50, 0.0, 0.1)
    assert len(judge._user.words.now.turn) < 20_000


@pytest.mark.parametrize(
    ('words', 'after_s'),
    [
        ('What is the capital of France?', 0.6),
        ('I would like to', None),
        ('uh-huh', None),
        (None, None),
    ],
)
def test_who_has_said_all_asks_once(words, after_s):
    judge = GiveWay(FakeVad(0.05, 0.95))
    asked = []
    for k in range(60):
        t = k * FRAME_S
        if words and k == 20:
            judge.hear_words(1, words, -1.0, -0.1, False)
        judge.hear(LOUD if 0.8 <= t < 1.6 else QUIET, False, None)
        asked += [t + FRAME_S - 1.6] if judge.asked else []
    assert asked == ([] if after_s is None else [pytest.approx(after_s, abs=FRAME_S)])


def gone_on(speak='after_turn', oracle=ANSWER, words=(5, 'And of Italy?')):
    """The user goes on 0.5 s after their turn seemed to be over and the robot began to speak."""
    judge = GiveWay(FakeVad(0.05, 0.95), speak=speak)
    chosen, open_, back = [], [], []
    for k in range(80):
        t = k * FRAME_S
        if k == 20:
            judge.hear_words(4, 'What is the capital of France?', 0.8 - t, 1.5 - t)
        if words and k == 42:
            judge.hear_words(words[0], words[1], 2.72 - t, 3.2 - t)
        loud = 0.8 <= t + 1e-6 < 1.6 or 2.72 <= t + 1e-6 < 3.28
        taken = judge.choose(oracle)
        judge.hear(LOUD if loud else QUIET, 2.4 <= t < 3.0, taken)
        chosen.append(taken)
        open_.append(judge.may_speak)
        back += [(k, judge.since_end_s)] if judge.taken_back else []
    return chosen, open_, back, judge


def test_an_answer_to_half_a_turn_is_not_said_on():
    chosen, may_speak, ((back, since_s),), judge = gone_on()
    assert since_s == pytest.approx(0.65, abs=0.1)
    assert chosen[back] is ANSWER
    assert not any(chosen[back + 1 :])
    assert not any(may_speak[back:46])
    assert all(may_speak[50:])
    assert judge.gain == 1.0
    assert judge.counters()['turns_taken_back'] == 1
    for other in (
        Oracle('llm', 2, 'Rome.', utterance=5),
        Oracle('battery', 1, 'Low.', utterance=-1),
    ):
        assert judge.choose(other) is other
    assert judge.choose(ANSWER) is None


@pytest.mark.parametrize(
    ('oracle', 'words'),
    [
        (ANSWER, (5, 'Uh-huh.')),
        (ANSWER, None),
        (Oracle('battery', 1, 'Low.', utterance=-1), (5, 'And of Italy?')),
    ],
)
def test_what_answered_all_of_it_is_said_after_a_pause(oracle, words):
    chosen, may_speak, ((back, _),), _ = gone_on(oracle=oracle, words=words)
    assert not any(chosen[back + 1 : 48])
    assert not any(may_speak[back:46])
    assert chosen[-1] is oracle
    assert may_speak[-1]


def test_what_outranks_the_user_goes_on():
    urgent = Oracle('battery', 1, 'Low.', priority=20)
    chosen, may_speak, ((back, _),), _ = gone_on(oracle=urgent)
    assert all(oracle is urgent for oracle in chosen)
    assert all(may_speak[back:])


def test_a_model_that_judges_for_itself_takes_nothing_back():
    _, may_speak, back, _ = gone_on('always')
    assert back == []
    assert all(may_speak)


@pytest.mark.parametrize(('speak', 'half'), [('after_turn', True), ('always', False)])
def test_an_answer_waits_for_what_was_said_after_a_pause(speak, half):
    judge = GiveWay(FakeVad(0.05, 0.95), speak=speak)
    for k in range(30):
        if k == 14:
            judge.hear_words(4, 'What is the capital of France', -1.0, -0.1)
        judge.hear(LOUD if k < 13 or 20 <= k < 28 else QUIET, False, judge.choose(ANSWER))
    assert judge.choose(ANSWER) is (None if half else ANSWER)
    judge.hear_words(5, 'and of Italy?', -1.0, 0.0)
    assert judge.choose(ANSWER) is (None if half else ANSWER)
    both = Oracle('llm', 2, 'Paris and Rome.', utterance=5)
    assert judge.choose(both) is both
