"""Reads ncnn's two files of a network: a text of layers (`.param`), and weights (`.bin`) in its order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelmend.core.errors import ModelUnusable
from pixelmend.core.text import printable

MAGIC = "7767517"
MAX_PARAM_BYTES = 4 << 20
"""The text of RRDBNet's 999 layers takes 116,029 bytes."""

# ncnn writes HALF_TAG if float16 weights follow, padded to 4 bytes. A tag of 0 means float32.
HALF_TAG, INT8_TAG = 0x01306B47, 0x000D4B38

Weights = NDArray[np.float16] | NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Layer:
    """One line of the text. options: by ncnn's numbers of them; `-23300 - n` is a list."""

    kind: str
    options: Mapping[int, str]

    def number(self, key: int, default: int = 0) -> int:
        """Raises ValueError."""
        return int(self.options.get(key, default))

    def numbers(self, key: int) -> tuple[float, ...]:
        """The values of a list, without its length. Raises ValueError."""
        length, *values = self.options.get(-23300 - key, "0").split(",")
        if int(length) != len(values):
            raise ValueError(f"a list of {length} values has {len(values)}")
        return tuple(float(value) for value in values)


@dataclass(frozen=True, slots=True)
class WeightedLayer:
    """A layer with its tensors, as stored.

    weight: (outputs, inputs, 3, 3) of a convolution, (features,) of a PReLU. bias: (outputs,) float32 of a
    convolution.
    """

    layer: Layer
    weight: Weights
    bias: NDArray[np.float32] | None = None


def read_layers(param: str, name: str) -> tuple[Layer, ...]:
    """The layers, first to last. name: of the file, for errors. Raises ModelUnusable."""
    lines = param.splitlines()
    if not lines or lines[0].strip() != MAGIC:
        raise ModelUnusable(f"{name}: not a text of ncnn's layers, which begins with {MAGIC}")
    return tuple(_layer(line, name) for line in lines[2:] if line.strip())


def read_weights(layers: Sequence[Layer], content: bytes, name: str) -> list[WeightedLayer]:
    """The layers that have weights, with them. Raises ModelUnusable naming the layer that does not fit."""
    found: list[WeightedLayer] = []
    rest = _Bytes(content, name)
    for layer in layers:
        where = f"{layer.kind} {len(found)}"
        try:
            if layer.kind == "Convolution":
                found.append(_convolution(layer, rest, where))
            elif layer.kind == "PReLU":
                slopes = rest.take("<f4", layer.number(0), where)
                found.append(WeightedLayer(layer, slopes))
        except ValueError as error:
            raise ModelUnusable(f"{name}: {where} cannot be read: {error}") from error
    if rest.left:
        raise ModelUnusable(f"{name}: {rest.left} bytes are left after the last layer's weights")
    return found


def _layer(line: str, name: str) -> Layer:
    try:
        kind, _, inputs, outputs, *rest = line.split()
        pairs = (option.split("=", 1) for option in rest[int(inputs) + int(outputs) :])
        return Layer(kind, {int(key): value for key, value in pairs})
    except ValueError as error:
        raise ModelUnusable(f"{name}: this line is no layer: {printable(line[:80])!r}") from error


def _convolution(layer: Layer, rest: "_Bytes", where: str) -> WeightedLayer:
    outputs, side, count = layer.number(0), layer.number(1), layer.number(6)
    plain = (layer.number(11, side), layer.number(2, 1), layer.number(3, 1), layer.number(4), layer.number(5))
    if side != 3 or plain != (3, 1, 1, 1, 1):
        raise ValueError("it is not 3x3 with a bias, padded by 1")
    if outputs < 1 or count < 1 or count % (outputs * side**2):
        raise ValueError(f"{count} weights are not those of {outputs} outputs")
    (tag,) = rest.take("<u4", 1, where)
    if tag == INT8_TAG:
        raise ValueError("its weights are integers of 8 bits, which are not supported")
    if tag not in (0, HALF_TAG):
        raise ValueError(f"its weights have the unknown tag {tag:#010x}")
    weight = rest.take("<f2" if tag == HALF_TAG else "<f4", count, where)
    return WeightedLayer(layer, weight.reshape(outputs, -1, side, side), rest.take("<f4", outputs, where))


class _Bytes:
    """Bytes that are taken from the front. Nothing larger than them is made."""

    def __init__(self, content: bytes, name: str) -> None:
        self._content = content
        self._name = name
        self._offset = 0

    @property
    def left(self) -> int:
        return len(self._content) - self._offset

    def take(self, kind: str, count: int, where: str) -> Any:
        """`count` values, and the padding to 4 bytes after them. Raises ModelUnusable, ValueError."""
        dtype = np.dtype(kind)
        if count < 1:
            raise ValueError(f"it has {count} values")
        stored_bytes = -(-count * dtype.itemsize // 4) * 4
        if stored_bytes > self.left:
            raise ModelUnusable(
                f"{self._name}: the weights end at {len(self._content)} bytes, inside {where}"
            )
        values = np.frombuffer(self._content, dtype, count, self._offset)
        self._offset += stored_bytes
        return values
