"""All that can be refused of a task before anything is decoded."""

from pathlib import Path

from pixelmend.config import Settings
from pixelmend.imaging.formats import OutputSpec, check_encodable
from pixelmend.imaging.geometry import Size
from pixelmend.imaging.probe import InputLimits, probe
from pixelmend.models.catalog import Catalog
from pixelmend.tasks import UpscaleOptions

UNKNOWN_SCALE_GUESS = 4
"""Where a dropped-in model was not read yet; the worker checks the real size."""


def expected_size(
    path: Path, options: UpscaleOptions, settings: Settings, catalog: Catalog, known_scale: int | None = None
) -> Size:
    """The size of the result for the image at `path`, which is probed and not decoded.

    known_scale: the model's, where a worker has read it. Raises what the model, the image, its size, the
    target and the output format may be refused for.
    """
    entry = catalog.upscaler(options.model)
    if options.denoise is not None:
        catalog.denoise_partner(options.model)
    limits = InputLimits(settings.max_input_pixels, settings.max_input_side_px)
    info = probe(path, limits, first_frame=options.first_frame)
    scale = entry.scale or known_scale or UNKNOWN_SCALE_GUESS
    size = options.target.size_for(info.oriented_size, scale, settings.max_output_pixels)
    channels = (1 if info.grey else 3) + info.has_alpha
    check_encodable(OutputSpec(options.format, size, channels, info.bits, options.quality))
    return size
