"""Which device a model is given to."""

from __future__ import annotations

import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('moshi')

from kame_ros.s2s.moshi.weights.runtime import choose_device  # noqa: E402


def test_a_device_is_a_cpu_or_a_gpu_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 2)
    assert [choose_device(wanted) for wanted in ('cpu', 'cuda', 'cuda:1')] == [
        'cpu', 'cuda', 'cuda:1'
    ]  # fmt: skip
    with pytest.raises(RuntimeError, match='torch sees 2 GPUs'):
        choose_device('cuda:2')


@pytest.mark.parametrize('wanted', ['cuda:x', 'cuda:', 'cuda:-1', 'tpu', 'cpu:0', '', 'auto:1'])
def test_what_is_no_device_is_one_sentence(wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 2)
    with pytest.raises(RuntimeError, match='is no device: auto, cpu, cuda or cuda:N'):
        choose_device(wanted)
