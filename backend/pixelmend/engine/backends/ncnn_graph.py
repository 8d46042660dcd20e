"""Writes networks as ncnn has them: the text of layers and the weights that belong to it.

The layers are those of the networks as upstream defines them: SRVGGNetCompact (Wang et al. 2021) and RRDBNet
(Wang et al. 2018).
"""

import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixelmend.models.ncnn import MAGIC
from pixelmend.models.ncnn_state import DENSE_BLOCKS, DENSE_CONVOLUTIONS, LEAKY_SLOPE, RESIDUAL_SCALE

Floats = NDArray[np.float32]

INPUT, OUTPUT = "data", "output"
_LEAKY = f" 9=2 -23310=1,{LEAKY_SLOPE:e}"


@dataclass(frozen=True, slots=True)
class Convolution:
    """A 3x3 convolution that keeps the size. weight: (outputs, inputs, 3, 3), bias: (outputs,)."""

    weight: Floats
    bias: Floats


@dataclass(frozen=True, slots=True)
class NcnnGraph:
    """param: the text. weights: in its order, float32. input: (channels, H, W) in [0, 1]."""

    param: str
    weights: bytes
    input: str = INPUT
    output: str = OUTPUT


def compact_graph(convolutions: Sequence[Convolution], slopes: Sequence[Floats], scale: int) -> NcnnGraph:
    """What a Compact network adds to its input upscaled by nearest neighbour, (3, H*scale, W*scale).

    slopes: of the PReLU after each convolution but the last. The sum is left to the caller, who has float32.
    """
    writer = _Writer()
    blob = INPUT
    for convolution, slope in zip(convolutions[:-1], slopes, strict=True):
        blob = writer.convolution(convolution, blob)
        blob = writer.prelu(slope, blob)
    blob = writer.convolution(convolutions[-1], blob)
    writer.layer("PixelShuffle", [blob], f"0={scale}", OUTPUT)
    return writer.graph()


def rrdb_graph(convolutions: Sequence[Convolution], doublings: int) -> NcnnGraph:
    """An RRDBNet. convolutions: in the order of computing. doublings: of the pixels, each side."""
    per_block = DENSE_BLOCKS * DENSE_CONVOLUTIONS
    blocks = (len(convolutions) - doublings) // per_block
    first, *body = convolutions[: 1 + blocks * per_block]
    conv_body, *doubled, high, last = convolutions[1 + blocks * per_block :]
    writer = _Writer()
    blob = shallow = writer.convolution(first, INPUT)
    for block in range(blocks):
        entry = blob
        for dense in range(DENSE_BLOCKS):
            start = block * per_block + dense * DENSE_CONVOLUTIONS
            blob = _dense_block(writer, body[start : start + DENSE_CONVOLUTIONS], blob)
        blob = writer.scaled_sum(blob, entry)
    blob = writer.layer("BinaryOp", [writer.convolution(conv_body, blob), shallow], "0=0")
    for convolution in doubled:
        blob = writer.layer("Interp", [blob], "0=1 1=2.0 2=2.0")
        blob = writer.convolution(convolution, blob, _LEAKY)
    blob = writer.convolution(high, blob, _LEAKY)
    writer.convolution(last, blob, output=OUTPUT)
    return writer.graph()


def _dense_block(writer: "_Writer", convolutions: Sequence[Convolution], entry: str) -> str:
    seen = [entry]
    for convolution in convolutions[:-1]:
        together = seen[0] if len(seen) == 1 else writer.layer("Concat", seen)
        seen.append(writer.convolution(convolution, together, _LEAKY))
    return writer.scaled_sum(writer.convolution(convolutions[-1], writer.layer("Concat", seen)), entry)


class _Writer:
    """Collects layers. A blob may be used several times: ncnn's own copies of it are added at the end."""

    def __init__(self) -> None:
        self._layers: list[tuple[str, list[str], str, str]] = [("Input", [], INPUT, "")]
        self._weights: list[bytes] = []

    def layer(self, kind: str, inputs: Sequence[str], options: str = "", output: str | None = None) -> str:
        output = output or f"b{len(self._layers)}"
        self._layers.append((kind, list(inputs), output, options))
        return output

    def convolution(
        self, convolution: Convolution, blob: str, activation: str = "", output: str | None = None
    ) -> str:
        weight = convolution.weight
        self._weights += [struct.pack("<I", 0), _bytes(weight), _bytes(convolution.bias)]
        options = f"0={len(weight)} 1=3 4=1 5=1 6={weight.size}{activation}"
        return self.layer("Convolution", [blob], options, output)

    def prelu(self, slope: Floats, blob: str) -> str:
        self._weights.append(_bytes(slope))
        return self.layer("PReLU", [blob], f"0={len(slope)}")

    def scaled_sum(self, blob: str, other: str) -> str:
        return self.layer("Eltwise", [blob, other], f"0=1 -23301=2,{RESIDUAL_SCALE:e},1.0")

    def graph(self) -> NcnnGraph:
        uses = Counter(blob for _, inputs, _, _ in self._layers for blob in inputs)
        used: Counter[str] = Counter()
        lines, blobs = [], 0

        def one_of(blob: str) -> str:
            if uses[blob] < 2:
                return blob
            used[blob] += 1
            return f"{blob}_{used[blob]}"

        for index, (kind, inputs, output, options) in enumerate(self._layers):
            names = [one_of(blob) for blob in inputs]
            lines.append(f"{kind} l{index} {len(names)} 1 {' '.join([*names, output])} {options}".rstrip())
            blobs += 1
            if uses[output] > 1:
                copies = " ".join(f"{output}_{n + 1}" for n in range(uses[output]))
                lines.append(f"Split s{index} 1 {uses[output]} {output} {copies}")
                blobs += uses[output]
        return NcnnGraph("\n".join([MAGIC, f"{len(lines)} {blobs}", *lines, ""]), b"".join(self._weights))


def _bytes(values: Floats) -> bytes:
    return np.ascontiguousarray(values, "<f4").tobytes()
