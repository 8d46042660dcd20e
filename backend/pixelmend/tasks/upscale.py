"""The task `upscale`."""

import math
from typing import Annotated

from pydantic import Field

from pixelmend.core.geometry import Size
from pixelmend.imaging.target import Target
from pixelmend.models.catalog import Catalog
from pixelmend.tasks.form import DefaultModels, SizeFields, TaskForm
from pixelmend.tasks.image import ImageReport
from pixelmend.tasks.options import ImageOptions, UpscaleOptions
from pixelmend.tasks.task import Task

UNKNOWN_SCALE_GUESS = 4
"""For a dropped-in model that was not read yet; the worker checks the real size."""

UPSCALE_STEPS = ("plan", "tiles")


class UpscaleForm(SizeFields, TaskForm):
    """The text fields of `POST /api/upscale`, beside `file`."""

    model: Annotated[
        str | None,
        Field(
            description="A model id of `GET /api/models`; the default depends on whether scale is above 2."
        ),
    ] = None

    def options(self, defaults: DefaultModels, negotiated: str) -> ImageOptions:
        return ImageOptions(
            upscale_options(self, self.model, defaults),
            format=self.format or negotiated,
            quality=self.quality,
            first_frame=self.first_frame,
        )


def upscale_options(form: SizeFields, model: str | None, defaults: DefaultModels) -> UpscaleOptions:
    """model: None for the default."""
    return UpscaleOptions(
        model or defaults.upscaler(form.scale, form.dials),
        Target(form.scale, form.width, form.height, covers=form.fit == "cover"),
        form.tile,
        form.denoise,
        detail=form.detail,
    )


class UpscaleTask(Task):
    name = "upscale"
    summary = "Upscale an image and answer it"
    batch_summary = "Upscale many images and answer a ZIP of them"
    result = "The upscaled image."
    cli_summary = "Upscale images on this machine or by a service"
    file_mark = "-upscaled"
    form = UpscaleForm

    def steps(self, options: ImageOptions) -> tuple[str, ...]:
        return ("decode", *UPSCALE_STEPS, "encode")

    def check(self, options: ImageOptions, catalog: Catalog) -> None:
        check_upscale(options.upscale, catalog)

    def scale(self, options: ImageOptions, catalog: Catalog, known_scale: int | None) -> int:
        return upscale_factor(options.upscale, catalog, known_scale)

    def result_size(self, options: ImageOptions, source: Size, scale: int, max_pixels: int) -> Size:
        return upscaled_size(options.upscale, source, scale, max_pixels)

    def name_mark(self, options: ImageOptions, report: ImageReport) -> str:
        return upscale_mark(options.upscale, report)


# --- what other tasks that upscale as well share; nothing is done for `upscale=None` ------------------------


def check_upscale(upscale: UpscaleOptions | None, catalog: Catalog) -> None:
    """Raises what the model may be refused for."""
    if upscale is not None:
        catalog.for_task(upscale.model, "upscale")
        catalog.partners(upscale.model, upscale.dials)


def upscale_factor(upscale: UpscaleOptions | None, catalog: Catalog, known_scale: int | None) -> int:
    if upscale is None:
        return 1
    return catalog.get(upscale.model).scale or known_scale or UNKNOWN_SCALE_GUESS


def upscaled_size(upscale: UpscaleOptions | None, source: Size, scale: int, max_pixels: int) -> Size:
    target = Target() if upscale is None else upscale.target
    return target.size_for(source, scale, max_pixels)


def upscale_mark(upscale: UpscaleOptions | None, report: ImageReport) -> str:
    """`-x4` for a whole factor, `-1600x1200` for a size."""
    if upscale is None:
        return ""
    target = upscale.target
    factor = target.scale
    if factor is None and target.width_px is None and target.height_px is None:
        whole = math.sqrt(report.width_px * report.height_px / (report.source_px or math.inf))
        factor = whole if whole and whole == round(whole) else None
    return f"-{report.width_px}x{report.height_px}" if factor is None else f"-x{factor:g}"
