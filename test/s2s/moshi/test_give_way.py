"""The user over a robot that goes on hearing: ducked, stopped, or let go on. No torch."""

from __future__ import annotations

import numpy as np
import pytest
from fake_vad import FakeVad

from kame_ros.audio.frame import FRAME_S
from kame_ros.oracle.chunk import Oracle
from kame_ros.s2s.moshi.barge_in import DUCK_GAIN, GiveWay
from kame_ros.s2s.tts_barge_in import Verdict

ANSWER = Oracle('llm', 1, 'The capital of France is Paris.', utterance=4)
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
    assert min(gains) >= DUCK_GAIN


@pytest.mark.parametrize(
    'remark', ['uh-huh', 'Yeah.', 'Okay, I see.', 'mm-hmm', 'right', 'Yes, exactly.']
)
@pytest.mark.parametrize('final_at', [2.4, 3.2, 3.5])
def test_a_remark_lets_the_robot_go_on(remark, final_at):
    decisions, gains = over(0.64, words=(final_at, remark, True))
    assert decisions[0][0] is DUCK
    assert decisions[-1][0] is GO_ON
    assert DUCK_GAIN in gains
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


def test_an_answer_to_a_remark_is_not_said():
    judge = GiveWay(FakeVad(0.05, 0.95))
    assert judge.choose(ANSWER) is ANSWER
    for k in range(100):
        loud = 25 <= k < 33
        if k == 38:
            judge.hear_words(5, 'uh-huh', 25 * FRAME_S - k * FRAME_S, 33 * FRAME_S - k * FRAME_S)
        judge.hear(LOUD if loud else QUIET, True, ANSWER)
    assert judge.choose(Oracle('llm', 2, 'You are welcome.', utterance=5)) is ANSWER
    other = Oracle('llm', 3, 'Rome.', utterance=6)
    assert judge.choose(other) is other
    judge.reset()
    assert judge.gain == 1.0


def test_it_remembers_no_more_than_it_needs():
    judge = GiveWay(FakeVad(0.05, 0.95))
    for k in range(5_000):
        judge.hear_words(k, 'what is the capital of France and of Italy ' * 50, 0.0, 0.1)
    assert len(judge._ear.words.now.turn) < 20_000
