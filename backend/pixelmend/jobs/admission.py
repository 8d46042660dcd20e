"""All that can be refused of a task before anything is decoded."""

from dataclasses import dataclass
from pathlib import Path

from pixelmend.core.config import Settings
from pixelmend.core.errors import PixelmendError
from pixelmend.core.geometry import Size
from pixelmend.imaging.formats import Format, FormatRegistry, OutputSpec, check_encodable
from pixelmend.imaging.margin import with_margin
from pixelmend.imaging.mask_rules import about_the_mask, check_same_shape
from pixelmend.imaging.probe import InputLimits, check_size, input_limits, probe
from pixelmend.imaging.tiling import check_tile
from pixelmend.jobs.submission import versions_of
from pixelmend.models.catalog import Catalog
from pixelmend.models.description import ModelDescription
from pixelmend.models.tile_demands import least_tile_px
from pixelmend.tasks.options import ImageOptions
from pixelmend.tasks.task import Task
from pixelmend.video.header import VideoHeader


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What an image's header says, or a caller who has not sent the image yet. `size` is upright."""

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

    versions: of the models' files. scale: 1 if nothing is upscaled. least_tile_px: that its network is known
    to need if an image is cut.
    """

    task: Task
    options: ImageOptions
    versions: str
    scale: int
    least_tile_px: int
    limits: InputLimits
    max_output_pixels: int

    @classmethod
    def of(
        cls,
        task: Task,
        options: ImageOptions,
        settings: Settings,
        catalog: Catalog,
        known: ModelDescription | None = None,
        formats: FormatRegistry | None = None,
    ) -> "Admission":
        """known: what a worker has read of the model, if it has. formats: None for the built-in ones.

        Raises what the options and their models may be refused for.
        """
        task.check(options, catalog)
        admission = cls(
            task,
            options,
            versions_of(options, catalog),
            task.scale(options, catalog, known.scale if known else None),
            _least_tile_px(options, catalog, known),
            input_limits(settings, formats),
            settings.max_output_pixels,
        )
        task.output(options.format, admission.limits.formats.outputs)
        return admission

    @property
    def output_format(self) -> Format:
        """Raises InvalidParameter."""
        return self.task.output(self.options.format, self.limits.formats.outputs)

    @property
    def steps(self) -> tuple[str, ...]:
        return self.task.steps(self.options)

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
        return self.size_for(ImageHeader(info.oriented_size, info.grey, info.has_alpha, info.bits))

    def size_for(self, header: ImageHeader) -> Size:
        """The same for an image of which only that much is known."""
        check_size(header.size, self.limits)
        self._check_tile(header.size)
        size = self.task.result_size(self.options, header.size, self.scale, self.max_output_pixels)
        spec = OutputSpec(self.output_format, size, header.channels, header.bits, self.options.quality)
        check_encodable(spec)
        return size

    def film_size_for(self, header: VideoHeader) -> Size:
        """The size of the result's frames, as shown. Raises what the target or the tiles are refused for."""
        self._check_tile(header.size)
        return self.task.result_size(self.options, header.shown_size, self.scale, self.max_output_pixels)

    def _check_tile(self, size: Size) -> None:
        """Here, so that a model need not be opened for a refusal."""
        upscale = self.options.upscale
        if upscale is None or upscale.tile_px is None:
            return
        read = with_margin(size, upscale.margin_px)
        # An image that fits into a tile is not cut.
        if max(read.width, read.height) > upscale.tile_px:
            check_tile(upscale.tile_px, self.least_tile_px)


def _least_tile_px(options: ImageOptions, catalog: Catalog, known: ModelDescription | None) -> int:
    if options.upscale is None:
        return 1
    entry = catalog.get(options.upscale.model)
    return least_tile_px(entry.architecture or (known.architecture if known else None), entry.overlap_px)
