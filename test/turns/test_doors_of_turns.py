"""The doors for ends of turns and for barge-in: what another package brings is what decides."""

import sys

import numpy as np
import outside
import pytest
import turn_recipes
from fake_end_model import FakeEndModel, FakeExecutor
from fake_vad import FakeVad

from kame_ros.s2s.moshi.config import MoshiConfig
from kame_ros.s2s.small.config import SmallConfig
from kame_ros.s2s.tts.config import TtsConfig
from kame_ros.s2s.tts.front_end import TtsFrontEnd
from kame_ros.s2s.tts.voice import Speech
from kame_ros.turns import end_of_turn, profiles
from kame_ros.turns.barge_in import BargeInProfile
from kame_ros.turns.end_listener import EndListener
from kame_ros.turns.end_of_turn import Decision, EndOfTurnSettings
from kame_ros.turns.end_of_turn.combined import Combined
from kame_ros.turns.end_of_turn.words import WordsAndSilence
from kame_ros.turns.give_way import GiveWay
from kame_ros.turns.profiles.moshi import MOSHI
from kame_ros.turns.profiles.tts import TTS
from kame_ros.turns.turn_tracker import TurnTracker
from kame_ros.wire.frame import FRAME_S
from kame_ros.wire.oracle import Oracle
from kame_ros.wire.turn import TurnKind

LOUD, QUIET = np.full(1920, 12_000, np.int16), np.zeros(1920, np.int16)
ANSWER = Oracle('llm', 1, 'The capital of France is Paris, and that of Italy is Rome.', True)


