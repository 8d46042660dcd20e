"""One network on one device in one precision: batches of integer tiles in, integer tiles out."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from pixelmend.engine.device import Device, cpu_device
from pixelmend.engine.loader import LoadedModel
from pixelmend.engine.precision import MIN_PSNR_DB, Precision, preferred_precision, psnr_db, torch_dtype
from pixelmend.errors import DeviceMemoryError

Tiles = NDArray[np.uint8] | NDArray[np.uint16]
"""(N, H, W, 3), full range of the dtype."""

# ITU-R BT.601 luma, which OpenCV and hence the reference implementation use for grey.
_LUMA = (0.299, 0.587, 0.114)

FLAT_INPUT_RANGE = 32 / 255
"""An input whose 4x4 means differ by at least this and that comes out flat has collapsed. Fainter detail and
single bright pixels may well be noise, which a denoising network is right to remove."""
FLAT_OUTPUT_RANGE = 1 / 255

_MEMORY_SIGNS = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")
"""CUDA and Metal; the CPU's allocator on Linux and Windows; cuDNN and cuBLAS."""


@dataclass(frozen=True, slots=True)
class NetworkOutput:
    """`pixels`: (N, H*scale, W*scale, 3), dtype of the input. `faults[i]` says what is wrong with item i."""

    pixels: Tiles
    faults: tuple[str | None, ...]


class TileNetwork(Protocol):
    """What the rest of the engine needs of a network; tests bring small ones of their own."""

    @property
    def scale(self) -> int: ...

    @property
    def label(self) -> str:
        """Where and how it computes, as "float16 on NVIDIA H200"."""
        ...

    def run(self, tiles: Tiles, grey: NDArray[np.bool_]) -> NetworkOutput:
        """Upscale a batch.

        tiles: (N, H, W, 3) uint8 or uint16. grey: (N,), items whose three channels are one plane; their
        output channels are equal too. Raises DeviceMemoryError.
        """
        ...


class TorchNetwork:
    """A spandrel network moved to `device` in `precision`, channels_last."""

    def __init__(self, model: LoadedModel, device: Device, precision: Precision) -> None:
        self.device = device
        self.precision = precision
        self.scale = model.scale
        self._dtype = torch_dtype(precision)
        self._extremes: list[tuple[Tensor, Tensor]] = []
        with _translating_memory_errors(device):
            # A copy: the caller keeps its FP32 original for other precisions and devices.
            self._descriptor = copy.deepcopy(model.descriptor).to(
                torch.device(device.torch_name), self._dtype
            )
            self._descriptor.model.to(memory_format=torch.channels_last)
        self._descriptor.model.register_forward_hook(self._note_extremes)

    @property
    def label(self) -> str:
        return f"{self.precision} on {self.device.name}"

    def run(self, tiles: Tiles, grey: NDArray[np.bool_]) -> NetworkOutput:
        with torch.inference_mode(), _translating_memory_errors(self.device):
            top = float(np.iinfo(tiles.dtype).max)
            # Few operations know uint16, and none of them on every device.
            plain = tiles if tiles.dtype == np.uint8 else tiles.astype(np.int32)
            source = torch.from_numpy(plain).to(self.device.torch_name)
            # NHWC memory seen as NCHW is already channels_last.
            unit = source.to(torch.float32).permute(0, 3, 1, 2) / top
            self._extremes.clear()
            output = self._descriptor(unit.to(self._dtype)).float()
            raw_low, raw_high = self._extremes[-1] if self._extremes else _extremes(output)
            if grey.any():
                output = _grey_to_luma(output, torch.from_numpy(grey).to(output.device))
            scaled = (output * top).round_().permute(0, 2, 3, 1)
            target = torch.uint8 if tiles.dtype == np.uint8 else torch.int32
            pixels: NDArray[Any] = scaled.nan_to_num_().to(target).contiguous().cpu().numpy()
            faults = _faults(raw_low.cpu(), raw_high.cpu(), _input_range(unit).cpu())
        return NetworkOutput(cast("Tiles", pixels.astype(tiles.dtype, copy=False)), faults)

    def _note_extremes(self, _: nn.Module, __: Any, output: Any) -> None:
        """Before spandrel clamps, which would turn infinity into white."""
        raw = output[0] if isinstance(output, tuple) else output
        self._extremes.append(_extremes(raw))


