"""Small networks as ncnn has them, made by the tests."""

import struct

import numpy as np
from numpy.typing import NDArray

from pixelmend.models.ncnn import HALF_TAG

FEATURES, GROWTH = 8, 32  # spandrel knows no other growth
ACTIVATION = " 9=2 -23310=1,0.2"


def rrdb(tag: int = HALF_TAG) -> tuple[str, bytes, dict[str, NDArray[np.float32]]]:
    """An RRDBNet of one block: its text, its weights as bytes, and the weights by PyTorch's names."""
    rng = np.random.default_rng(0)
    lines, content, state = ["7767517", "3 3", "Input in 0 1 data"], b"", {}

    def convolution(name: str, outputs: int, inputs: int, active: bool) -> None:
        nonlocal content
        weight = (rng.standard_normal((outputs, inputs, 3, 3)) * 0.1).astype("<f2" if tag else "<f4")
        bias = rng.standard_normal(outputs).astype("<f4")
        activation = ACTIVATION if active else ""
        lines.append(f"Convolution {name} 1 1 a b 0={outputs} 1=3 4=1 5=1 6={weight.size}{activation}")
        content += struct.pack("<I", tag) + weight.tobytes() + b"\0" * (-weight.nbytes % 4) + bias.tobytes()
        state[f"{name}.weight"], state[f"{name}.bias"] = weight, bias

    convolution("conv_first", FEATURES, 3, active=False)
    for dense in (1, 2, 3):
        for index in range(1, 5):
            convolution(
                f"body.0.rdb{dense}.conv{index}", GROWTH, FEATURES + GROWTH * (index - 1), active=True
            )
            lines.append("Concat cat 2 1 a b c")
        convolution(f"body.0.rdb{dense}.conv5", FEATURES, FEATURES + 4 * GROWTH, active=False)
        lines.append("Eltwise sum 2 1 a b c 0=1 -23301=2,0.2,1.0")
    convolution("conv_body", FEATURES, FEATURES, active=False)
    lines.append("BinaryOp sum 2 1 a b c")
    for name in ("conv_up1", "conv_up2"):
        lines.append("Interp twice 1 1 a b 0=1 1=2.0 2=2.0")
        convolution(name, FEATURES, FEATURES, active=True)
    convolution("conv_hr", FEATURES, FEATURES, active=True)
    convolution("conv_last", 3, FEATURES, active=False)
    return "\n".join(lines) + "\n", content, state


def compact(scale: int = 2, hidden: int = 1) -> tuple[str, bytes, dict[str, NDArray[np.float32]]]:
    """The same of a Compact network."""
    rng = np.random.default_rng(1)
    lines = ["7767517", "3 3", "Input in 0 1 data", "Split split 1 2 data a b"]
    content, state, inputs = b"", {}, 3
    for index in range(hidden + 2):
        outputs = 3 * scale**2 if index == hidden + 1 else FEATURES
        weight = (rng.standard_normal((outputs, inputs, 3, 3)) * 0.1).astype("<f2")
        bias = np.full(outputs, index, "<f4")
        lines.append(f"Convolution c 1 1 a b 0={outputs} 1=3 4=1 5=1 6={weight.size}")
        content += struct.pack("<I", HALF_TAG) + weight.tobytes() + b"\0" * (-weight.nbytes % 4)
        content += bias.tobytes()
        state[f"body.{2 * index}.weight"], state[f"body.{2 * index}.bias"] = weight, bias
        inputs = outputs
        if index <= hidden:
            slopes = rng.uniform(0, 0.3, FEATURES).astype("<f4")
            lines.append(f"PReLU p 1 1 a b 0={FEATURES}")
            content += slopes.tobytes()
            state[f"body.{2 * index + 1}.weight"] = slopes
    lines += [
        f"PixelShuffle s 1 1 a b 0={scale}",
        f"Interp i 1 1 a b 0=1 1={scale}.0 2={scale}.0",
        "BinaryOp sum 2 1 a b output",
    ]
    return "\n".join(lines) + "\n", content, state
