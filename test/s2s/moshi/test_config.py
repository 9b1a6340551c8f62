"""The parameters of the moshi front-end, checked without torch."""

from __future__ import annotations

import pytest

from kame_ros.s2s.moshi.config import MoshiConfig


@pytest.mark.parametrize(
    ('wrong', 'complaint'),
    [
        ({'mode': 'lifo'}, 'mode is one of fifo, positional'),
        ({'dtype': 'int8'}, 'dtype is one of'),
        ({'quantise': 'int2'}, 'quantise is one of'),
        ({'context': -1}, 'context is at least 0'),
        ({'temperature': -0.1}, 'temperature is 0 or more, or -1'),
        ({'temperature_text': -2.0}, 'temperature_text is at least -1'),
        ({'top_k': -1}, 'top_k is at least 0'),
        ({'slots': 0}, 'slots is at least 1'),
        ({'device': 'tpu'}, 'device must be'),
        ({'device': 'cuda:x'}, 'device must be'),
        ({'device': 'cuda:'}, 'device must be'),
        ({'device': 'cuda:-1'}, 'device must be'),
        ({'weights': ''}, 'weights must name'),
        ({'quantise': 'int8', 'lean': False}, 'needs lean'),
    ],
)
def test_a_wrong_parameter_is_refused(wrong, complaint):
    with pytest.raises(ValueError, match=complaint):
        MoshiConfig(**wrong)


def test_building_needs_no_torch_until_it_is_called():
    import subprocess
    import sys

    code = (
        'import sys\n'
        'import kame_ros.s2s.moshi.build, kame_ros.s2s.moshi.session\n'
        "assert not {'torch', 'moshi'} & set(sys.modules)"
    )
    env = {'PYTHONPATH': ':'.join(path for path in sys.path if path)}
    subprocess.run([sys.executable, '-c', code], check=True, env=env)
