"""The complaint of a machine that is too slow for the speech model."""

from __future__ import annotations

import pytest

from kame_ros.runtime.step_times import StepTimes
from kame_ros.s2s.too_slow import complaint


@pytest.mark.parametrize(('device', 'advice'), [('cpu', 'tts front-end'), ('cuda', 'quantise')])
def test_it_complains_about_sustained_slowness_only(device, advice):
    times = StepTimes(0.08, sustained=125)
    for _ in range(124):
        times.add(0.1)
    assert complaint(times, device) == ''
    times.add(0.1)
    assert 'needs 1.25 s for each second' in complaint(times, device)
    assert advice in complaint(times, device)
    for _ in range(125):
        times.add(0.05)
    assert complaint(times, device) == ''
