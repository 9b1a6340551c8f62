"""A machine without a C compiler is known before torch.compile or Triton fail for it."""

from __future__ import annotations

from kame_ros.s2s.moshi import compiler
from kame_ros.s2s.moshi.compiler import cannot_compile


def test_a_machine_without_a_compiler(tmp_path, monkeypatch):
    monkeypatch.setenv('PATH', str(tmp_path))
    assert 'apt install gcc' in cannot_compile({})
    monkeypatch.setattr(compiler.sysconfig, 'get_paths', lambda: {'include': str(tmp_path)})
    assert 'Python.h (apt install python3.' in cannot_compile({})
    (tmp_path / 'gcc').touch(mode=0o755)
    (tmp_path / 'Python.h').touch()
    assert cannot_compile({}) == ''
    (tmp_path / 'gcc').rename(tmp_path / 'my-cc')
    assert cannot_compile({'CC': 'my-cc'}) == ''
