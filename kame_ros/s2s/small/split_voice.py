"""Cuts the voice hibari in two: text to inner features, and inner features to spectra.

The features between the halves are what kame-small's codes stand for (see `units`). Nothing of the
voice is redistributed or kept: the installed model is verified, then cut in memory in some ms. An
ONNX file is a Protocol Buffers message; a few lines are enough to leave nodes out of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kame_ros.runtime import weights

FEATURES = '/Concat_43_output_0'  # float32[1, 130, F], F decoder frames of 80 Hz
DURATIONS = '/Clip_output_0'  # of each id, in units of two decoder frames
SPECTRA = ('lh', 'theta', 'ln', 'lr', 'phi')  # each float32[1, 601, F]
INPUTS = ('ids', 'speed')  # int64[1, L], float32[1]

# Numbers of the fields in onnx/onnx.proto.
_GRAPH = 7  # of a model
_NODE, _INITIALIZER, _INPUT, _OUTPUT, _VALUE_INFO = 1, 5, 11, 12, 13  # of a graph
_NODE_INPUT, _NODE_OUTPUT = 1, 2  # of a node
_VALUE_NAME, _TENSOR_NAME = 1, 8
_FLOAT = 1  # a type of elements
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # how a field is written


@dataclass(frozen=True)
class VoiceHalves:
    """The two networks as the bytes of ONNX files.

    `front`: INPUTS to FEATURES and DURATIONS. `decoder`: FEATURES to SPECTRA.
    """

    front: bytes
    decoder: bytes


def split_voice() -> VoiceHalves:
    """The halves of the installed voice. Raises MissingWeights or CorruptWeights."""
    model = (weights.find('hibari', 'tts') / 'hibari.onnx').read_bytes()
    features = _value(FEATURES, (1, 130, 0))
    return VoiceHalves(
        front=cut(model, (), (_value(FEATURES, (1, 130, 0)), _value(DURATIONS, ()))),
        decoder=cut(model, (features,), tuple(_value(name, (1, 601, 0)) for name in SPECTRA)),
    )


def cut(model: bytes, inputs: Sequence[bytes], outputs: Sequence[bytes]) -> bytes:
    """The part of an ONNX model that makes `outputs` of `inputs` (ValueInfoProto messages).

    Without `inputs` those of the model are kept. Raises ValueError if an output is not in it.
    """
    fields = list(_fields(model))
    graph = next(value for number, _, value in fields if number == _GRAPH)
    part = _cut_graph(graph, inputs, outputs)
    return b''.join(_field(n, kind, part if n == _GRAPH else value) for n, kind, value in fields)


def _cut_graph(graph: bytes, inputs: Sequence[bytes], outputs: Sequence[bytes]) -> bytes:
    fields = list(_fields(graph))
    given = {_text(info, _VALUE_NAME) for info in inputs}
    kept, used = _needed(fields, given, [_text(info, _VALUE_NAME) for info in outputs])
    parts = []
    for i, (number, kind, value) in enumerate(fields):
        if number == _INITIALIZER and _text(value, _TENSOR_NAME) not in used:
            continue
        if number in (_OUTPUT, _VALUE_INFO) or (number == _NODE and i not in kept):
            continue
        if number == _INPUT and inputs:
            continue
        parts.append(_field(number, kind, value))
    parts += [_field(_INPUT, _BYTES, info) for info in inputs]
    return b''.join(parts + [_field(_OUTPUT, _BYTES, info) for info in outputs])


def _needed(
    fields: list[tuple[int, int, bytes]], given: set[str], wanted: list[str]
) -> tuple[set[int], set[str]]:
    """Which fields are nodes that `wanted` needs, and the names that those nodes use."""
    nodes = {
        i: list(_fields(value)) for i, (number, _, value) in enumerate(fields) if number == _NODE
    }
    makers = {
        value.decode(): i
        for i, node in nodes.items()
        for number, _, value in node
        if number == _NODE_OUTPUT
    }
    if missing := [name for name in wanted if name not in makers]:
        raise ValueError(f'the voice has no inner value {missing[0]}: it is another model')
    kept: set[int] = set()
    used: set[str] = set()
    while wanted:
        name = wanted.pop()
        used.add(name)
        node = makers.get(name)
        if name in given or node is None or node in kept:
            continue
        kept.add(node)
        wanted += [value.decode() for number, _, value in nodes[node] if number == _NODE_INPUT]
    return kept, used


def _value(name: str, shape: tuple[int, ...]) -> bytes:
    """A ValueInfoProto of float32; a size of 0 is one that varies, no shape is any shape."""
    sizes = b''.join(
        _field(1, _BYTES, _field(1, _VARINT, _varint(size)) if size else _field(2, _BYTES, b'F'))
        for size in shape
    )
    tensor = _field(1, _VARINT, _varint(_FLOAT)) + (_field(2, _BYTES, sizes) if shape else b'')
    return _field(_VALUE_NAME, _BYTES, name.encode()) + _field(2, _BYTES, _field(1, _BYTES, tensor))


def _text(message: bytes, number: int) -> str:
    """The text in one field of a message; empty if it has none."""
    return next((value.decode() for n, _, value in _fields(message) if n == number), '')


def _fields(message: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Each field: its number, how it is written, its value as written but without the length."""
    at = 0
    while at < len(message):
        key, at = _read_varint(message, at)
        number, kind = key >> 3, key & 7
        start = at
        if kind == _VARINT:
            _, at = _read_varint(message, at)
        elif kind == _BYTES:
            size, start = _read_varint(message, at)
            at = start + size
        elif kind in (_FIXED32, _FIXED64):
            at += 4 if kind == _FIXED32 else 8
        else:
            raise ValueError('the voice is not an ONNX model')
        yield number, kind, message[start:at]


def _field(number: int, kind: int, value: bytes) -> bytes:
    size = _varint(len(value)) if kind == _BYTES else b''
    return _varint(number << 3 | kind) + size + value


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    """A number in groups of seven bits, the lowest first, and where the next field goes on."""
    number = shift = 0
    while message[at] & 0x80:
        number |= (message[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return number | message[at] << shift, at + 1


def _varint(number: int) -> bytes:
    groups = bytearray()
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(groups + bytearray([number]))
