"""What all tests share: a ROS domain of their own, on this machine only."""

from __future__ import annotations

import os
import shutil
import signal

from hypothesis import settings

from kame_ros.graph.processes import Domain, environment

pytest_plugins = ['skipped', 'fake_llm_servers', 'weights_cache']
settings.register_profile('any machine', deadline=None)  # no test asserts how fast it is
settings.load_profile('any machine')

# A shell without job control has what it starts in the background ignore Ctrl-C, and all that is
# started by it in turn.
signal.signal(signal.SIGINT, signal.default_int_handler)
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
