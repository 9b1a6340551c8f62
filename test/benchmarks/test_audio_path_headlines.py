"""The figures of echo cancellation that a table of results takes, for each method."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / 'benchmarks' / 'audio_path.py'


@pytest.fixture(scope='module')
def headlines():
    spec = importlib.util.spec_from_file_location('audio_path', SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module._headlines


def scores(erle: float, wer: float) -> dict[str, float]:
    return {'erle_db': erle, 'double_talk_wer': wer}


def test_both_methods_have_their_keys(headlines) -> None:
    echo = {
        'user_alone_wer': 3.0,
        'desk': {'raw_wer': 90.0, 'webrtc': scores(30.0, 60.0), 'speex': scores(10.0, 20.0)},
        'room': {'raw_wer': 90.0, 'webrtc': scores(20.0, 70.0), 'speex': scores(15.0, 25.0)},
    }
    assert headlines({'echo': echo}) == {
        'erle_db': 25.0,
        'double_talk_wer': 65.0,
        'erle_db_speex': 12.5,
        'double_talk_wer_speex': 22.5,
    }


def test_a_method_that_is_not_installed_has_none(headlines) -> None:
    echo = {'desk': {'raw_wer': 90.0, 'webrtc': scores(30.0, 60.0), 'speex': 'needs libspeexdsp'}}
    assert headlines({'echo': echo}) == {'erle_db': 30.0, 'double_talk_wer': 60.0}
