"""The faster layers give the numbers of torch's own, but for float rounding."""

from __future__ import annotations

import pytest

torch = pytest.importorskip('torch', reason='needs torch (the extra "moshi")')
pytest.importorskip('moshi', reason='needs moshi (the extra "moshi")')
from torch import nn  # noqa: E402

from kame_ros.s2s.moshi.fast import fast_cpu  # noqa: E402
from kame_ros.s2s.moshi.weights.checkpoint import find  # noqa: E402
from kame_ros.s2s.moshi.weights.load import load_mimi  # noqa: E402
from kame_ros.s2s.moshi.weights.random_checkpoint import write  # noqa: E402


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    return find(str(write(tmp_path_factory.mktemp('random'))))


@pytest.fixture
def calls(monkeypatch):
    """Counts how often torch's slower routine was taken after all."""
    taken: list = []
    for kind, ours in (
        (nn.Conv1d, fast_cpu.GemmConv1d),
        (nn.ConvTranspose1d, fast_cpu.GemmConvTranspose1d),
    ):
        slow = kind.forward

        def counted(self, *args, slow=slow, ours=ours):
            taken.append(isinstance(self, ours))
            return slow(self, *args)

        monkeypatch.setattr(kind, 'forward', counted)
    return taken


@torch.no_grad()
@pytest.mark.parametrize('bias', [True, False])
@pytest.mark.parametrize('length', [1, 2, 7])
@pytest.mark.parametrize(
    ('kernel', 'stride', 'groups'), [(16, 8, 1), (12, 6, 1), (4, 4, 1), (9, 3, 1), (4, 2, 6)]
)
def test_transposed_convolution(kernel, stride, groups, length, bias):
    torch.manual_seed(0)
    channels = 6 if groups > 1 else 5
    conv = nn.ConvTranspose1d(6, channels, kernel, stride, groups=groups, bias=bias)
    x = torch.randn(2, 6, length)
    want = conv(x)
    assert fast_cpu._is_plain_transposed(conv)
    fast = fast_cpu._as(fast_cpu.GemmConvTranspose1d, conv)
    torch.testing.assert_close(fast(x), want)


@torch.no_grad()
@pytest.mark.parametrize('bias', [True, False])
@pytest.mark.parametrize('length', [9, 30])
@pytest.mark.parametrize(
    ('kernel', 'stride', 'dilation'), [(7, 1, 1), (3, 1, 2), (8, 4, 1), (1, 1, 1), (4, 2, 2)]
)
def test_convolution(kernel, stride, dilation, length, bias):
    torch.manual_seed(0)
    conv = nn.Conv1d(6, 5, kernel, stride, dilation=dilation, bias=bias)
    x = torch.randn(2, 6, length)
    want = conv(x)
    torch.testing.assert_close(fast_cpu._as(fast_cpu.GemmConv1d, conv)(x), want)


@pytest.mark.parametrize(
    'conv',
    [
        nn.ConvTranspose1d(4, 4, 5, 2),  # the kernel is no whole number of strides
        nn.ConvTranspose1d(4, 4, 4, 2, padding=1),
        nn.ConvTranspose1d(4, 8, 4, 2, groups=2),
        nn.ConvTranspose1d(4, 4, 4, 2, output_padding=1),
        nn.ConvTranspose1d(4, 4, 4, 2, dilation=2),
    ],
)
def test_other_transposed_convolutions_are_left_alone(conv):
    assert not fast_cpu._is_plain_transposed(conv)


def code_and_speak(mimi, frames: int = 12) -> tuple:
    """Streams noise through the encoder, and random codes through the decoder."""
    torch.manual_seed(1)
    sound = torch.randn(frames, 2, 1, 1920) * 0.1
    spoken = torch.randint(0, 256, (frames, 2, 8, 1))
    with torch.no_grad(), mimi.streaming(2):
        codes = torch.cat([mimi.encode(frame) for frame in sound], 2)
        speech = torch.cat([mimi.decode(frame) for frame in spoken], 2)
    return codes, speech


def test_the_codec_gives_the_same_codes_and_sound(checkpoint, calls):
    mimi = load_mimi(checkpoint)
    codes, speech = code_and_speak(mimi)
    keys = set(mimi.state_dict())
    assert calls
    fast_cpu.speed_up(mimi)
    calls.clear()
    fast_codes, fast_speech = code_and_speak(mimi)
    assert torch.equal(fast_codes, codes)
    torch.testing.assert_close(fast_speech, speech, atol=1e-6, rtol=1e-4)
    assert set(mimi.state_dict()) == keys
    long = 12 * 2 * 6  # of the layers near the sound, whose inputs are long
    assert 0 < len(calls) < 12 * 30 + long
    assert all(calls)


def test_eight_bits_in_the_decoder_change_the_sound_a_little(checkpoint):
    mimi = load_mimi(checkpoint)
    codes, speech = code_and_speak(mimi)
    fast_cpu.speed_up(mimi, int8_decoder=True)
    layers = [m for m in mimi.modules() if isinstance(m, fast_cpu.Int8Linear)]
    assert len(layers) == 2 * 4  # two layers of in, out, linear1, linear2
    fast_codes, fast_speech = code_and_speak(mimi)
    assert torch.equal(fast_codes, codes)  # the encoder is exact
    error = float((fast_speech - speech).norm() / speech.norm())
    assert 0 < error < 0.05
