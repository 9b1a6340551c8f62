"""The numbers of the recipe, as a file gives them."""

import pytest

from kame_ros.s2s.small.sizes import ModelSize
from kame_ros.training.config import ConfigError
from kame_ros.training.small.config import RECIPE, SmallRecipe, read


def test_the_recipe_of_the_package_is_that_of_the_code():
    recipe = read()
    assert recipe.model_size(1200) == ModelSize(1200)
    assert SmallRecipe(size=recipe.size) == recipe
    assert read(RECIPE, steps=7, hours=0.5).steps == 7


def test_a_cpu_computes_fewer_scenes_at_once():
    recipe = SmallRecipe()
    assert recipe.scenes_at_once('cpu') < recipe.scenes_at_once('cuda') == recipe.batch
    assert SmallRecipe(at_once=3).scenes_at_once('cuda') == 3


@pytest.mark.parametrize(
    ('text', 'reason'),
    [
        ('steps: 0', 'steps must be at least 1'),
        ('hours: -1', 'hours must be above 0'),
        ('learning_rate: 3e-5', 'a point in it'),
        ('learning_rate: 2', 'between 0 and 1'),
        ('decay: 1.5', 'decay must be'),
        ('at_once: -1', 'must not be below 0'),
        ('stepps: 3', "nothing is called 'stepps'"),
        ('size: {dimm: 3}', "nothing is called 'dimm'"),
        ('size: {dim: 100}', 'cannot share'),
        ('size: {depth: 3}', 'depth should hold'),
        ('size: {pieces: 3}', 'without the pieces'),
        ('size: 3', 'size should hold'),
        ('- a list', 'should hold a mapping'),
        ('a: [', 'cannot be read'),
    ],
)
def test_what_cannot_be_is_one_sentence(tmp_path, text, reason):
    path = tmp_path / 'mine.yaml'
    path.write_text(text)
    with pytest.raises(ConfigError, match=reason):
        read(path)
