"""One thread, and no compiler, for the models of the tests."""

from __future__ import annotations

import os

os.environ.setdefault('OMP_NUM_THREADS', '1')
os.environ.setdefault('NO_TORCH_COMPILE', '1')
