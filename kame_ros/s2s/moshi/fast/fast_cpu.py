"""A faster Mimi on a CPU: its convolutions as matrix products.

At batch 1 torch computes the codec's transposed convolutions with a slow general routine: oneDNN
passes over inputs of a few steps. One matrix product and a shifted sum give the same numbers but
for float rounding.
"""

from __future__ import annotations

from typing import Any, TypeVar

from torch import Tensor, nn

from kame_ros.s2s.moshi.fast.linear import Int8CpuLinear
from kame_ros.s2s.moshi.weights.upstream import MimiModel

Layer = TypeVar('Layer', bound=nn.Module)
LONG = 64  # steps of input from which torch's own convolution is at least as fast


class GemmConvTranspose1d(nn.ConvTranspose1d):
    """`ConvTranspose1d` whose kernel is a whole number of strides, for short inputs [B, C, T]."""

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        """Gives [B, out, (T - 1) * stride + kernel]."""
        batch, _, length = input.shape
        if output_size is not None or length > LONG:
            return super().forward(input, output_size)
        stride, overlap = self.stride[0], self.kernel_size[0] // self.stride[0]
        if self.groups == 1:
            parts = self.weight.flatten(1).t() @ input  # [B, out * kernel, T]
        else:  # one input and one output for each group
            parts = self.weight.flatten(1)[:, :, None] * input[:, :, None]
        parts = parts.view(batch, self.out_channels, overlap, stride, length)
        out = parts.new_zeros(batch, self.out_channels, length + overlap - 1, stride)
        for shift in range(overlap):
            out[:, :, shift : shift + length] += parts[:, :, shift].transpose(2, 3)
        out = out.flatten(2)
        return out if self.bias is None else out + self.bias[:, None]


class GemmConv1d(nn.Conv1d):
    """`Conv1d` without padding, for short inputs [B, C, T]."""

    def forward(self, input: Tensor) -> Tensor:
        """Gives [B, out, (T - dilated kernel) / stride + 1]."""
        kernel, stride, dilation = self.kernel_size[0], self.stride[0], self.dilation[0]
        reach = dilation * (kernel - 1) + 1
        length = (input.shape[-1] - reach) // stride + 1
        if length > LONG:
            return super().forward(input)
        windows = input.unfold(-1, reach, stride)[..., ::dilation]  # [B, C, T, kernel]
        columns = windows.transpose(2, 3).reshape(len(input), -1, length)
        out = self.weight.flatten(1) @ columns
        return out if self.bias is None else out + self.bias[:, None]


class Int8Linear(nn.Linear):
    """A `Linear` whose products are taken in 8 bits; its float weights stay for who looks."""

    packed: Int8CpuLinear

    def forward(self, input: Tensor) -> Tensor:
        """Gives [..., out]."""
        return self.packed(input.reshape(-1, input.shape[-1])).view(*input.shape[:-1], -1)


def speed_up(mimi: MimiModel, int8_decoder: bool = False) -> None:
    """Changes the layers of a codec on a CPU for faster ones with the same weights.

    `int8_decoder` also takes 8-bit products in the decoder's transformer: half its time, for a
    slightly different sound. The encoder stays exact: its codes are what the model hears.
    """
    for module in list(mimi.modules()):
        for name, child in list(module.named_children()):
            if type(child) is nn.ConvTranspose1d and _is_plain_transposed(child):
                setattr(module, name, _as(GemmConvTranspose1d, child))
            elif type(child) is nn.Conv1d and _is_plain(child):
                setattr(module, name, _as(GemmConv1d, child))
    if int8_decoder and mimi.decoder_transformer is not None:
        for module in list(mimi.decoder_transformer.modules()):
            for name, child in list(module.named_children()):
                if type(child) is nn.Linear and child.bias is None:
                    fast = _as(Int8Linear, child)
                    fast.packed = Int8CpuLinear(child.weight)
                    setattr(module, name, fast)


def _as(kind: type[Layer], layer: nn.Module) -> Layer:
    """A layer of another class that shares everything with `layer`."""
    fast: Layer = object.__new__(kind)
    fast.__dict__ = layer.__dict__
    return fast


def _is_plain(conv: nn.Conv1d | nn.ConvTranspose1d) -> bool:
    return conv.groups == 1 and conv.padding == (0,) and conv.padding_mode == 'zeros'


def _is_plain_transposed(conv: nn.ConvTranspose1d) -> bool:
    depthwise = conv.groups == conv.in_channels == conv.out_channels
    return (
        (conv.groups == 1 or depthwise)
        and conv.padding == conv.output_padding == (0,)
        and conv.dilation == (1,)
        and conv.kernel_size[0] % conv.stride[0] == 0
    )
