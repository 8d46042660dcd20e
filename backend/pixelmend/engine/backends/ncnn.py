"""A network that ncnn runs: on any GPU that has a Vulkan driver (docs/adr/0024-vulkan.md), and on the CPU in
float32, where Winograd's convolution needs fewer multiplications (docs/adr/0029-ncnn-on-the-cpu.md).
"""

import threading
from typing import TYPE_CHECKING, Any, cast

import ncnn
import numpy as np
from numpy.typing import NDArray

from pixelmend.core.errors import DeviceMemoryError, ModelUnusable
from pixelmend.engine.backends.memory_errors import first_line, translating_memory_errors
from pixelmend.engine.backends.ncnn_graph import NcnnGraph
from pixelmend.engine.backends.network import LUMA, NetworkOutput, Tiles, find_faults
from pixelmend.engine.devices.device import Device
from pixelmend.engine.devices.precision import Precision
from pixelmend.imaging.tile_rules import WidthCost

if TYPE_CHECKING:
    from pixelmend.engine.backends.ncnn_memory import VulkanAllocators


class NcnnNetwork:
    """A graph on a Vulkan device, in float32 or with values stored as float16, or on the CPU in float32. One
    tile at a time. threads: on the CPU.

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
        threads: int = 1,
    ) -> None:
        """precision: float32, or float16 on a GPU. Raises ModelUnusable if ncnn refuses the graph, and
        DeviceMemoryError.
        """
        self.device = device
        self.precision = precision
        self.scale = scale
        self._adds_input = adds_input
        self._unshuffle = unshuffle
        self._threads = threads
        self._pools = (ncnn.UnlockedPoolAllocator(), ncnn.PoolAllocator())
        self._vulkan = _allocators_of(device)
        self._turn = threading.Lock()
        self._graph = graph  # ncnn reads the weights from where they are
        with translating_memory_errors(device):
            self._net = self._load()

    @property
    def label(self) -> str:
        return f"{self.precision} on {self.device.name}"

    @property
    def width_cost(self) -> WidthCost:
        return WidthCost()  # not measured

    def run(self, tiles: Tiles, grey: NDArray[np.bool_]) -> NetworkOutput:
        with translating_memory_errors(self.device):
            return self._run(tiles, grey)

    def _run(self, tiles: Tiles, grey: NDArray[np.bool_]) -> NetworkOutput:
        scale = self.scale
        count, height, width, _ = tiles.shape
        pixels = cast("Tiles", np.empty((count, height * scale, width * scale, 3), tiles.dtype))
        sums = np.empty(count)
        for n, tile in enumerate(tiles):
            top = np.float32(np.iinfo(tile.dtype).max)
            unit = np.ascontiguousarray(tile.transpose(2, 0, 1), np.float32) / top
            output = self._compute(unit)
            if output.shape != (3, height * scale, width * scale):
                raise RuntimeError(f"ncnn gives {output.shape} for a tile of {width}x{height} px")
            sums[n] = output.sum(dtype=np.float64)
            if not np.isfinite(sums[n]):  # NaN has no integer; the tile is reported as faulty
                np.nan_to_num(output, copy=False, posinf=1, neginf=-1)
            if grey[n]:
                pixels[n] = self._grey(output, unit, top)[..., None]
            else:
                self._write(output, tile, pixels[n])
        return NetworkOutput(pixels, find_faults(tiles, pixels, sums))

    def _write(self, output: NDArray[np.float32], tile: NDArray[Any], pixels: NDArray[Any]) -> None:
        """The result of a tile into `pixels`. What is added to the input is added as an integer, which is
        exact and takes less time than float32 at the output's size.
        """
        height, width, _ = tile.shape
        top = np.float32(np.iinfo(tile.dtype).max)
        for channel, values in enumerate(output):
            np.rint(np.multiply(values, top, out=values), out=values)
            whole = values.clip(-top, top, out=values).astype(np.int32)
            if self._adds_input:
                blocks = whole.reshape(height, self.scale, width, self.scale)
                blocks += tile[:, None, :, None, channel]
            pixels[..., channel] = whole.clip(0, int(top), out=whole)

    def _grey(
        self, output: NDArray[np.float32], unit: NDArray[np.float32], top: np.float32
    ) -> NDArray[np.float32]:
        """The luma of a result, (H*scale, W*scale), as integers."""
        if self._adds_input:
            output += unit.repeat(self.scale, axis=1).repeat(self.scale, axis=2)
        luma = np.tensordot(np.asarray(LUMA, np.float32), output.clip(0, 1), 1)
        return cast("NDArray[np.float32]", np.rint(luma * top))

    def _compute(self, unit: NDArray[np.float32]) -> NDArray[np.float32]:
        """(3, H, W) to (3, H*scale, W*scale). Raises DeviceMemoryError."""
        with self._turn:
            try:
                return self._extract(unit)
            except MemoryError as error:
                reason = first_line(error)
            # The network is kept: a call changes nothing in it, and reading it again would take more memory.
            self._free()
            _, height, width = unit.shape
            raise DeviceMemoryError(
                f"{self.device.name}: a tile of {width}x{height} px does not fit (ncnn: {reason})"
            )

    def _extract(self, unit: NDArray[np.float32]) -> NDArray[np.float32]:
        """Raises MemoryError, whichever way ncnn says it."""
        # Cleared at the end, also if an error that refers to it is kept: its memory belongs to allocators.
        with self._net.create_extractor() as extractor:
            # A Mat of an array refers to its memory and does not keep it alive, so the array has to live
            # until it is copied.
            values = _unshuffled(unit, self._unshuffle)
            mat = ncnn.Mat(values).clone()
            if mat.empty():
                raise MemoryError("no memory for a copy of the input")
            extractor.input(self._graph.input, mat)
            code, output = extractor.extract(self._graph.output)
            if code != 0:
                raise MemoryError(str(code))
            if output.empty():  # without values; an array of it would be read from null
                raise MemoryError("no memory for a copy of the output")
            return np.array(output, np.float32)

    def release_memory(self) -> None:
        """On the CPU it keeps some 250 MB after a tile of 288x288 px, on a GPU what its largest tile took."""
        with self._turn:
            self._free()

    def _free(self) -> None:
        for pool in self._pools:
            pool.clear()
        if self._vulkan is not None:
            self._vulkan.clear()

    def _load(self) -> Any:
        """Raises MemoryError if there is no room for the weights."""
        net, graph = ncnn.Net(), self._graph
        half = self.precision == "float16"
        on_gpu = self._vulkan is not None
        if self._vulkan is None:
            net.opt.blob_allocator, net.opt.workspace_allocator = self._pools
        else:
            # ncnn does not say if there is no room for the weights; at least they and a copy are needed.
            self._vulkan.require(2 * len(graph.weights))
            self._vulkan.serve(net.opt)
        for option, value in {
            "use_vulkan_compute": on_gpu,
            "num_threads": self._threads,
            "use_fp16_packed": half,
            "use_fp16_storage": half,
            "use_fp16_arithmetic": False,
            "use_bf16_packed": False,
            "use_bf16_storage": False,
            # With values of 16 bits it costs 12 dB: 55.1 instead of 67.6 (docs/adr/0024-vulkan.md).
            "use_winograd_convolution": not half,
        }.items():
            setattr(net.opt, option, value)
        if on_gpu:
            net.set_vulkan_device(self.device.index)
        if net.load_param_mem(graph.param) != 0:
            raise ModelUnusable(f"ncnn does not take this network on {self.device.name}")
        net.load_model_mem(graph.weights)
        return net


def _allocators_of(device: Device) -> "VulkanAllocators | None":
    if device.type != "vulkan":
        return None
    from pixelmend.engine.backends.ncnn_memory import VulkanAllocators  # not every build of ncnn has them

    return VulkanAllocators(device.index)


def _unshuffled(unit: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """As PyTorch's pixel_unshuffle: (C, H, W) to (C*factor*factor, H/factor, W/factor)."""
    if factor == 1:
        return unit
    channels, height, width = unit.shape
    split = unit.reshape(channels, height // factor, factor, width // factor, factor)
    return np.ascontiguousarray(split.transpose(0, 2, 4, 1, 3).reshape(-1, height // factor, width // factor))
