"""The interface of a network on any device, and the check of its output."""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pixelmend.engine.devices.device import Device
from pixelmend.engine.devices.precision import Precision
from pixelmend.imaging.tile_rules import WidthCost

Tiles = NDArray[np.uint8] | NDArray[np.uint16]
"""(N, H, W, 3), full range of the dtype; for a network that inpaints (N, H, W, 4), whose last channel is
full in pixels to be removed and 0 in the others."""

LUMA = (0.299, 0.587, 0.114)
"""ITU-R BT.601, which OpenCV and hence the reference implementation use for grey."""

FLAT_INPUT_RANGE = 32 / 255
"""If the 4x4 means of an input differ by at least this and its output is flat, the output has collapsed.
Fainter detail and single bright pixels may be noise, which a denoising network is right to remove."""
FLAT_OUTPUT_RANGE = 1 / 255
"""One step of 8 bits: rounding alone can make this difference in a flat value."""


@dataclass(frozen=True, slots=True)
class NetworkOutput:
    """`pixels`: (N, H*scale, W*scale, 3), dtype of the input. `faults[i]` says what is wrong with item i."""

    pixels: Tiles
    faults: tuple[str | None, ...]


class TileNetwork(Protocol):
    """What the rest of the engine needs of a network. Tests have small ones of their own."""

    @property
    def scale(self) -> int: ...

    @property
    def label(self) -> str:
        """Its precision and device, such as "float16 on NVIDIA H200"."""
        ...

    def run(self, tiles: Tiles, grey: NDArray[np.bool_]) -> NetworkOutput:
        """Upscale a batch. Called by several threads, each with tiles of its own.

        tiles: uint8 or uint16. grey: (N,), items whose three channels are one plane; their
        output channels are equal too. Raises DeviceMemoryError.
        """
        ...


class DeviceNetwork(TileNetwork, Protocol):
    """A network that says on which device and in which precision it computes."""

    @property
    def device(self) -> Device: ...

    @property
    def precision(self) -> Precision: ...

    @property
    def width_cost(self) -> WidthCost: ...


@runtime_checkable
class KeepsMemory(Protocol):
    """A network that keeps the memory of its last tiles for the next ones."""

    def release_memory(self) -> None:
        """Free what no computation uses. From any thread; the next tile takes longer."""
        ...


def find_faults(tiles: Tiles, pixels: Tiles, sums: NDArray[Any]) -> tuple[str | None, ...]:
    """What is wrong with each item of an output.

    tiles, pixels: the network's input and output. sums: (N,), the sum of all values of an output item before
    they were clamped and rounded: NaN or infinite if any of them is, which the pixels do not show.
    """
    return tuple(
        "not finite"
        if not np.isfinite(total)
        else "collapsed to a flat value"
        if _is_flat(output) and _coarse_range(tile) >= FLAT_INPUT_RANGE
        else None
        for tile, output, total in zip(tiles, pixels, sums, strict=True)
    )


def _is_flat(pixels: NDArray[Any]) -> bool:
    """Whether no channel of (H, W, 3) varies by more than FLAT_OUTPUT_RANGE."""
    # A few pixels decide for nearly every image; all are compared only if those are flat.
    return all(
        (some.max(axis=(0, 1)) - some.min(axis=(0, 1))).max() <= FLAT_OUTPUT_RANGE * np.iinfo(some.dtype).max
        for some in (pixels[::16, ::16], pixels)
    )


def _coarse_range(tile: NDArray[Any]) -> float:
    """How much a tile (H, W, 3 or more) varies: the greatest range of 4x4 means in any channel, in [0, 1]."""
    rows, columns = min(4, tile.shape[0]), min(4, tile.shape[1])
    whole = tile[: len(tile) // rows * rows, : tile.shape[1] // columns * columns, :3]
    cells = whole.reshape(len(whole) // rows, rows, whole.shape[1] // columns, columns, 3)
    means = cells.mean(axis=(1, 3), dtype=np.float64).reshape(-1, 3)
    return float((means.max(axis=0) - means.min(axis=0)).max()) / float(np.iinfo(tile.dtype).max)
