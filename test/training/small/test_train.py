"""A training run of kame-small: it goes on where it ended, and leaves weights that numpy runs."""

import json
from dataclasses import asdict, replace

import fake_bank
import numpy as np
import pytest
from random_small import LITTLE

torch = pytest.importorskip('torch')

from kame_ros.s2s.small.model import SmallModel  # noqa: E402
from kame_ros.s2s.small.step import Choosing, Stepper  # noqa: E402
from kame_ros.s2s.small.turn_end import FILE, TurnEndWeights  # noqa: E402
from kame_ros.training.run.state import TrainingError  # noqa: E402
from kame_ros.training.small import recipe as small  # noqa: E402
from kame_ros.training.small import weights_file  # noqa: E402
from kame_ros.training.small.config import SmallRecipe  # noqa: E402
from kame_ros.training.small.ingredients import Ingredients, stacked  # noqa: E402
from kame_ros.training.small.model import KameSmall  # noqa: E402
from kame_ros.training.small.train import begin, train, try_out  # noqa: E402

SIZE = replace(LITTLE, pieces=fake_bank.PIECES)
SIZES = {name: value for name, value in asdict(SIZE).items() if name != 'pieces'}
SILENCE = fake_bank.SILENCE.tolist()
RECIPE = SmallRecipe(
    size=SIZES, steps=6, batch=6, frames=40, warm_up=2, save_every=3, note_every=2, pool=64,
    learning_rate=1e-2,
)  # fmt: skip


@pytest.fixture(scope='module')
def bank(tmp_path_factory):
    folder = tmp_path_factory.mktemp('bank')
    fake_bank.write_whole(folder)
    return folder


@pytest.fixture
def scenes(bank):
    """The same scenes for the same step, which those of a pool are not."""
    ingredients = Ingredients.of(bank, SIZE.ahead, RECIPE.frames)

    class SameScenes:
        ends_at = RECIPE.steps

        def batch(self, step, count):
            if step == self.ends_at:
                raise KeyboardInterrupt
            maker = ingredients.maker(step)
            made = stacked([maker.scene(RECIPE.frames) for _ in range(count)])
            return {name: torch.from_numpy(value) for name, value in made.items()}

    return SameScenes()


def weights_in(folder):
    model = KameSmall(SIZE)
    weights_file.read_into(model, folder)
    return {name: weight.numpy().copy() for name, weight in model.state_dict().items()}


def test_a_run_that_was_ended_gives_the_weights_of_one_that_was_not(scenes, tmp_path):
    whole = train(begin(RECIPE, SIZE, SILENCE, tmp_path / 'whole'), scenes, tmp_path / 'whole')
    broken = tmp_path / 'broken'
    scenes.ends_at = 5
    with pytest.raises(KeyboardInterrupt):
        train(begin(RECIPE, SIZE, SILENCE, broken), scenes, broken)
    scenes.ends_at = RECIPE.steps
    told = []
    trainer = begin(RECIPE, SIZE, SILENCE, broken)
    assert trainer.step == 3
    result = train(trainer, scenes, broken, lambda step, numbers: told.append((step, numbers)))
    one, other = weights_in(whole), weights_in(result)
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert [step for step, _ in told] == [3, 4, 6]
    assert told[-1][1].keys() >= {'loss', 'text', 'audio', 'step_s'}
    steps = [json.loads(line)['step'] for line in (broken / 'log.jsonl').read_text().splitlines()]
    assert steps == [2, 4, 4, 6]


def test_the_weights_run_without_torch(scenes, tmp_path):
    result = train(begin(RECIPE, SIZE, SILENCE, tmp_path), scenes, tmp_path)
    model = SmallModel.load(result)
    piece, codes = Stepper(model, Choosing(seed=1)).step(np.zeros(84), np.zeros(6, int), 0, False)
    assert 0 <= piece < SIZE.pieces
    assert len(codes) == 8
    assert not list(result.glob('*.part'))


def test_parts_of_a_batch_together_are_the_batch(scenes, tmp_path):
    """But for which codes are spoilt, and the shares of speech in each part."""
    trainers = [
        begin(replace(RECIPE, at_once=at_once), SIZE, SILENCE, tmp_path / str(at_once))
        for at_once in (6, 2)
    ]
    batch = scenes.batch(0, 6)
    for trainer in trainers:
        trainer.learn(batch)
    grown = [torch.cat([w.grad.flatten() for w in t.model.parameters()]) for t in trainers]
    assert torch.cosine_similarity(*grown, dim=0) > 0.8


def test_a_run_begins_with_other_weights(scenes, tmp_path):
    first = train(begin(RECIPE, SIZE, SILENCE, tmp_path / 'one'), scenes, tmp_path / 'one')
    begun = begin(RECIPE, SIZE, SILENCE, tmp_path / 'two', init=first)
    assert np.array_equal(begun.model.text_head.detach().numpy(), weights_in(first)['text_head'])
    with pytest.raises(TrainingError, match='no weights of a kame-small of these sizes'):
        begin(RECIPE, replace(SIZE, layers=3), SILENCE, tmp_path / 'three', init=first)


@pytest.mark.parametrize('content', [b'', b'PK nonsense'])
def test_a_damaged_state_is_told_of(content, tmp_path):
    (tmp_path / 'state.pt').write_bytes(content)
    with pytest.raises(TrainingError, match='damaged'):
        begin(RECIPE, SIZE, SILENCE, tmp_path)