@pytest.fixture
def toys(tmp_path, monkeypatch):
    turn_recipes.install(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    turn_recipes.forget()


class FakeVoice:
    """Each word is 0.3 s of tone."""

    def say(self, words):
        tone = np.sin(np.arange(7200 * len(words)) / 20).astype(np.float32)
        return Speech(0.5 * tone, tuple(7200 * i for i in range(len(words))))


def silence_until_over(tracker, most_s=4.0):
    """The user speaks for 0.96 s; how long they are silent until their turn is over, s."""
    for _ in range(12):
        assert not tracker.hear(LOUD).turn_ended
    for k in range(round(most_s / FRAME_S)):
        if tracker.hear(QUIET).turn_ended:
            return (k + 1) * FRAME_S
    return None


def tracker(name='words', **numbers):
    return TurnTracker(FakeVad(), end_of_turn.make(name, EndOfTurnSettings(**numbers)))


def test_ours_are_there():
    assert end_of_turn.DOOR.names() == ('combined', 'words', 'silence', 'acoustic')
    assert profiles.DOOR.names() == ('tts', 'moshi')
    assert profiles.load('tts') is TTS
    assert profiles.load('moshi') is MOSHI


def test_a_turn_ends_by_the_strategy_of_another_package(toys):
    ours = silence_until_over(tracker())
    assert ours == pytest.approx(0.6, abs=0.09)
    assert silence_until_over(tracker('mine')) == pytest.approx(ours + 0.2, abs=0.09)
    told = tracker('mine', options={'silence_s': '1.6'})
    assert silence_until_over(told) == pytest.approx(ours + 1.0, abs=0.09)
    assert told.ended == {'silence': 1}


@pytest.mark.parametrize(
    'strategy',
    [
        lambda **told: SmallConfig(**told).strategy(),
        lambda **told: MoshiConfig(**told).strategy(hears=True),
        lambda **told: end_of_turn.make(
            told['end_of_turn'], TtsConfig(**told).end_of_turn_settings()
        ),
    ],
)
def test_each_front_end_tells_a_strategy_its_options(toys, strategy):
    made = strategy(end_of_turn='mine', end_of_turn_options='silence_s=1.6')
    assert silence_until_over(TurnTracker(FakeVad(), made)) == pytest.approx(1.6, abs=0.09)
    with pytest.raises(ValueError, match="has no option 'patience'"):
        strategy(end_of_turn='mine', end_of_turn_options='patience=1')
    with pytest.raises(ValueError, match="an option of an end-of-turn strategy is written 'key"):
        strategy(end_of_turn='mine', end_of_turn_options='foo')


def test_a_strategy_sees_the_sound_and_the_turn():
    seen = []

    class Listener:
        min_silence_s = 0.16

        def decide(self, pause):
            seen.append((pause, pause.sound.last(8.0)))
            return Decision(len(seen) == 3, 'enough')

        def reset(self):
            seen.clear()

    user = TurnTracker(FakeVad(), Listener())
    silence = silence_until_over(user)
    assert silence == pytest.approx(0.16 + 2 * FRAME_S, abs=0.09)
    assert len(seen) == 3
    pause, sound = seen[-1]
    assert sound.dtype == np.float32
    assert len(sound) / 16_000 == pytest.approx(pause.now_s, abs=0.04)
    assert np.abs(sound[:14_000]).mean() > 0.3  # they spoke
    assert np.abs(sound[-1_600:]).max() < 0.01  # and were silent
    assert 0.0 <= pause.turn_start_s < pause.voice_end_s < pause.now_s
    assert silence_until_over(user) is None  # asked again in the next turn, and never says so


def test_a_strategy_that_fails_is_counted_and_ours_decides(toys, caplog):
    user = tracker('failing')
    assert silence_until_over(user) == pytest.approx(0.6, abs=0.09)
    assert user.faults >= 3
    assert len(caplog.records) == 1
    assert 'RuntimeError: no idea' in caplog.text
    assert user.ended == {'silence': 1}


@pytest.mark.parametrize('when', ['decide', 'reset'])
def test_a_strategy_that_would_end_the_process_is_counted_too(caplog, when):
    class Exits:
        min_silence_s = 0.1

        def decide(self, pause):
            if when == 'decide':
                sys.exit(3)
            return Decision(pause.silence_s >= 0.6 - 1e-6, 'silence')

        def reset(self):
            if when == 'reset':
                sys.exit(3)

    user = TurnTracker(FakeVad(), Exits())
    assert silence_until_over(user) == pytest.approx(0.6, abs=0.09)
    assert user.faults >= 1
    assert caplog.text.count('SystemExit: 3') == 1


def test_a_model_that_would_end_the_process_is_counted_too(caplog):
    listener = EndListener(FakeEndModel(SystemExit(3)), FakeExecutor())
    user = TurnTracker(FakeVad(), Combined(EndOfTurnSettings(), listener))
    assert silence_until_over(user) == pytest.approx(0.6, abs=0.09)
    assert user.faults >= 1
    assert caplog.text.count('SystemExit: 3') == 1


def test_a_model_that_fails_is_counted_and_the_configured_silence_ends_the_turn(caplog):
    listener = EndListener(FakeEndModel(RuntimeError('no session')), FakeExecutor())
    settings = EndOfTurnSettings(complete_s=1.0)
    user = TurnTracker(FakeVad(), Combined(settings, listener), 0.0, WordsAndSilence(settings))
    for _ in range(2):
        assert silence_until_over(user) == pytest.approx(1.0, abs=0.13)
    assert user.faults > 10
    assert len(caplog.records) == 1
    assert user.ended == {'silence': 2}


def test_a_strategy_that_cannot_forget_ends_nothing(caplog):
    class Stubborn:
        min_silence_s = 0.0

        def decide(self, pause):
            assert pause.silence_s > 0.0
            return Decision(True, 'at once')

        def reset(self):
            raise RuntimeError('never')

    user = TurnTracker(FakeVad(), Stubborn())
    user.reset()
    assert silence_until_over(user) == pytest.approx(0.08, abs=0.09)
    assert user.ended == {'at once': 1}
    assert user.faults == 2
    assert len(caplog.records) == 1


@pytest.mark.parametrize('least', ['0.2', None, float('nan'), float('inf'), -0.1])
def test_a_strategy_without_a_least_silence_is_refused(monkeypatch, least):
    monkeypatch.setattr(WordsAndSilence, 'min_silence_s', property(lambda _: least), raising=False)
    monkeypatch.setattr(WordsAndSilence, '__init__', lambda self, settings: None)
    with pytest.raises(ImportError, match='strategy words is none: its min_silence_s is between'):
        end_of_turn.make('words', EndOfTurnSettings())


def test_reasons_are_counted_without_end():
    class Talkative:
        min_silence_s = 0.1

        def decide(self, pause):
            return Decision(True, f'at {pause.now_s}')

        def reset(self):
            pass

    user = TurnTracker(FakeVad(), Talkative())
    for _ in range(40):
        silence_until_over(user, 1.0)
    assert sum(user.ended.values()) == 40
    assert len(user.ended) <= 17


@pytest.mark.parametrize(('name', 'there'), [('mine', 'silence_s'), ('words', 'none')])
def test_an_option_that_a_strategy_has_not_is_refused_in_a_sentence(toys, name, there):
    config = TtsConfig(end_of_turn=name, end_of_turn_options='silnce_s=1.6')
    with pytest.raises(ValueError, match='has no option') as refusal:
        TtsFrontEnd(FakeVoice(), FakeVad(), config)
    told = str(refusal.value)
    assert told.startswith(f'the end-of-turn strategy {name}')
    assert told.endswith(f"has no option 'silnce_s': it has {there}")


def test_what_is_none_is_refused_in_a_sentence(toys):
    with pytest.raises(ImportError, match='strategy nothing of the package toy-turns is none: No'):
        end_of_turn.make('nothing', EndOfTurnSettings())
    with pytest.raises(ImportError, match='profile number of the package toy-turns is none: int'):
        profiles.load('number')
    with pytest.raises(ImportError, match='profile deaf of the package toy-turns cannot be loaded'):
        profiles.load('deaf')
    for wrong in ({'end_of_turn': 'patience'}, {'barge_in_profile': 'rude'}):
        with pytest.raises(ValueError, match=r'there is no .*; there are: '):
            TtsFrontEnd(FakeVoice(), FakeVad(), TtsConfig(**wrong))
    assert type(end_of_turn.make('words', EndOfTurnSettings())).__name__ == 'WordsAndSilence'


@pytest.mark.parametrize(
    'wrong', [{'hold_s': -0.1}, {'stop_s': float('nan')}, {'duck_gain': 0.0}, {'duck_gain': 1.1}]
)
def test_numbers_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        BargeInProfile(**wrong)


@pytest.mark.parametrize('silence_s', [0.24, 1.2])
def test_a_front_end_is_given_a_strategy_without_any_package(silence_s):
    class Mine:
        min_silence_s = 0.16

        def decide(self, pause):
            return Decision(pause.silence_s >= silence_s, 'mine')

        def reset(self):
            pass

    front = TtsFrontEnd(FakeVoice(), FakeVad(), strategy=Mine())
    for frame in [LOUD] * 12:
        front.step(frame, None)
    ended = [
        (k + 1) * FRAME_S
        for k in range(40)
        if TurnKind.TURN_ENDED in [event.kind for event in front.step(QUIET, None).events]
    ]
    assert ended == [pytest.approx(silence_s, abs=0.17)]


def barge_in_after(config):
    """Seconds of the user's voice over the robot's until it stops, with nobody transcribing."""
    front = TtsFrontEnd(FakeVoice(), FakeVad(), config)
    for frame in [LOUD] * 12 + [QUIET] * 24:
        front.step(frame, None)
    for _ in range(10):
        front.step(QUIET, ANSWER)
    for k in range(30):
        events = [event.kind for event in front.step(LOUD, ANSWER).events]
        if TurnKind.BARGE_IN in events:
            return (k + 1) * FRAME_S
    return None


def test_the_robot_stops_by_the_profile_of_another_package(toys):
    ours = barge_in_after(TtsConfig(end_of_turn='words'))
    assert ours == pytest.approx(0.7 + FRAME_S, abs=0.09)
    assert barge_in_after(TtsConfig(end_of_turn='words', barge_in_profile='hall')) == pytest.approx(
        1.2 + FRAME_S, abs=0.09
    )
    # A number that was set counts more than the profile's.
    mixed = TtsConfig(end_of_turn='words', barge_in_profile='hall', interrupt_s=0.9)
    assert barge_in_after(mixed) == pytest.approx(0.9 + FRAME_S, abs=0.09)
    assert mixed.profile() == BargeInProfile(hold_s=0.4, stop_s=0.9, words_s=1.5)
    assert TtsConfig().profile() == TTS


def test_a_model_is_never_held_whatever_the_profile(toys):
    judge = GiveWay(FakeVad(), profiles.load('hall'))
    gains = []
    for k in range(50):
        judge.hear(LOUD if 10 <= k < 17 else QUIET, True, ANSWER)
        gains.append(judge.gain)
    assert set(gains) == {1.0, 0.25}


def test_the_node_takes_both_from_another_package(toys):
    """In a process of its own: what is installed is known when it starts."""
    pytest.importorskip('rclpy')
    pytest.importorskip('faster_whisper')  # the detector of voices comes with it
    code = (
        'import rclpy\n'
        'from rclpy.parameter import Parameter as P\n'
        'from kame_ros.nodes.s2s_node import S2SNode\n'
        'rclpy.init()\n'
        "told = {'tts.end_of_turn': 'mine', 'tts.end_of_turn_options': 'silence_s=0.5',\n"
        "        'tts.barge_in_profile': 'hall'}\n"
        'node = S2SNode(parameter_overrides=[P(k, value=v) for k, v in told.items()])\n'
        'node.trigger_configure()\n'
        'front = node._front_end\n'
        'print(node.fault or type(front._user._end_of_turn).__name__,'
        ' front._disturbance.profile.stop_s)\n'
    )
    done = outside.run(toys, code)
    assert done.stdout.split()[-2:] == ['MyEndOfTurn', '1.2'], done.stderr
