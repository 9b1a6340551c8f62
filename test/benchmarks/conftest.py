"""The benchmarks are programs in a folder: what they import from it is found here, too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / 'benchmarks'))
