"""What a job would need, from the image's dimensions alone."""

from dataclasses import dataclass, replace

from pixelmend.core.geometry import Size
from pixelmend.imaging.formats import Format
from pixelmend.imaging.tile_rules import WidthCost
from pixelmend.imaging.tiling import TilePlan
from pixelmend.jobs.admission import Admission, ImageHeader
from pixelmend.jobs.throughput import Seconds, ThroughputEstimator
from pixelmend.models.description import ExecutionProfile, ModelDescription

FULL_PRECISION = "float32"

_STREAMED_ROWS = 128
_BACKLOG_TILES = 8
"""Computed tiles that wait for the encoder, at most (engine/tile_scheduler.py)."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """size: of the result. plan and precision: None if the model was never opened, so that its tiles are not
    known. device_bytes: the model and what it computes at once, None until that was
    measured. host_bytes: what the job adds to the worker's memory at most, None with `plan`. seconds: without
    waiting for others; None until the model's speed is known.
    """

    size: Size
    plan: TilePlan | None
    precision: str | None
    computed_px: int | None
    device_bytes: int | None
    host_bytes: int | None
    seconds: Seconds | None

    def for_frames(self, frames: int) -> "Estimate":
        """What a film of such frames would need if all of their tiles change. Frames are decoded and encoded
        beside the device's work.
        """
        seconds = self.seconds and Seconds(0.0, self.seconds.device * frames, 0.0)
        computed_px = None if self.computed_px is None else self.computed_px * frames
        return replace(self, computed_px=computed_px, seconds=seconds)


def estimate(
    header: ImageHeader,
    admission: Admission,
    model: ModelDescription | None,
    throughput: ThroughputEstimator,
    *,
    tile_px: int,
    batch_tiles: int,
) -> Estimate:
    """tile_px, batch_tiles: the service's own bounds. Raises whatever the job would be refused for."""
    size = admission.size_for(header)
    if model is None or model.execution_profile is None:
        return Estimate(size, None, None, None, None, None, None)
    profile = model.execution_profile
    if header.bits == 16 and profile.precision != FULL_PRECISION:
        profile = ExecutionProfile(FULL_PRECISION, replace(profile.tile_rules, cost=WidthCost()))
    options = admission.options
    upscale = options.upscale
    assert upscale is not None, "only what upscales has tiles"
    plan = profile.tile_rules.plan(upscale.target.part_of(header.size).size, tile_px, upscale.tile_px)
    # Transparency is a header of its own to the network.
    planes = 2 if header.has_alpha else 1
    computed_px = len(plan) * plan.tile.pixels * planes
    seconds = throughput.job_seconds(
        model=upscale.model,
        precision=profile.precision,
        output_format=options.format,
        source_px=header.size.pixels,
        computed_px=computed_px,
        result_px=size.pixels,
        first_guess=profile.seconds_per_px,
    )
    host_bytes = _host_bytes(header, size, plan, admission.scale, admission.output_format)
    device_bytes = None
    learned = model.weights_bytes is not None and model.bytes_per_tile_px is not None
    if learned and model.precision == profile.precision:
        at_once_px = min(batch_tiles, len(plan)) * planes * plan.tile.pixels
        device_bytes = (model.weights_bytes or 0) + round((model.bytes_per_tile_px or 0.0) * at_once_px)
    return Estimate(size, plan, profile.precision, computed_px, device_bytes, host_bytes, seconds)


def _host_bytes(header: ImageHeader, size: Size, plan: TilePlan, scale: int, output: Format) -> int:
    sample_bytes = header.bits // 8
    pixel_bytes = header.channels * sample_bytes
    decoded = header.size.pixels * pixel_bytes
    if header.has_alpha:
        decoded *= 2  # while colour is bled into what is transparent
    native_width = header.size.width * scale
    # A row of tiles is stitched (in float if it is blended) while the one before it is encoded.
    strip_px = plan.tile.height * scale * native_width
    strips = strip_px * (pixel_bytes + (4 * header.channels if plan.blend_px else pixel_bytes))
    backlog = min(_BACKLOG_TILES, len(plan)) * plan.tile.pixels * scale**2 * 3 * sample_bytes
    held = output.writing.peak_bytes_per_px if output.writing else 0
    encoder = size.pixels * held if held else _STREAMED_ROWS * max(size.width, native_width) * pixel_bytes
    return decoded + strips + backlog + encoder
