"""What a process of a graph does before it imports ROS, which takes a second.

Until then nothing would end it with whoever started it, Ctrl-C would be a traceback, and a
missing middleware would end it without a word of ours.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

from kame_ros.graph.surroundings import rmw_problem

PARENT = 'KAME_DIE_WITH_PARENT'  # the process id of whoever started this one
PROGRAM = 'KAME_NODE_PROGRAM'  # set for processes that are nodes
REFUSAL = 'error: '  # what the line begins with that says which
BAD_SETTING = 2  # the exit status for what will be as wrong the next time
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def begin() -> None:
    """Called when kame_ros.nodes is imported, before rclpy is."""
    if PROGRAM in os.environ:
        del os.environ[PROGRAM]
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, _: os._exit(0))  # nothing has begun
    if parent := os.environ.pop(PARENT, ''):
        _follow(int(parent))
    if problem := rmw_problem(os.environ):
        print(f'{REFUSAL}{problem}', file=sys.stderr)
        raise SystemExit(BAD_SETTING)


def _follow(parent: int) -> None:
    """Ends this process with the one that started it, even if that is killed."""
    if sys.platform == 'linux':
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    # It was gone before we asked; a debugger in between is no reason to end.
    if os.getppid() != parent and not _lives(parent):
        os._exit(0)


def _lives(pid: int) -> bool:
    try:
        with open(f'/proc/{pid}/stat', encoding='utf-8', errors='replace') as file:
            return file.read().rpartition(')')[2].split()[0] not in 'ZX'
    except OSError:
        return False
