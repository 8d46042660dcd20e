"""What a job would need, from the image's dimensions alone."""

from dataclasses import dataclass, replace

from pixelmend.imaging.formats import OutputFormat
from pixelmend.imaging.geometry import Size
from pixelmend.imaging.tile_rules import WidthCost
from pixelmend.imaging.tiling import TilePlan
from pixelmend.serving.admission import Admission, Picture
from pixelmend.serving.rates import Rates, Seconds
from pixelmend.tasks import ModelDescription

FULL_PRECISION = "float32"

_ENCODER_BYTES_PER_PX = {OutputFormat.WEBP: 8, OutputFormat.AVIF: 20}
"""Of encoders that hold the whole image (imaging/writers.py); the others hold some rows of it."""
_STREAMED_ROWS = 128
_BACKLOG_TILES = 8
"""Computed tiles that wait for the encoder, at most (engine/batcher.py)."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """size: of the result. plan and precision: None where the model was never opened, so that nobody knows
    how it likes its tiles. host_bytes: what the job adds to the worker's memory at its peak, None with
    `plan`. seconds: without waiting for others; None until a job of that model has been seen.
    """

    size: Size
    plan: TilePlan | None
    precision: str | None
    computed_px: int | None
    host_bytes: int | None
    seconds: Seconds | None


def estimate(
    picture: Picture, admission: Admission, model: ModelDescription | None, rates: Rates, tile_px: int
) -> Estimate:
    """tile_px: the service's own bound. Raises whatever the job would be refused for."""
    size = admission.size_for(picture)
    if model is None or model.tile_rules is None or model.precision is None:
        return Estimate(size, None, None, None, None, None)
    rules, precision = model.tile_rules, model.precision
    if picture.bits == 16:
        rules, precision = replace(rules, cost=WidthCost()), FULL_PRECISION
    options = admission.options
    plan = rules.plan(picture.size, tile_px, options.tile_px)
    # Transparency is a picture of its own to the network.
    computed_px = len(plan) * plan.tile.pixels * (2 if picture.has_alpha else 1)
    seconds = rates.predict(
        model=options.model,
        precision=precision,
        output_format=options.format,
        source_px=picture.size.pixels,
        computed_px=computed_px,
        result_px=size.pixels,
    )
    host_bytes = _host_bytes(picture, size, plan, admission.scale, options.format)
    return Estimate(size, plan, precision, computed_px, host_bytes, seconds)


def _host_bytes(picture: Picture, size: Size, plan: TilePlan, scale: int, output: OutputFormat) -> int:
    sample_bytes = picture.bits // 8
    pixel_bytes = picture.channels * sample_bytes
    decoded = picture.size.pixels * pixel_bytes
    if picture.has_alpha:
        decoded *= 2  # while colour is bled into what is transparent
    native_width = picture.size.width * scale
    # A row of tiles is stitched (in float where it is blended) while the one before it is encoded.
    strip_px = plan.tile.height * scale * native_width
    strips = strip_px * (pixel_bytes + (4 * picture.channels if plan.blend_px else pixel_bytes))
    backlog = min(_BACKLOG_TILES, len(plan)) * plan.tile.pixels * scale**2 * 3 * sample_bytes
    held = _ENCODER_BYTES_PER_PX.get(output)
    encoder = size.pixels * held if held else _STREAMED_ROWS * max(size.width, native_width) * pixel_bytes
    return decoded + strips + backlog + encoder
