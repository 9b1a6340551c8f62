"""What all tests share: a ROS domain of their own, on this machine only."""

from __future__ import annotations

import os
import shutil

from kame_ros.processes import Domain, environment

pytest_plugins = ['skipped']

# Held until the end of the run: graphs that tests start get others.
_domain = Domain()
os.environ.update(
    {
        key: value
        for key, value in environment(_domain.number).items()
        if key.startswith(('ROS_', 'AMENT_', 'OMP_'))
    }
)
os.environ['ROS_PYTHON_CHECK_FIELDS'] = '1'  # a field of the wrong type is an error
os.environ.setdefault('NO_TORCH_COMPILE', '1')  # moshi reads it when it is imported, by whoever
if shutil.which('nvidia-smi') is None:
    # Triton reads it when it is imported, by whichever test is first: without a GPU it interprets.
    os.environ.setdefault('TRITON_INTERPRET', '1')
