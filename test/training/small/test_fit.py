"""What kame-small learns from a batch: the loss, and the streams that it reads."""

import fake_bank
import pytest
from random_small import LITTLE

torch = pytest.importorskip('torch')

from dataclasses import replace  # noqa: E402

from kame_ros.s2s.small.ear import LEVELS  # noqa: E402
from kame_ros.training.small import fit  # noqa: E402
from kame_ros.training.small.ingredients import Ingredients, stacked  # noqa: E402
from kame_ros.training.small.model import KameSmall  # noqa: E402

SILENCE = torch.as_tensor(fake_bank.SILENCE)
FRAMES = 60
SIZE = replace(LITTLE, pieces=fake_bank.PIECES)


@pytest.fixture(scope='module')
def batch(tmp_path_factory):
    bank = tmp_path_factory.mktemp('bank')
    fake_bank.write_whole(bank)
    maker = Ingredients.of(bank, SIZE.ahead, FRAMES).maker(1)
    scenes = stacked([maker.scene(FRAMES) for _ in range(8)])
    return {name: torch.from_numpy(value) for name, value in scenes.items()}


def test_the_loss_falls(batch):
    torch.manual_seed(0)
    model = KameSmall(SIZE)
    learner = fit.optimiser(model, 1e-2, fused=False)
    losses = []
    for _ in range(30):
        found = fit.loss_of(model, fit.prepared(batch, SILENCE, spoil=True))
        learner.zero_grad()
        found.total.backward()
        learner.step()
        losses.append(found.total.item())
    assert losses[-1] < 0.4 * losses[0]
    assert found.begun > 0.3  # of the pieces that are begun, the right one
    assert found.codes.shape == (8,)


def test_the_model_reads_what_was_before_and_is_not_told_the_frame_itself(batch):
    streams = fit.prepared(batch, SILENCE, spoil=False)
    assert torch.equal(streams['codes'][:, 1:], batch['codes'][:, :-1].long())
    assert torch.equal(streams['text'][:, 1:], batch['said'][:, :-1].long())
    assert (streams['codes'][:, 0] == SILENCE).all()
    assert not streams['text'][:, 0].any()


def test_some_of_the_codes_it_reads_are_spoilt_and_none_that_it_learns(batch):
    torch.manual_seed(1)
    clean = fit.prepared(batch, SILENCE, spoil=False)
    spoilt = fit.prepared(batch, SILENCE, spoil=True)
    spoken = ~clean['quiet'][:, :-1]  # silence in the place of silence shows no difference
    differs = (spoilt['codes'] != clean['codes'])[:, 1:][spoken].float().mean()
    assert 0.02 < differs < 2 * fit.SPOILT
    for name in ('written', 'said', 'window', 'mark', 'text'):
        assert torch.equal(spoilt[name], clean[name])
    assert 0 <= spoilt['ear'].min() <= spoilt['ear'].max() <= 1
    assert not torch.equal(spoilt['ear'], clean['ear'])


def test_each_user_gets_another_voice_and_microphone(batch):
    """One for the whole scene: the same voicing, every voiced frame as much higher or lower."""
    torch.manual_seed(3)
    before = fit.prepared(batch, SILENCE, spoil=False)['ear']
    after = fit.prepared(batch, SILENCE, spoil=True)['ear']
    assert torch.equal(after[..., LEVELS::2], before[..., LEVELS::2])
    moves = []
    for one, other in zip(before[..., LEVELS + 1 :: 2], after[..., LEVELS + 1 :: 2], strict=True):
        voiced = (one > 0.1) & (one < 0.9)  # far from where it would be cut off
        moved = (other - one)[voiced]
        assert not other[one == 0].any()
        assert torch.allclose(moved, moved[:1], atol=1e-5)
        moves += moved[:1].tolist()
    assert len({round(move, 5) for move in moves}) == len(moves) > 1
    assert max(map(abs, moves)) <= 0.081


def test_all_frames_of_speech_are_learnt_and_a_few_of_silence(batch):
    torch.manual_seed(2)
    streams = fit.prepared(batch, SILENCE, spoil=False)
    quiet = streams['quiet'].flatten()
    learnt = torch.zeros_like(quiet)
    learnt[streams['spoken']] = True
    assert learnt[~quiet].all()
    assert 0.05 < learnt[quiet].float().mean() < 0.2


class _Sure:
    """Stands for a model that always expects the same pieces, whatever it reads."""

    def __init__(self, text):
        self.text = text

    def __call__(self, spoken, written, **streams):
        return self.text, torch.zeros(len(spoken), 8, 512)


def test_a_frame_in_which_the_robot_begins_weighs_as_one_of_silence():
    """And one inside speech, where no piece begins, less."""
    codes = SILENCE.repeat(1, 4, 1)
    codes[:, 2:] = 1  # it speaks in the frames 2 and 3, and the last is inside a piece
    scenes = {
        'codes': codes,
        'said': torch.tensor([[0, 0, 5, 0]]),
        'ear': torch.zeros(1, 4, 84, dtype=torch.uint8),
        'window': torch.zeros(1, 4, 6),
        'mark': torch.zeros(1, 4),
    }
    streams = fit.prepared(scenes, SILENCE, spoil=False)

    def text_loss(wrong):
        """Wrong by ten nats in one frame, sure and right in the others."""
        logits = torch.zeros(1, 4, 9)
        logits.scatter_(-1, streams['said'][..., None], 10.0)
        logits[0, wrong] = logits[0, wrong].flip(-1) if wrong != 2 else logits[0, wrong].roll(1)
        return fit.loss_of(_Sure(logits), streams).text.item()

    silent, begins, within = text_loss(0), text_loss(2), text_loss(3)
    assert begins == pytest.approx(silent, rel=1e-3)
    assert within == pytest.approx(fit.WITHIN * silent, rel=1e-2)


def test_only_matrices_are_pulled_to_zero():
    model = KameSmall(SIZE)
    kept, free = fit.optimiser(model, 1e-3, fused=False).param_groups
    assert kept['weight_decay'] > free['weight_decay'] == 0
    pulled = {id(weight) for weight in kept['params']}
    names = {name for name, weight in model.named_parameters() if id(weight) in pulled}
    assert {'text_head', 'layers.0.q', 'depth.head'} <= names
    assert not names & {'text_emb', 'code_emb', 'depth.code', 'norm', 'ear.bias', 'copy_gate'}


def test_the_rate_rises_stays_and_falls_to_nothing():
    shares = [fit.share_of_rate(step, 1000, warm_up=100, decay=0.4) for step in range(1001)]
    assert shares[0] == 0.01
    assert shares[99:600] == [1.0] * 501
    assert shares[700] == pytest.approx(0.5)  # as a square root
    assert shares[1000] == 0
    assert fit.share_of_rate(5, 10, warm_up=0, decay=0.0) == 1.0
