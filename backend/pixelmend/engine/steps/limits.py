"""The operator's limits on the work of a pipeline."""

from dataclasses import dataclass

from pixelmend.imaging.probe import InputLimits


@dataclass(frozen=True, slots=True)
class PipelineLimits:
    """tile_px: the longest edge of a tile. threads: of one encoder, and of filling holes."""

    input: InputLimits
    max_output_pixels: int
    tile_px: int
    batch_tiles: int
    max_in_flight: int
    threads: int
