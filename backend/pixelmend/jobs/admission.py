"""All that can be refused of a task before anything is decoded."""

from dataclasses import dataclass
from pathlib import Path

from pixelmend.core.config import Settings
from pixelmend.core.errors import InvalidParameter, PixelmendError
from pixelmend.core.geometry import Size
from pixelmend.imaging.formats import OutputSpec, check_encodable
from pixelmend.imaging.mask import about_the_mask, check_same_shape
from pixelmend.imaging.probe import InputLimits, check_size, input_limits, probe
from pixelmend.jobs.submission import versions_of
from pixelmend.models.catalog import Catalog
from pixelmend.tasks.image import FILL, ImageOptions, InpaintOptions

UNKNOWN_SCALE_GUESS = 4
"""Where a dropped-in model was not read yet; the worker checks the real size."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What an image's header tells, or somebody who has not sent the image yet. `size` is upright."""

    size: Size
    grey: bool = False
    has_alpha: bool = False
    bits: int = 8

    @property
    def channels(self) -> int:
        return (1 if self.grey else 3) + self.has_alpha


@dataclass(frozen=True, slots=True)
class Admission:
    """Options that were checked as far as they go without an image, for any number of images.

    versions: of the models' files. scale: 1 where nothing is enlarged.
    """

    options: ImageOptions
    versions: str
    scale: int
    limits: InputLimits
    max_output_pixels: int

    @classmethod
    def of(
        cls, options: ImageOptions, settings: Settings, catalog: Catalog, known_scale: int | None = None
    ) -> "Admission":
        """known_scale: the model's, where a worker has read it. Raises what the models may be refused for."""
        scale = 1
        if options.inpaint is not None:
            _check_inpaint(options.inpaint, catalog)
        if options.upscale:
            entry = catalog.for_task(options.model, "upscale")
            if options.denoise is not None:
                catalog.denoise_partner(options.model)
            scale = entry.scale or known_scale or UNKNOWN_SCALE_GUESS
        return cls(
            options,
            versions_of(options, catalog),
            scale,
            input_limits(settings),
            settings.max_output_pixels,
        )

    def size_of(self, path: Path, mask_path: Path | None = None) -> Size:
        """The size of the result for the image at `path`; it and its mask are probed and not decoded.

        Raises what the image, its mask, its size, the target and the output format may be refused for.
        """
        info = probe(path, self.limits, first_frame=self.options.first_frame)
        if mask_path is not None:
            try:
                mask = probe(mask_path, self.limits, first_frame=True)
                check_same_shape(mask.oriented_size, info.oriented_size)
            except PixelmendError as error:
                raise about_the_mask(error) from error
        return self.size_for(Picture(info.oriented_size, info.grey, info.has_alpha, info.bits))

    def size_for(self, picture: Picture) -> Size:
        """The same for an image of which only that much is known."""
        check_size(picture.size, self.limits)
        size = self.options.target.size_for(picture.size, self.scale, self.max_output_pixels)
        spec = OutputSpec(self.options.format, size, picture.channels, picture.bits, self.options.quality)
        check_encodable(spec)
        return size


def _check_inpaint(inpaint: InpaintOptions, catalog: Catalog) -> None:
    if inpaint.model != FILL:
        catalog.for_task(inpaint.model, "inpaint")
    if not 0 <= inpaint.feather_px <= inpaint.grow_px:
        raise InvalidParameter(
            f"mask_feather={inpaint.feather_px} px is a part of mask_grow={inpaint.grow_px} px "
            "and cannot be more"
        )