def test_the_state_of_another_model_is_refused(tmp_path):
    begin(RECIPE, SIZE, SILENCE, tmp_path).save(tmp_path)
    with pytest.raises(TrainingError, match='other sizes'):
        begin(RECIPE, replace(SIZE, hidden=32), SILENCE, tmp_path)
    torch.save({'step': 1}, tmp_path / 'state.pt')
    with pytest.raises(TrainingError, match='no state of kame-small'):
        begin(RECIPE, SIZE, SILENCE, tmp_path)


def test_a_loss_that_is_no_number_ends_the_run(scenes, tmp_path):
    trainer = begin(RECIPE, SIZE, SILENCE, tmp_path)
    with torch.no_grad():
        trainer.model.text_head.fill_(float('nan'))
    with pytest.raises(TrainingError, match='no number'):
        train(trainer, scenes, tmp_path)
    assert not (tmp_path / 'state.pt').exists()


def test_weights_without_numbers_take_the_place_of_no_state(scenes, tmp_path):
    """The loss of a step is a number though its gradient is none."""
    trainer = begin(RECIPE, SIZE, SILENCE, tmp_path)
    broken = trainer.model.norm.register_hook(lambda gradient: gradient * float('nan'))
    with pytest.raises(TrainingError, match='no number'):
        train(trainer, scenes, tmp_path)
    assert trainer.step == 2  # the first that is looked at
    assert not (tmp_path / 'state.pt').exists()
    broken.remove()
    at_save = begin(replace(RECIPE, note_every=100), SIZE, SILENCE, tmp_path)
    at_save.model.norm.register_hook(
        lambda gradient: gradient * (float('nan') if at_save.step == 2 else 1)
    )
    with pytest.raises(TrainingError, match='no number'):
        train(at_save, scenes, tmp_path)
    assert not (tmp_path / 'state.pt').exists()


def test_a_full_disk_costs_weights_on_the_way_and_not_the_run(
    scenes, tmp_path, monkeypatch, caplog
):
    written = []
    write = weights_file.write

    def full_at_first(*given):
        written.append(1)
        if len(written) == 1:
            raise OSError(28, 'No space left on device')
        write(*given)

    monkeypatch.setattr(weights_file, 'write', full_at_first)
    result = train(begin(RECIPE, SIZE, SILENCE, tmp_path), scenes, tmp_path)
    assert 'No space left' in caplog.text
    assert weights_in(result)
    written.clear()
    monkeypatch.setattr('kame_ros.training.run.state.write', lambda *given: True)
    with pytest.raises(OSError, match='No space left'):  # what is asked for is the last
        train(
            begin(replace(RECIPE, save_every=100), SIZE, SILENCE, tmp_path / 'two'),
            scenes,
            tmp_path / 'two',
        )


def test_a_gpu_that_is_not_there_is_told_of(tmp_path):
    if torch.cuda.is_available():
        pytest.skip('there is a GPU')
    with pytest.raises(TrainingError, match='no GPU'):
        begin(RECIPE, SIZE, SILENCE, tmp_path, device='cuda')
    assert small.device_of('auto') == 'cpu'
    assert small.device_of('cuda:1') == 'cuda:1'


def test_one_gpu_of_several_keeps_its_own_random_numbers(tmp_path, monkeypatch):
    """Not those of the first one: else a run that goes on is another one."""
    kept = {'cuda:1': torch.full((16,), 7, dtype=torch.uint8)}
    monkeypatch.setattr(torch.cuda, 'get_rng_state', lambda device='cuda:0': kept[device])
    monkeypatch.setattr(
        torch.cuda, 'set_rng_state', lambda state, device='cuda:0': kept.update({device: state})
    )
    trainer = begin(RECIPE, SIZE, SILENCE, tmp_path)
    trainer._device, trainer._on_gpu = 'cuda:1', True
    assert trainer.save(tmp_path)
    kept['cuda:1'] = torch.zeros(16, dtype=torch.uint8)
    assert trainer.resume(tmp_path)
    assert list(kept) == ['cuda:1']
    assert kept['cuda:1'].tolist() == [7] * 16


def test_a_gpu_beyond_the_last_is_told_of(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 2)
    with pytest.raises(TrainingError, match='device is cuda:2, but torch sees 2 GPUs'):
        begin(RECIPE, SIZE, SILENCE, tmp_path, device='cuda:2')


def test_a_dry_run_tells_the_cost():
    cost = try_out(RECIPE, SIZE)
    assert cost.parameters == sum(weight.numel() for weight in KameSmall(SIZE).parameters())
    assert cost.step_s > 0
    assert cost.memory_gb > 0
    assert cost.pool_gb == pytest.approx(64 * 40 * (84 + 16 + 2 + 12 + 1) / 1e9)


def test_a_whole_run_on_a_bank(bank, tmp_path):
    told = []
    recipe = replace(RECIPE, steps=2)
    result = small.run(recipe, tmp_path, bank, progress=lambda step, numbers: told.append(step))
    assert TurnEndWeights.load(result, SIZE.dim) is not None
    assert told == [0, 2]
    made = (result / FILE).stat().st_mtime_ns
    assert small.run(recipe, tmp_path, bank) == result
    assert (result / FILE).stat().st_mtime_ns == made  # nothing is left to do
    assert SmallModel.load(result).size == SIZE
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'empty/parts.json').write_text('{}')
    with pytest.raises(TrainingError, match='cannot be trained on'):
        small.run(recipe, tmp_path, tmp_path / 'empty')
