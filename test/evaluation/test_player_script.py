import numpy as np

from kame_ros.evaluation.player_script import ScriptPlayer
from kame_ros.evaluation.suite import Cue
from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES

SECOND = np.full(24_000, 1000, np.int16)


def play(cues, robot, seconds=60.0):
    """What was said when, and how much was heard; `robot` are its stretches of speech."""
    player = ScriptPlayer([(cue, SECOND) for cue in cues])
    heard = 0
    for n in range(int(seconds / FRAME_S)):
        t = n * FRAME_S
        frame = player.frame(t, any(a <= t < b for a, b in robot))
        assert frame.shape == (FRAME_SAMPLES,)
        heard += int(np.count_nonzero(frame))
    return player, [None if said.t is None else round(said.t, 2) for said in player.said], heard


def test_a_cue_is_played_at_its_time_whole():
    player, times, heard = play([Cue('a.wav', seconds=0.5)], [])
    assert player.done
    assert times == [0.48]
    assert heard == 24_000


def test_the_second_turn_waits_for_the_robot_to_answer_and_to_be_silent():
    cues = [Cue('a.wav', seconds=0.0), Cue('b.wav', when='after_robot', seconds=1.5)]
    _, times, _ = play(cues, [(2.0, 5.0)])
    assert 6.4 <= times[1] <= 6.6
    _, times, _ = play(cues, [(2.0, 5.0), (6.0, 8.0)])  # a pause of one second is no end
    assert 9.4 <= times[1] <= 9.6


def test_the_second_turn_does_not_wait_for_ever():
    cues = [
        Cue('a.wav', seconds=0.0),
        Cue('b.wav', when='after_robot', seconds=1.5, latest_s=10.0),
    ]
    player, times, heard = play(cues, [])
    assert player.done
    assert 10.9 <= times[1] <= 11.2
    assert heard == 48_000


def test_somebody_speaks_over_the_robot_when_it_has_spoken_for_a_while():
    cues = [Cue('a.wav', seconds=0.0), Cue('b.wav', when='over_robot', seconds=1.5)]
    _, times, _ = play(cues, [(2.0, 2.8), (3.0, 9.0)])  # a breath of 0.2 s is inside
    assert 3.4 <= times[1] <= 3.7
    _, times, _ = play(cues, [(2.0, 2.8), (5.0, 9.0)])
    assert 6.4 <= times[1] <= 6.7


def test_what_cannot_be_said_over_a_silent_robot_is_left_out():
    cues = [
        Cue('a.wav', seconds=0.0),
        Cue('b.wav', when='over_robot', seconds=1.5, latest_s=10.0),
    ]
    player, times, heard = play(cues, [])
    assert player.done
    assert times[1] is None
    assert heard == 24_000


def test_speech_of_the_robot_before_the_first_turn_is_no_answer():
    cues = [
        Cue('a.wav', seconds=3.0),
        Cue('b.wav', when='after_robot', seconds=1.0, latest_s=20.0),
    ]
    _, times, _ = play(cues, [(0.5, 2.0), (6.0, 7.0)])
    assert 7.9 <= times[1] <= 8.2
