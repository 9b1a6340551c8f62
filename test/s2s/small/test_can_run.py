"""Whether kame-small can run: what is missing is said before anything is loaded."""

import importlib.util

import pytest
from random_small import write

from kame_ros.runtime import weights
from kame_ros.s2s.small import can_run


@pytest.fixture
def everything(monkeypatch):
    monkeypatch.setattr(weights.Weights, 'present', True)
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: object())


def test_with_everything_there_it_can(everything, tmp_path):
    assert can_run.why_not(str(write(tmp_path))) == ''


def test_what_is_missing_is_said_with_what_to_do(everything, monkeypatch, tmp_path):
    assert can_run.why_not(str(tmp_path)) == f'there is no model of kame-small in {tmp_path}'
    monkeypatch.setattr(weights.Weights, 'present', False)
    assert 'hibari is not installed; get it with: pip install' in can_run.why_not()
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    assert can_run.why_not().endswith('get it with: pip install onnxruntime')


def test_its_folder_is_part_of_the_package():
    assert can_run.folder_of('kame-small').parent.name == 'small'
