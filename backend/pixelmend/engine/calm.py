"""Less flicker: what a network adds to a frame is averaged over time where the film stands still."""

from typing import Any, cast

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from pixelmend.imaging.canvas import Pixels

WEIGHT = 0.25
"""How much the new frame counts. Flicker of still areas falls to 0.6 of what it was (ADR 0025)."""
STILL_LEVELS = 6.0
"""A mean change above this many of 255 levels, from frame to frame, means that the place moves."""
AROUND_PX = 7


class Calm:
    """Averages the difference between the network's output and plain bicubic interpolation, which follows
    fades and noise of the film at once. Belongs to one thread; frames come in order.
    """

    def __init__(self, scale: int) -> None:
        self._scale = scale
        self._source: Pixels | None = None
        self._difference: NDArray[np.float32] | None = None

    def __call__(self, source: Pixels, output: Pixels) -> Pixels:
        """source: (H, W, 3). output: (H * scale, W * scale, 3), of the same dtype. Returns one like it."""
        before, self._source = self._source, source
        plain = _enlarged(source, self._scale).astype(np.float32)
        difference = output.astype(np.float32) - plain
        if before is not None and self._difference is not None:
            weight = _weight(before, source)
            weight = np.repeat(np.repeat(weight, self._scale, 0), self._scale, 1)[:, :, None]
            difference = self._difference + weight * (difference - self._difference)
        self._difference = difference
        result = np.rint(plain + difference).clip(0, np.iinfo(output.dtype).max)
        return cast("Pixels", result.astype(output.dtype))


def _weight(before: Pixels, source: Pixels) -> NDArray[np.float32]:
    """How much the new frame counts in the average, for each pixel of the source."""
    levels = np.iinfo(source.dtype).max / 255
    change = np.abs(source.astype(np.float32) - before.astype(np.float32)).mean(axis=2) / levels
    moves = _around(change) > STILL_LEVELS
    return np.where(moves, np.float32(1.0), np.float32(WEIGHT))


def _around(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of the square of AROUND_PX around each place, by sums of rows and columns."""
    reach = AROUND_PX // 2
    padded = np.pad(values, reach + 1, mode="edge").cumsum(axis=0, dtype=np.float64)
    rows = padded[AROUND_PX:] - padded[:-AROUND_PX]
    sums = rows.cumsum(axis=1)
    found = (sums[:, AROUND_PX:] - sums[:, :-AROUND_PX]) / AROUND_PX**2
    return cast("NDArray[np.float32]", found[: values.shape[0], : values.shape[1]].astype(np.float32))


def _enlarged(source: Pixels, scale: int) -> NDArray[Any]:
    name = "rgb24" if source.dtype == np.uint8 else "rgb48le"
    frame = VideoFrame.from_ndarray(cast("Any", np.ascontiguousarray(source)), format=name)
    height, width = source.shape[:2]
    large = frame.reformat(width * scale, height * scale, name, interpolation=Interpolation.BICUBIC)
    return large.to_ndarray()
