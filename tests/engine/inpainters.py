"""Small inpainting networks with the interfaces of the large ones."""

import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper
from torch import Tensor, nn

from pixelmend.core.errors import DeviceMemoryError
from pixelmend.engine.backends.network import NetworkOutput, Tiles, find_faults

ONNX_FILL = 77
"""The level that `save_onnx`'s network puts into the hole."""


def lama_state() -> dict[str, Tensor]:
    """LaMa's tensors, all of them zero, in one byte each: it fills with middle grey."""
    from spandrel.architectures.LaMa import LaMa

    return {name: torch.zeros(v.shape, dtype=torch.int8) for name, v in LaMa(in_nc=4).state_dict().items()}


class _Node(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x


def save_torchscript(path: Path, state: dict[str, Tensor]) -> None:
    """A program with those tensors, as LaMa is distributed: under `generator`, like its training had them."""
    root = _Node()
    for name, tensor in state.items():
        *parents, last = ("generator." + name.removeprefix("model.")).split(".")
        node: nn.Module = root
        for parent in parents:
            if parent not in dict(node.named_children()):
                node.add_module(parent, _Node())
            node = node.get_submodule(parent)
        node.register_buffer(last, tensor)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the format is old, and what others distribute
        torch.jit.script(root).save(str(path))  # type: ignore[no-untyped-call]


def save_onnx(path: Path, *, mask_name: str = "mask") -> None:
    """MI-GAN's interface: bytes, and a mask that is 0 where something is removed. Fills with ONNX_FILL."""
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, (1, 3, "h", "w"))
    mask = helper.make_tensor_value_info(mask_name, TensorProto.UINT8, (1, 1, "h", "w"))
    result = helper.make_tensor_value_info("result", TensorProto.UINT8, (1, 3, "h", "w"))
    level = helper.make_tensor("level", TensorProto.UINT8, (1,), [ONNX_FILL])
    half = helper.make_tensor("half", TensorProto.UINT8, (1,), [128])
    nodes = [
        helper.make_node("Less", [mask_name, "half"], ["removed"]),
        helper.make_node("Where", ["removed", "level", "image"], ["result"]),
    ]
    graph = helper.make_graph(nodes, "filler", [image, mask], [result], [level, half])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)


class MeanFiller:
    """Fills a hole with the mean of what is known; with `black`, fails as networks do in a bad precision.

    Has room for `room_px` at once, and remembers its calls.
    """

    scale = 1
    label = "float32 on a test"

    def __init__(self, room_px: int | None = None, *, black: bool = False) -> None:
        self._room_px = room_px
        self._black = black
        self.calls: list[tuple[int, ...]] = []

    def run(self, tiles: Tiles, grey: NDArray[np.bool_]) -> NetworkOutput:
        self.calls.append(tiles.shape[1:])
        if self._room_px is not None and tiles.shape[1] * tiles.shape[2] > self._room_px:
            raise DeviceMemoryError(f"{tiles.shape} does not fit")
        made = tiles[:, :, :, :3].copy()
        for picture, hole in zip(made, tiles[:, :, :, 3] > 0, strict=True):
            picture[hole] = np.rint(picture[~hole].mean(axis=0))
        if self._black:
            made[:] = 0
        return NetworkOutput(made, find_faults(tiles, made, made.sum(axis=(1, 2, 3), dtype=np.float64)))
