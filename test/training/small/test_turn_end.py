"""What tells the end of a turn is learned from utterances, and runs without torch."""

import fake_bank
import numpy as np
import pytest
from random_small import LITTLE

torch = pytest.importorskip('torch')

from kame_ros.s2s.small.turn_end import TurnEndHead, TurnEndWeights  # noqa: E402
from kame_ros.training.small import turn_end  # noqa: E402
from kame_ros.training.small.bank import UserKind  # noqa: E402
from kame_ros.training.small.model import KameSmall  # noqa: E402
from kame_ros.training.small.turn_end import AFTER, BEFORE, Felt, HeldUtterances  # noqa: E402


def told_apart(seed=0, count=40):
    """Utterances with a pause in which one number is low, and high once they are over."""
    rng = np.random.default_rng(seed)
    frames, speaks, starts = [], [], [0]
    for _ in range(count):
        pause = int(rng.integers(6, 20))
        said = [1] * 8 + [0] * pause + [1] * 5 + [0] * 20
        here = rng.normal(0, 0.3, (len(said), 8 + 84))
        here[:, 0] = [0] * (13 + pause) + [4] * 20
        frames.append(here.astype(np.float16))
        speaks += said
        starts.append(starts[-1] + len(said))
    kinds = np.full(count, UserKind.PAUSED)
    return Felt(np.concatenate(frames), np.array(speaks, bool), np.array(starts), kinds)


def test_what_can_be_told_apart_is(tmp_path):
    done = []
    model = turn_end.train(told_apart(count=300), 60, progress=lambda d, n: done.append((d, n)))
    pauses, ends = turn_end.pauses_and_ends(model, told_apart(1))
    assert (len(pauses), len(ends)) == (40, 40)
    taken, soon, found = turn_end.told(pauses, ends, 0.0)
    assert taken <= 0.3
    assert soon >= 0.7
    assert found >= soon
    assert len(done) == 60
    assert done[-1][0] == done[-1][1]


def test_it_runs_without_torch_as_with_it(tmp_path):
    model = turn_end.train(told_apart(), 2)
    weights = TurnEndWeights.load(turn_end.write(model, tmp_path).parent, 8)
    assert not list(tmp_path.glob('*.part'))
    head, frames = TurnEndHead(weights), told_apart(1).frames.astype(np.float32)[:20]
    odds = [head.hear(frame) for frame in frames][1:]
    seen = torch.from_numpy(np.concatenate((frames[:-1], frames[1:]), axis=1))
    assert odds == pytest.approx(model(seen).detach().numpy(), abs=2e-2)


def test_a_pause_is_no_end_and_an_end_is_one():
    felt = told_apart(count=1)
    over, counts = turn_end.wanted(felt)
    end = len(over) - 20
    assert not over[:end].any()
    assert over[end:].all()
    pause = ~felt.speaks[:end]
    silent = counts[:end][pause]
    assert silent[:5].tolist() == [1.0] * 5
    assert not silent[5:].any()
    assert not counts[:end][~pause].any()
    assert counts[end:].sum() == pytest.approx(silent.sum())
    assert counts[end : end + 5].all()
    assert not counts[end + 5 :].any()


def test_a_gap_between_words_is_no_pause():
    speaks = np.array([1, 1, 0, 0, 0, 1, 1] + [0] * 9, bool)
    felt = Felt(np.zeros((16, 92), np.float16), speaks, np.array([0, 16]), np.zeros(1))
    over, counts = turn_end.wanted(felt)
    assert np.flatnonzero(counts).tolist() == [7, 8, 9, 10, 11]
    assert over[7:].all()


def test_a_model_hears_each_utterance_in_its_room(tmp_path):
    fake_bank.write(tmp_path)
    users = HeldUtterances([tmp_path / 'users.npz'])
    asked = users.asked()
    assert {kind for _, _, kind, _ in asked} == {0, 1, 2}
    told = []
    torch.manual_seed(0)
    felt = turn_end.feel(
        KameSmall(LITTLE).eval(), [1] * 8, users, progress=lambda d, n: told.append((d, n))
    )
    assert len(felt.kinds) == len(felt.starts) - 1 == len(asked) == told[-1][0]
    lengths = np.diff(felt.starts)
    assert lengths.tolist() == [len(one[0]) + BEFORE + AFTER for one in asked]
    assert felt.frames.shape == (felt.starts[-1], LITTLE.dim + 84)
    heard = np.round(felt.frames[: lengths[0], -1].astype(float) * 255)
    assert set(heard[:BEFORE]) == {fake_bank.BACKGROUND}
    assert set(heard[BEFORE:-AFTER]) == {100 + asked[0][2]}
    assert felt.speaks[BEFORE : lengths[0] - AFTER].all()
    assert not felt.speaks[:BEFORE].any()