def open_network(
    model: LoadedModel, device: Device, requested: Precision | None
) -> tuple[TorchNetwork, str | None]:
    """The model on `device` in the requested or the fastest sound precision.

    A probe tile is run and compared with FP32 on the CPU; a precision that the device gets wrong is given up
    for FP32, then the device for the CPU. Returns the network and a note saying what was given up, if
    anything. Raises DeviceMemoryError.
    """
    wanted = requested or preferred_precision(
        device, allows_half=model.allows_half, allows_bfloat16=model.allows_bfloat16
    )
    reference = TorchNetwork(model, cpu_device(), "float32")
    if device.type == "cpu" and wanted == "float32":
        return reference, None
    probe = _probe_tile(model)
    truth = reference.run(probe, np.zeros(1, np.bool_)).pixels
    attempts: list[tuple[Device, Precision]] = [(device, wanted), (device, "float32")]
    failures = []
    for where, precision in dict.fromkeys(attempts):
        if where.type == "cpu" and precision == "float32":
            break
        try:
            network = TorchNetwork(model, where, precision)
            result = network.run(probe, np.zeros(1, np.bool_))
        except RuntimeError as error:  # an operation the device lacks
            failures.append(f"{precision} on {where.name} fails: {_first_line(error)}")
            continue
        closeness_db = psnr_db(torch.from_numpy(result.pixels) / 255, torch.from_numpy(truth) / 255)
        if result.faults[0] is None and closeness_db >= MIN_PSNR_DB:
            return network, "; ".join([*failures, f"using {precision}"]) if failures else None
        failures.append(
            f"{precision} on {where.name} computes wrong values ({closeness_db:.0f} dB from FP32, "
            f"{MIN_PSNR_DB:.0f} dB is needed)"
        )
    return reference, "; ".join([*failures, "using float32 on the CPU"])


def _extremes(output: Tensor) -> tuple[Tensor, Tensor]:
    """Least and greatest value of each item and channel, (N, C) each; NaN where there is any."""
    flat = output.detach().flatten(2).float()
    return flat.amin(dim=2), flat.amax(dim=2)


def _input_range(unit: Tensor) -> Tensor:
    """How much each item varies, (N,): the greatest range of 4x4 means in any channel."""
    kernel = (min(4, unit.shape[2]), min(4, unit.shape[3]))
    means = functional.avg_pool2d(unit, kernel).flatten(2)
    return (means.amax(dim=2) - means.amin(dim=2)).amax(dim=1)


def _probe_tile(model: LoadedModel) -> Tiles:
    """A seeded tile with smooth and sharp parts, (1, H, W, 3) uint8."""
    side = -(-max(32, model.minimum_px) // model.multiple_of) * model.multiple_of
    ramp = np.linspace(0, 255, side)
    smooth = np.stack(
        [
            np.add.outer(ramp, ramp) / 2,
            np.subtract.outer(ramp, ramp) / 2 + 127,
            255 - np.add.outer(ramp, ramp) / 2,
        ],
        -1,
    )
    noise = np.random.default_rng(0).uniform(-40, 40, smooth.shape)
    tile = smooth + np.where(np.add.outer(np.arange(side), np.arange(side))[:, :, None] // 8 % 2, noise, 0)
    return tile.clip(0, 255).astype(np.uint8)[None]


def _grey_to_luma(output: Tensor, grey: Tensor) -> Tensor:
    weights = torch.tensor(_LUMA, dtype=output.dtype, device=output.device).view(1, 3, 1, 1)
    luma = (output * weights).sum(dim=1, keepdim=True).expand_as(output)
    return torch.where(grey.view(-1, 1, 1, 1), luma, output)


def _faults(low: Tensor, high: Tensor, in_range: Tensor) -> tuple[str | None, ...]:
    finite = (torch.isfinite(low) & torch.isfinite(high)).all(dim=1)
    # What ends up visible lies in [0, 1]; a spread outside it is flat white or flat black all the same.
    spread = (high.clamp(0, 1) - low.clamp(0, 1)).amax(dim=1)
    collapsed = (spread < FLAT_OUTPUT_RANGE) & (in_range >= FLAT_INPUT_RANGE)
    return tuple(
        "not finite" if not f else "collapsed to a flat value" if c else None
        for f, c in zip(finite.tolist(), collapsed.tolist(), strict=True)
    )


@contextmanager
def _translating_memory_errors(device: Device) -> Iterator[None]:
    """Turn every device's way of saying "out of memory" into DeviceMemoryError."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:  # torch.OutOfMemoryError is a RuntimeError
        text = _first_line(error)
        if not isinstance(error, (torch.OutOfMemoryError, MemoryError)) and not any(
            sign in str(error).lower() for sign in _MEMORY_SIGNS
        ):
            raise
        if device.type == "cuda":
            torch.cuda.empty_cache()
        raise DeviceMemoryError(f"{device.name}: {text}") from error


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
