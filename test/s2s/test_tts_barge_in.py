"""An interruption, a remark or a cough: the policy as a table."""

from __future__ import annotations

import pytest

from kame_ros.s2s.tts_barge_in import BargeIn, Verdict
from kame_ros.s2s.tts_turn_end import TurnEnd
from kame_ros.s2s.tts_words import WordsHeard

DUCK, HOLD, GO_ON, STOP = Verdict.DUCK, Verdict.HOLD, Verdict.GO_ON, Verdict.STOP


def decide(until: float, words: tuple[float, str] | None = None, expected: bool = False, **more):
    """The user speaks from 0.0 to `until`; it is known 0.1 s later that he does."""
    policy, heard, decisions = BargeIn(), WordsHeard(), []
    heard.expected = expected
    for k in range(1, 40):
        now = round(k * 0.08, 2)
        if words and words[0] <= now:
            heard.hear(1, words[1], 0.0, until)
        if more.get('noise_at', 99.0) <= now:
            heard.noise_until = now
        verdict = policy.update(
            now,
            floor=now < more.get('robot_until', 99.0),
            speaking=0.1 <= now <= until + 0.4,
            start=0.0,
            voice_end=min(now, until),
            heard=heard,
        )
        if verdict is not Verdict.NONE:
            decisions.append((verdict, now))
    return decisions


@pytest.mark.parametrize(
    ('case', 'decisions'),
    [
        ({'until': 0.15}, [DUCK, GO_ON]),
        ({'until': 0.4}, [DUCK, HOLD, GO_ON]),
        ({'until': 2.0}, [DUCK, HOLD, STOP]),
        ({'until': 0.4, 'words': (1.2, 'Stop.')}, [DUCK, HOLD, GO_ON]),
        ({'until': 0.4, 'words': (0.8, 'Stop.'), 'expected': True}, [DUCK, HOLD, STOP]),
        ({'until': 0.4, 'words': (0.8, 'Uh-huh.'), 'expected': True}, [DUCK, HOLD, GO_ON]),
        ({'until': 0.4, 'expected': True}, [DUCK, HOLD, GO_ON]),
        ({'until': 0.4, 'expected': True, 'noise_at': 0.7}, [DUCK, HOLD, GO_ON]),
        ({'until': 2.0, 'robot_until': 0.15}, []),
        ({'until': 2.0, 'robot_until': 0.2}, [DUCK, GO_ON]),
        ({'until': 2.0, 'words': (0.2, 'No')}, [DUCK, STOP]),
    ],
)
def test_what_the_robot_does(case, decisions) -> None:
    made = decide(**case)
    assert [verdict for verdict, _ in made][: len(decisions)] == decisions
    if HOLD in decisions:
        assert dict(made)[HOLD] <= 0.1 + 0.2  # within 200 ms of detected speech


def test_words_let_it_go_on_sooner() -> None:
    known = dict(decide(0.4, (0.8, 'Okay.'), expected=True))[GO_ON]
    unknown = dict(decide(0.4, expected=True))[GO_ON]
    assert known <= 0.9
    assert unknown == pytest.approx(1.6, abs=0.09)


@pytest.mark.parametrize(
    ('transcribed', 'text', 'end', 'wanted'),
    [
        (False, '', 0.0, 0.6),
        (True, '', 0.0, 1.2),
        (True, 'What is the', 4.9, 1.8),
        (True, 'What is it?', 4.9, 0.6),
        (True, 'What is it?', 3.0, 1.2),  # of words that were said before
    ],
)
def test_the_silence_that_ends_a_turn(transcribed, text, end, wanted: float) -> None:
    heard = WordsHeard()
    heard.expected = transcribed
    heard.hear(1, text, 2.0, end) if text else None
    assert TurnEnd().wanted(5.0, heard) == wanted
    assert TurnEnd().is_over(wanted, 5.0, heard)
    assert not TurnEnd().is_over(wanted - 0.01, 5.0, heard)
    heard.noise_until = 5.0
    assert TurnEnd().wanted(5.0, heard) == 0.6
