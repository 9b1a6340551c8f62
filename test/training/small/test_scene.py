"""Scenes of kame-small: what the teacher does follows from what was heard and fed."""

import fake_bank
import numpy as np
import pytest

from kame_ros.training.small.bank import Sentences, Users
from kame_ros.training.small.scene import Phrases, StreamsMaker

FRAMES = 320
AHEAD = 6


@pytest.fixture(scope='module')
def scenes(tmp_path_factory):
    folder = tmp_path_factory.mktemp('bank')
    fake_bank.write(folder)
    own = Sentences([folder / 'phrases.npz'])
    maker = StreamsMaker(
        np.random.default_rng(1),
        Sentences([folder / 'robot_0.npz']),
        Phrases([own[0], own[1], own[2]], [own[3], own[4]], [own[5]]),
        Users([folder / 'users.npz']),
        fake_bank.BEGINS_WORD,
        fake_bank.SILENCE,
        AHEAD,
    )
    return [maker.scene(FRAMES) for _ in range(200)]


def of_oracle(piece):
    return 0 < piece < fake_bank.OWN.start


def test_what_is_said_of_an_oracle_is_the_next_in_the_window(scenes):
    said = 0
    for scene in scenes:
        for frame, piece in enumerate(scene.said):
            if of_oracle(piece):
                said += 1
                assert scene.window[frame, 0] == piece
    assert said > 5000


def test_the_window_moves_on_by_what_was_said_and_by_nothing_else(scenes):
    for scene in scenes:
        for frame in range(FRAMES - 1):
            now, then = scene.window[frame], scene.window[frame + 1]
            if scene.mark[frame + 1] or not then.any() or not now.any():
                continue  # another oracle, or taken away, or begun anew
            gone = int(of_oracle(scene.said[frame]))
            kept = now[gone:]
            kept = kept[: np.count_nonzero(kept)]
            assert then[: len(kept)].tolist() == kept.tolist()


def test_an_end_is_shown_only_behind_the_last_piece(scenes):
    for scene in scenes:
        rows, columns = np.nonzero(scene.window == fake_bank.PIECES)
        for row, column in zip(rows, columns, strict=True):
            assert not scene.window[row, column + 1 :].any()


def test_every_oracle_is_marked_where_it_is_first_seen(scenes):
    for scene in scenes:
        shown = scene.window[:, 0] > 0
        begins = np.flatnonzero(shown[1:] & ~shown[:-1]) + 1
        # A slow oracle is marked when it arrives, and may show its first piece a moment later.
        assert all(scene.mark[max(0, at - 2) : at + 1].any() for at in begins)


def test_nothing_is_begun_while_the_user_speaks(scenes):
    """What is being said may go on, until the robot yields."""
    for scene in scenes:
        heard = scene.ear[:, 0] >= 100
        question = heard & (scene.ear[:, 0] != 103)  # not a back-channel
        for frame in range(9, FRAMES):
            if scene.said[frame] and question[frame - 8 : frame + 1].all():
                raise AssertionError(f'piece {scene.said[frame]} in frame {frame}')


def test_it_answers_and_opens_and_gives_up(scenes):
    said = np.concatenate([scene.said for scene in scenes])
    assert {40, 42, 44} <= set(said.tolist())  # lead-ins
    assert {46, 48} <= set(said.tolist())  # corrections
    assert 49 in said  # what it says without an oracle


def test_silence_has_the_codes_of_silence_and_speech_has_not(scenes):
    for scene in scenes:
        quiet = (scene.codes == fake_bank.SILENCE).all(axis=1)
        assert not quiet[scene.said > 0].any()
        assert 0.05 < quiet.mean() < 0.98


def maker_of(folder, seed):
    own = Sentences([folder / 'phrases.npz'])
    return StreamsMaker(
        np.random.default_rng(seed),
        Sentences([folder / 'robot_0.npz']),
        Phrases([own[0]], [own[3]], [own[5]]),
        Users([folder / 'users.npz']),
        fake_bank.BEGINS_WORD,
        fake_bank.SILENCE,
        AHEAD,
    )


@pytest.mark.parametrize('tail', [0, 3])
def test_a_turn_is_over_with_its_last_sound_not_with_its_echo(tmp_path, tail):
    fake_bank.write(tmp_path, tail=tail)
    maker = maker_of(tmp_path, 3)
    waits = []
    for _ in range(60):
        scene = maker.scene(FRAMES)
        speaks = np.flatnonzero(scene.ear[:, 0] >= 100)
        begins = np.flatnonzero((scene.said[1:] > 0) & (scene.codes[:-1, 0] == 511)) + 1
        for at in begins:
            before = speaks[speaks < at]
            if len(before):
                waits.append(at - before[-1])
    assert waits.count(2) > 10  # the earliest there is: the second silent frame


def test_the_same_seed_gives_the_same_scenes(tmp_path):
    fake_bank.write(tmp_path)
    one, two = (maker_of(tmp_path, 5).scene(FRAMES) for _ in range(2))
    assert (one.codes == two.codes).all()
    assert (one.window == two.window).all()
