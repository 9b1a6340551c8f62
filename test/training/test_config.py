"""What a training run is made from, as a file gives it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kame_ros.training.config import ConfigError, RunConfig, read


@pytest.mark.parametrize(
    ('text', 'reason'),
    [
        ('steps: 0', 'steps must be at least 1'),
        ('stepz: 3', "nothing is called 'stepz'"),
        ('precision: int8', 'float32, bfloat16'),
        ('learning_rate: 2', 'between 0 and 1'),
        ('- a', 'should hold a mapping'),
        ('a: [', 'cannot be read'),
        ('model: 5', 'model should hold values by name, not 5'),
        ('model: [dim]', 'model should hold'),
        ('losses: 5', 'losses should hold'),
        ('checkpoint: 5', 'checkpoint must be a text, not 5'),
        ('{checkpoint: a, revision: 1.0}', 'revision must be a text, not 1.0'),
        ('checkpointing: 1', 'checkpointing must be true or false, not 1'),
        ('clip: -1', 'clip must be above 0'),
        ('clip: 0', 'clip must be above 0'),
        ('weight_decay: -0.1', 'weight_decay must not be below 0'),
        ('epsilon: -1.0e-8', 'epsilon must not be below 0'),
        ('{checkpoint: a, lora: {scaling: .nan}}', 'scaling must be a number, not nan'),
        ('{checkpoint: a, lora: {rank: true}}', 'rank must be a number, not True'),
        ('{checkpoint: a, lora: {rank: 0}}', 'rank must be'),
    ],
)
def test_configurations_that_cannot_be(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / 'run.yaml'
    path.write_text(text)
    with pytest.raises(ConfigError, match=reason):
        read(path)


def test_the_learning_rate_rises_stays_and_falls() -> None:
    config = RunConfig(steps=100, warm_up=10, decay=0.2, learning_rate=0.1)
    rates = [config.rate(step) for step in range(100)]
    assert rates[0] == pytest.approx(0.01)
    assert rates[9:81] == [0.1] * 72
    assert rates[90] == pytest.approx(0.05)
    assert 0 < rates[99] < 0.01
