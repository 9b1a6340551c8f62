"""Whether C can be compiled here, as torch.compile and Triton do at their first step. No torch."""

from __future__ import annotations

import os
import platform
import shutil
import sysconfig
from collections.abc import Mapping
from pathlib import Path


def cannot_compile(environment: Mapping[str, str] = os.environ) -> str:
    """What is missing, with how to get it; empty: it can."""
    lacks = []
    if not has_compiler(environment):
        lacks.append('a C compiler (apt install gcc)')
    if not has_python_h():
        version = '.'.join(platform.python_version_tuple()[:2])
        lacks.append(f'Python.h (apt install python{version}-dev)')
    return ' and '.join(lacks)


def has_compiler(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether there is a C compiler: that of CC, or one of the usual names."""
    compilers = [environment.get('CC', ''), 'gcc', 'clang', 'cc']
    return any(shutil.which(name) for name in compilers if name)


def has_python_h() -> bool:
    """Whether the headers of this Python are there."""
    return Path(sysconfig.get_paths()['include'], 'Python.h').is_file()
