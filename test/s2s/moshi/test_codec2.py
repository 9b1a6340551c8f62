"""Codec2 with the token shape of Mimi: fields, sound, slots, and a checkpoint that names it."""

from __future__ import annotations

import ctypes
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_ros.s2s.moshi import codec2
from kame_ros.s2s.moshi.codec2 import BITS, CARDS, Codec2MissingError, Codec2Voice, pack, unpack

FRAME = 1920


@pytest.fixture
def voice() -> Codec2Voice:
    try:
        return Codec2Voice()
    except Codec2MissingError as error:
        pytest.skip(str(error))


def hum(frames: int, pitch: float = 120.0, level: float = 0.3) -> np.ndarray:
    """A buzz with the harmonics of a voice, float[frames, 1920] at 24 kHz."""
    t = np.arange(frames * FRAME) / 24000
    sound = sum(np.sin(2 * np.pi * pitch * k * t) / k for k in range(1, 20))
    return (level * sound / np.abs(sound).max()).reshape(frames, FRAME)


@given(st.tuples(*[st.integers(0, (1 << bits) - 1) for bits in BITS]))
def test_fields_survive_packing(fields: tuple[int, ...]) -> None:
    packed = pack(list(fields))
    assert unpack(packed) == list(fields)
    assert packed[3] & 0x0F == 0  # 28 bits


def test_a_hum_keeps_its_pitch_and_loudness(voice: Codec2Voice) -> None:
    heard = hum(20)
    codes = [voice.encode(frame) for frame in heard]
    assert all(code.shape == (8,) for code in codes)
    assert all(0 <= int(c) < card for code in codes for c, card in zip(code, CARDS, strict=True))
    sound = np.concatenate([voice.decode(code) for code in codes])
    assert sound.shape == (20 * FRAME,)
    assert sound.dtype == np.float32
    late = sound[10 * FRAME :]
    assert 0.02 < np.sqrt(np.mean(late**2)) < 0.5
    spectrum = np.abs(np.fft.rfft(late * np.hanning(len(late))))
    hertz = np.fft.rfftfreq(len(late), 1 / 24000)
    band = (hertz > 60) & (hertz < 170)
    assert abs(hertz[band][np.argmax(spectrum[band])] - 120) < 6
    assert spectrum[hertz > 4500].sum() < 0.01 * spectrum.sum()  # nothing above what 8 kHz holds


def test_silence_is_one_code_and_silent(voice: Codec2Voice) -> None:
    codes = np.array([voice.encode(np.zeros(FRAME)) for _ in range(5)])
    assert (codes == codes[-1]).all()
    assert np.abs(np.concatenate([voice.decode(c) for c in codes])).max() < 0.01


def test_frames_do_not_depend_on_how_they_are_cut(voice: Codec2Voice) -> None:
    """The filters remember: a reset voice gives the same again, one that is not reset differs."""
    heard = hum(4)
    first = [voice.encode(frame).tolist() for frame in heard]
    voice.reset()
    assert [voice.encode(frame).tolist() for frame in heard] == first


def test_wrong_shapes_are_refused(voice: Codec2Voice) -> None:
    with pytest.raises(ValueError, match='640 samples'):
        codec2.Codec2().encode(np.zeros(320, np.int16))
    with pytest.raises(ValueError, match='8 codes'):
        voice.decode(np.zeros(4, np.int64))


def test_codes_that_no_field_holds_are_cut(voice: Codec2Voice) -> None:
    assert voice.decode(np.full(8, 511)).shape == (FRAME,)


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> ctypes.CDLL:
        raise OSError(name)

    codec2._library.cache_clear()
    monkeypatch.setattr(ctypes, 'CDLL', nothing)
    with pytest.raises(Codec2MissingError, match='apt install libcodec2'):
        Codec2Voice()
    codec2._library.cache_clear()


def test_slots_are_voices_of_their_own(voice: Codec2Voice) -> None:
    torch = pytest.importorskip('torch')
    from kame_ros.s2s.moshi.codec2_codec import Codec2Codec

    codec = Codec2Codec()
    heard = hum(6)
    alone = [voice.encode(frame).tolist() for frame in heard]
    with codec.streaming(2):
        found = []
        for number, frame in enumerate(heard):
            # The second slot stands still in every other frame, and hears only the others.
            codec.set_exec_mask(torch.tensor([True, number % 2 == 0]))
            sound = torch.from_numpy(np.stack([frame, heard[number // 2]])[:, None]).float()
            found.append(codec.encode(sound))
            assert codec.decode(found[-1]).shape == (2, 1, FRAME)
        assert [f[0, :, 0].tolist() for f in found] == alone
        assert [f[1, :, 0].tolist() for f in found[::2]] == alone[:3]
        assert not found[1][1].any()
        codec.reset_streaming(torch.tensor([False, True]))
        again = codec.encode(torch.from_numpy(np.stack([heard[0]] * 2)[:, None]).float())
        assert again[1, :, 0].tolist() == alone[0]


@pytest.fixture
def folder(tmp_path: Path, tiny: dict[str, Any], voice: Codec2Voice) -> Path:
    """A small random model that speaks through Codec2."""
    torch = pytest.importorskip('torch')
    pytest.importorskip('moshi')
    from kame_ros.s2s.moshi.model import OracleLMModel
    from kame_ros.training.result import Surroundings, write_whole
    from kame_ros.training.tiny import tokens

    tokenizer = tokens.make(('yes', 'no', 'maybe', 'question'), 'xyz')
    kwargs = {**tiny, 'card': 512, 'text_card': tokens.read(tokenizer)[1].start}
    torch.manual_seed(0)
    around = Surroundings(kwargs, tokenizer, 'codec2-700c')
    return write_whole(OracleLMModel(**kwargs).state_dict(), around, tmp_path / 'model')


def test_a_checkpoint_speaks_through_codec2(folder: Path) -> None:
    from kame_ros.oracle.chunk import Oracle
    from kame_ros.s2s.moshi.build import build
    from kame_ros.s2s.moshi.config import MoshiConfig

    front_end = build(MoshiConfig(weights=str(folder), device='cpu', seed=0))
    front_end.warm_up()
    steps = [
        front_end.step((hum(1)[0] * 32767).astype(np.int16), Oracle('test', 1, 'Yes, no!', True))
        for _ in range(12)
    ]
    assert all(step.speech.shape == (FRAME,) for step in steps)
    assert any(np.abs(step.speech).max() > 0 for step in steps[2:])
    assert front_end.counters()['oracle_fed'] == 2


def test_an_unknown_codec_is_refused(folder: Path) -> None:
    from kame_ros.s2s.moshi.checkpoint import find
    from kame_ros.s2s.moshi.safetensors_file import CheckpointError

    config = json.loads((folder / 'config.json').read_text())
    (folder / 'config.json').write_text(json.dumps({**config, 'codec': 'opus'}))
    with pytest.raises(CheckpointError, match='unknown codec'):
        find(str(folder))


def test_a_model_of_other_books_is_refused(folder: Path) -> None:
    from kame_ros.s2s.moshi.checkpoint import find
    from kame_ros.s2s.moshi.load import load_codec
    from kame_ros.s2s.moshi.safetensors_file import CheckpointError

    config = json.loads((folder / 'config.json').read_text())
    (folder / 'config.json').write_text(json.dumps({**config, 'card': 2048}))
    with pytest.raises(CheckpointError, match='does not fit Codec2'):
        load_codec(find(str(folder)))
