"""An interruption, a remark or a cough: the policy as a table."""

from __future__ import annotations

import pytest

from kame_ros.turns.barge_in import BargeIn, Verdict
from kame_ros.turns.end_of_turn import Decision, Pause
from kame_ros.turns.end_of_turn.words import WordsAndSilence
from kame_ros.turns.recent_sound import RecentSound
from kame_ros.turns.words_heard import WordsHeard

TOLD = {'expected': True}  # somebody transcribes
DUCK, HOLD, GO_ON, STOP = Verdict.DUCK, Verdict.HOLD, Verdict.GO_ON, Verdict.STOP


def decide(until: float, words: tuple[float, str] | None = None, expected: bool = False, **more):
    """The user speaks from 0.0 to `until`; it is known 0.1 s later that he does."""
    policy, heard, decisions = BargeIn(), WordsHeard(), []
    heard.expected = expected
    for k in range(1, 40):
        now = round(k * 0.08, 2)
        if words and words[0] <= now:
            heard.hear(1, words[1], 0.0, until, final=more.get('final', True))
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
        if verdict is STOP:
            break
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
        # Words that may still change: misheard parts of "Yeah, I see" and "Right, okay".
        ({'until': 1.1, 'words': (0.9, 'You add ice.'), 'final': False, **TOLD}, [DUCK, HOLD]),
        ({'until': 1.1, 'words': (0.6, 'Bride'), 'final': False, **TOLD}, [DUCK, HOLD]),
        (
            {'until': 1.1, 'words': (0.6, 'Can you stop'), 'final': False, **TOLD},
            [DUCK, HOLD, STOP],
        ),
        (
            {'until': 1.1, 'words': (0.6, 'Tell me about it'), 'final': False, **TOLD},
            [DUCK, HOLD, STOP],
        ),
        ({'until': 0.8, 'words': (1.3, 'Yet I see.'), **TOLD}, [DUCK, HOLD, GO_ON]),
    ],
)
def test_what_the_robot_does(case, decisions) -> None:
    made = decide(**case)
    assert [verdict for verdict, _ in made][: len(decisions)] == decisions
    if HOLD in decisions:
        assert dict(made)[HOLD] <= 0.1 + 0.2  # within 200 ms of detected speech


@pytest.mark.parametrize(
    ('until', 'text', 'final', 'when'),
    [
        (0.5, 'You add ice.', False, 1.76),  # not revised 1.2 s after the last voice
        (0.5, 'You add ice.', True, 0.4),  # the last word on it
        (1.1, 'Please do stop', False, 0.4),  # a command
        (2.0, 'Bride', False, 1.52),  # longer than any remark
        (2.0, 'Okay', True, 1.52),  # he says more than that
    ],
)
def test_when_words_stop_it(until, text, final, when) -> None:
    made = dict(decide(until, (0.4, text), expected=True, final=final))
    assert made[STOP] == pytest.approx(when, abs=0.01)


def frames_to_silence(voice: list[tuple[float, float]], seen: float) -> int | None:
    """Frames from detected speech until it is silent; `seen`: s until the VAD has judged."""
    policy, detected, nobody, start = BargeIn(), None, WordsHeard(), voice[0][0]
    for k in range(1, 60):
        now = k * 0.08
        told = now - seen
        ends = [min(told, end) for begin, end in voice if begin < told]
        long = sum(min(told, end) - begin for begin, end in voice if begin < told)
        speaking = long >= 0.096 and told - ends[-1] < 0.4
        if speaking and detected is None:
            detected = k
        verdict = policy.update(
            now,
            floor=True,
            speaking=speaking,
            start=start,
            voice_end=ends[-1] if ends else 0.0,
            heard=nobody,
        )
        if verdict in (HOLD, STOP):
            assert detected is not None
            return k - detected
    return None


@pytest.mark.parametrize('seen', [0.016, 0.032, 0.048])
@pytest.mark.parametrize('begin', [round(0.4 + 0.008 * i, 3) for i in range(10)])
@pytest.mark.parametrize(
    ('sounds', 'most'),
    [
        ([(0.0, 1.0)], 2),  # 'Please tell me about'
        ([(0.0, 0.3)], 2),  # 'Stop.'
        ([(0.0, 0.2)], 2),
        ([(0.0, 0.19), (0.35, 1.0)], 2),  # 'Yeah, I see.'
        ([(0.0, 0.1), (0.19, 0.28), (0.37, 1.0)], 2),
        ([(0.0, 0.13), (0.32, 1.0)], 4),  # what was a cough, until he spoke on
        ([(0.0, 0.13)], None),  # a cough
        ([(0.0, 0.1)], None),
        ([(0.0, 0.08)], None),  # not even detected
    ],
)
def test_silent_within_two_frames_of_detected_speech(sounds, most, begin, seen) -> None:
    took = frames_to_silence([(begin + a, begin + b) for a, b in sounds], seen)
    assert took is None if most is None else took is not None and took <= most


def test_words_let_it_go_on_sooner() -> None:
    known = dict(decide(0.4, (0.8, 'Okay.'), expected=True))[GO_ON]
    unknown = dict(decide(0.4, expected=True))[GO_ON]
    assert known <= 0.9
    assert unknown == pytest.approx(1.6, abs=0.09)


@pytest.mark.parametrize(
    ('transcribed', 'text', 'end', 'wanted', 'why'),
    [
        (False, '', 0.0, 0.6, 'silence'),
        (True, '', 0.0, 1.2, 'no words'),
        (True, 'What is the', 4.9, 1.8, 'incomplete'),
        (True, 'What is it?', 4.9, 0.6, 'complete'),
        (True, 'What is it?', 3.0, 1.2, 'no words'),  # of words that were said before
    ],
)
def test_the_silence_that_ends_a_turn(transcribed, text, end, wanted: float, why) -> None:
    heard = WordsHeard()
    heard.expected = transcribed
    heard.hear(1, text, 2.0, end) if text else None
    rule = WordsAndSilence()

    def pause(silence):
        return Pause(2.0, 5.0, 5.0 + silence, heard, RecentSound())

    assert rule.wanted(pause(0.0)) == (wanted, why)
    assert rule.decide(pause(wanted)) == Decision(True, why)
    assert rule.decide(pause(wanted - 0.01)) == Decision(False, why)
    heard.noise_until = 5.0
    assert rule.wanted(pause(0.0)) == (0.6, 'noise' if transcribed else why)
