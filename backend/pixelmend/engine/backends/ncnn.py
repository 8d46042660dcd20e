"""A network that ncnn runs on any GPU that has a Vulkan driver: AMD, Intel, NVIDIA without CUDA."""

import threading
from typing import Any, cast

import ncnn
import numpy as np
from numpy.typing import NDArray

from pixelmend.core.errors import DeviceMemoryError, ModelUnusable
from pixelmend.engine.backends.ncnn_graph import INPUT, OUTPUT, NcnnGraph
from pixelmend.engine.backends.network import LUMA, NetworkOutput, Tiles, find_faults
from pixelmend.engine.devices.device import Device
from pixelmend.engine.devices.precision import Precision
from pixelmend.imaging.tile_rules import WidthCost


class NcnnNetwork:
    """A graph on a Vulkan device, in float32 or with values stored as float16. One tile at a time.

    adds_input: the graph gives what is added to its input upscaled by nearest neighbour; the sum is made
    here, in float32. unshuffle: the graph takes the input with so many pixels a side as channels of one.
    """

    def __init__(
        self,
        graph: NcnnGraph,
        device: Device,
        precision: Precision,
        scale: int,
        *,
        adds_input: bool,
        unshuffle: int = 1,
    ) -> None:
        """precision: float32 or float16. Raises ModelUnusable if ncnn refuses the graph."""
        self.device = device
        self.precision = precision
        self.scale = scale
        self._adds_input = adds_input
        self._unshuffle = unshuffle
        self._turn = threading.Lock()
        self._graph = graph  # ncnn reads the weights from where they are
        self._net = self._load(graph)

    @property
    def label(self) -> str:
        return f"{self.precision} on {self.device.name}"

    @property
    def width_cost(self) -> WidthCost:
        return WidthCost()  # not measured

    def run(self, tiles: Tiles, grey: NDArray[np.bool_]) -> NetworkOutput:
        top = float(np.iinfo(tiles.dtype).max)
        outputs, sums = [], []
        for tile, is_grey in zip(tiles, grey, strict=True):
            unit = np.ascontiguousarray(tile.transpose(2, 0, 1), np.float32) / np.float32(top)
            output = self._compute(unit)
            if self._adds_input:
                output += unit.repeat(self.scale, axis=1).repeat(self.scale, axis=2)
            sums.append(output.sum(dtype=np.float64))
            output = output.clip(0, 1)
            if is_grey:
                output[:] = np.tensordot(np.asarray(LUMA, np.float32), output, 1)
            # NaN has no integer; such a tile is reported as faulty.
            outputs.append(np.nan_to_num(np.rint(output * np.float32(top))).astype(tiles.dtype))
        pixels = cast("Tiles", np.ascontiguousarray(np.stack(outputs).transpose(0, 2, 3, 1)))
        return NetworkOutput(pixels, find_faults(tiles, pixels, np.array(sums)))

    def _compute(self, unit: NDArray[np.float32]) -> NDArray[np.float32]:
        """(3, H, W) to (3, H*scale, W*scale)."""
        with self._turn:
            try:
                extractor = self._net.create_extractor()
                # A copy, because a Mat of an array refers to memory that ncnn does not keep alive.
                extractor.input(INPUT, ncnn.Mat(_unshuffled(unit, self._unshuffle)).clone())
                code, output = extractor.extract(OUTPUT)
            except MemoryError:  # ncnn's std::bad_alloc, after an allocation of Vulkan's that failed
                code, output = -100, None
            if code != 0:
                self._net = self._load(self._graph)  # what a failed allocation leaves cannot be trusted
                _, height, width = unit.shape
                raise DeviceMemoryError(
                    f"{self.device.name}: a tile of {width}x{height} px does not fit (ncnn: {code})"
                )
            return np.array(output, np.float32)

    def _load(self, graph: NcnnGraph) -> Any:
        net = ncnn.Net()
        half = self.precision == "float16"
        for option, value in {
            "use_vulkan_compute": True,
            "num_threads": 1,
            "use_fp16_packed": half,
            "use_fp16_storage": half,
            "use_fp16_arithmetic": False,
            "use_bf16_packed": False,
            "use_bf16_storage": False,
            # With values of 16 bits it costs 12 dB: 55.1 instead of 67.6 (docs/adr/0024-vulkan.md).
            "use_winograd_convolution": not half,
        }.items():
            setattr(net.opt, option, value)
        net.set_vulkan_device(self.device.index)
        if net.load_param_mem(graph.param) != 0:
            raise ModelUnusable(f"ncnn does not take this network on {self.device.name}")
        net.load_model_mem(graph.weights)
        return net


def _unshuffled(unit: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """As PyTorch's pixel_unshuffle: (C, H, W) to (C*factor*factor, H/factor, W/factor)."""
    if factor == 1:
        return unit
    channels, height, width = unit.shape
    split = unit.reshape(channels, height // factor, factor, width // factor, factor)
    return np.ascontiguousarray(split.transpose(0, 2, 4, 1, 3).reshape(-1, height // factor, width // factor))
