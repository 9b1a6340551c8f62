from __future__ import annotations

import hashlib

import numpy as np
import pytest

from kame_ros.s2s.small.split_voice import (
    DURATIONS,
    FEATURES,
    SPECTRA,
    VoiceHalves,
    cut,
    split_voice,
)

SHA256 = ['5f5d7840cdc2', 'e98e958e45c3']  # of the halves of the pinned voice


@pytest.fixture(scope='module')
def halves() -> VoiceHalves:
    return split_voice()


def session(model: bytes):
    import onnxruntime

    return onnxruntime.InferenceSession(model, providers=['CPUExecutionProvider'])


@pytest.mark.models
def test_the_halves_are_the_same_each_time(halves):
    found = [hashlib.sha256(half).hexdigest()[:12] for half in (halves.front, halves.decoder)]
    assert found == SHA256


@pytest.mark.models
def test_the_halves_together_give_what_the_whole_gives(halves):
    from hibari import Hibari

    tts = Hibari(threads=1)
    ids = tts.ids(tts.phonemize('The capital of France is Paris.')[0])
    given = {'ids': np.array([ids], np.int64), 'speed': np.ones(1, np.float32)}
    features, durations = session(halves.front).run([FEATURES, DURATIONS], given)
    assert features.shape == (1, 130, 2 * int(durations.sum()))
    halved = session(halves.decoder).run(list(SPECTRA), {FEATURES: features})
    whole = tts.sess.run(list(SPECTRA), given)
    for ours, theirs in zip(halved, whole, strict=True):
        assert np.abs(ours - theirs).mean() < 0.02  # of logarithms and angles


@pytest.mark.models
def test_the_halves_share_nothing(halves):
    assert [i.name for i in session(halves.front).get_inputs()] == ['ids', 'speed']
    assert [i.name for i in session(halves.decoder).get_inputs()] == [FEATURES]
    assert len(halves.front) + len(halves.decoder) < 8_000_000


def test_what_is_no_model_of_this_voice_is_refused():
    graph = b'\x0a\x0b\x0a\x01a\x12\x01b\x22\x03Abs'  # b = Abs(a)
    model = b'\x3a' + bytes([len(graph)]) + graph
    assert b'Abs' in cut(model, (), (b'\x0a\x01b',))
    with pytest.raises(ValueError, match='no inner value c'):
        cut(model, (), (b'\x0a\x01c',))
