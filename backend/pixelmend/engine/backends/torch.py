"""A network that PyTorch runs: on CUDA and MPS, and on the CPU if OpenVINO cannot run it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pixelmend.core.errors import DeviceMemoryError
from pixelmend.engine.backends.memory_errors import translating_memory_errors
from pixelmend.engine.backends.network import LUMA, NetworkOutput, Tiles, find_faults
from pixelmend.engine.devices.device import Device
from pixelmend.engine.devices.precision import Precision
from pixelmend.engine.weights.architecture import LoadedModel
from pixelmend.imaging.tile_rules import WidthCost


class TorchNetwork:
    """`model` moved to `device` in `precision`, channels_last.

    On CUDA every calling thread has a stream of its own and copies through pinned memory, so that with two
    threads one batch is copied while the other is computed.
    """

    def __init__(self, model: LoadedModel, device: Device, precision: Precision) -> None:
        self.device = device
        self.precision = precision
        self.scale = model.scale
        self._streams = CudaStreams(device)
        with _on(device):
            self._network = model.architecture.network.module().to(
                torch.device(device.torch_name), torch_dtype(precision)
            )
            # Module.to(memory_format=...) fails for parameters of five dimensions.
            for parameter in self._network.parameters():
                if parameter.dim() == 4:
                    parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)

    @property
    def label(self) -> str:
        return f"{self.precision} on {self.device.name}"

    @property
    def width_cost(self) -> WidthCost:
        return WidthCost()  # not measured

    def run(self, tiles: Tiles, grey: NDArray[np.bool_]) -> NetworkOutput:
        with torch.inference_mode(), _on(self.device), self._streams.own():
            top = float(np.iinfo(tiles.dtype).max)
            # Few operations support uint16, and none of them on every device.
            plain = tiles if tiles.dtype == np.uint8 else tiles.astype(np.int32)
            source = self._streams.upload(torch.from_numpy(np.ascontiguousarray(plain)))
            # NHWC memory seen as NCHW is already channels_last.
            output = self._network(source.to(torch.float32).permute(0, 3, 1, 2) / top).float()
            sums = output.sum(dim=(1, 2, 3))  # before the clamp, because that turns infinity into white
            output = output.clamp(0, 1)
            if grey.any():
                output = _grey_to_luma(output, torch.from_numpy(grey).to(output.device))
            scaled = (output * top).round_().permute(0, 2, 3, 1)
            target = torch.uint8 if tiles.dtype == np.uint8 else torch.int32
            # NaN has no integer; such a tile is reported as faulty below.
            whole, totals = self._streams.download(scaled.nan_to_num_().to(target).contiguous(), sums)
        pixels = cast("Tiles", whole.astype(tiles.dtype, copy=False))
        return NetworkOutput(pixels, find_faults(tiles, pixels, totals))


class CudaStreams:
    """A stream for each thread, whose copies do not block other threads. Plain on other devices."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._by_thread = threading.local()

    @contextmanager
    def own(self) -> Iterator[None]:
        """Work on the calling thread's stream."""
        if self._device.type != "cuda":
            yield
            return
        if not hasattr(self._by_thread, "stream"):
            self._by_thread.stream = torch.cuda.Stream(self._device.torch_name)  # type: ignore[no-untyped-call]
        with torch.cuda.stream(self._by_thread.stream):
            yield

    def upload(self, tensor: Tensor) -> Tensor:
        if self._device.type != "cuda":
            return tensor.to(self._device.torch_name)
        return tensor.pin_memory().to(self._device.torch_name, non_blocking=True)

    def download(self, *tensors: Tensor) -> tuple[NDArray[Any], ...]:
        """The tensors' values. Waits for the thread's own stream and for no other."""
        if self._device.type != "cuda":
            return tuple(tensor.cpu().numpy() for tensor in tensors)
        pinned = [torch.empty_like(tensor, device="cpu", pin_memory=True) for tensor in tensors]
        for here, there in zip(pinned, tensors, strict=True):
            here.copy_(there, non_blocking=True)
        torch.cuda.current_stream(self._device.torch_name).synchronize()
        return tuple(tensor.numpy() for tensor in pinned)


def _grey_to_luma(output: Tensor, grey: Tensor) -> Tensor:
    weights = torch.tensor(LUMA, dtype=output.dtype, device=output.device).view(1, 3, 1, 1)
    luma = (output * weights).sum(dim=1, keepdim=True).expand_as(output)
    return torch.where(grey.view(-1, 1, 1, 1), luma, output)


@contextmanager
def _on(device: Device) -> Iterator[None]:
    """Raises DeviceMemoryError for whatever the device calls so, after what CUDA keeps was given back."""
    try:
        with translating_memory_errors(device):
            yield
    except DeviceMemoryError:
        if device.type == "cuda":
            torch.cuda.empty_cache()
        raise


def torch_dtype(precision: Precision) -> torch.dtype:
    return {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}[precision]


def configure_torch(threads: int) -> None:
    """threads: for one operation; the number of physical cores, since hyper-threads slow each other down."""
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    # Tiles of one plan have one shape, so the search for the fastest kernel pays once per shape.
    torch.backends.cudnn.benchmark = True
    # cuDNN would otherwise round "float32" convolutions to TF32's 10 bits, which bands 16-bit images.
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
