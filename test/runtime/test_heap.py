"""What was freed goes back to the system, where the C library can be told."""

import ctypes
import subprocess
import sys
from types import SimpleNamespace

import pytest

from kame_ros.runtime import heap

# 64 MB in pieces of 64 kB are freed, but for the last one, below which the C library keeps them.
FREED = """
from kame_ros.runtime import heap
kept = [bytearray(65_536) for _ in range(1000)][-1]
def held():
    with open('/proc/self/statm') as file:
        return int(file.read().split()[1])
before = held()
assert heap.give_back()
print((before - held()) * 4096)
"""


def test_what_was_freed_is_given_back():
    if not heap.give_back():
        pytest.skip('this C library keeps its own counsel')
    done = subprocess.run([sys.executable, '-c', FREED], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 40e6


def test_another_c_library_is_no_fault(monkeypatch):
    monkeypatch.setattr(ctypes, 'CDLL', lambda name: SimpleNamespace())
    assert not heap.give_back()
