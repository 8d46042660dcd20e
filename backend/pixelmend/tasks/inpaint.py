"""The task `inpaint`: what lies under a mask is removed, and the result is upscaled if that is asked for."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, Self

from pydantic import Field, model_validator

from pixelmend.core.errors import InvalidParameter
from pixelmend.core.geometry import Size
from pixelmend.imaging.mask_rules import MaskPolarity
from pixelmend.models.catalog import Catalog
from pixelmend.tasks.form import DefaultModels, SizeFields, TaskForm
from pixelmend.tasks.image import ImageReport
from pixelmend.tasks.options import (
    DEFAULT_FEATHER_PX,
    DEFAULT_GROW_PX,
    FILL,
    MAX_GROW_PX,
    ImageOptions,
    InpaintOptions,
)
from pixelmend.tasks.task import Task
from pixelmend.tasks.upscale import (
    UPSCALE_STEPS,
    check_upscale,
    upscale_factor,
    upscale_mark,
    upscale_options,
    upscaled_size,
)

_OF_THEN = ("upscale_model", *SizeFields.model_fields)


class InpaintForm(SizeFields, TaskForm):
    """The text fields of `POST /api/inpaint`, beside `file` and `mask`."""

    model: str | None = Field(None, description="That fills; a model id of `GET /api/models` for inpainting.")
    mask_grow: int = Field(
        DEFAULT_GROW_PX, ge=0, le=MAX_GROW_PX, description="How far beyond the mask is filled as well, px."
    )
    mask_feather: int | None = Field(
        None,
        ge=0,
        le=MAX_GROW_PX,
        description=f"The outermost part of that, fading into the image, px; default: {DEFAULT_FEATHER_PX}.",
    )
    mask_polarity: MaskPolarity = Field(
        MaskPolarity.AUTO,
        description="What of the mask is removed: what is white, transparent or opaque (a stroke on an empty "
        "canvas). auto looks at the mask.",
    )
    then: Literal["upscale"] | None = Field(
        None,
        description="Upscale the result as well, in the same job; scale, width, height, tile, denoise, "
        "detail and upscale_model belong to it.",
    )
    upscale_model: str | None = Field(None, description="With then=upscale, as in `POST /api/upscale`.")

    @model_validator(mode="after")
    def _only_with_then(self) -> Self:
        given = [name for name in _OF_THEN if getattr(self, name) is not None]
        if given and self.then is None:
            fields = ", ".join(f"{name}={_short(getattr(self, name))}" for name in given)
            raise ValueError(f"{fields} {'belong' if len(given) > 1 else 'belongs'} to then=upscale")
        return self

    def options(self, defaults: DefaultModels, negotiated: str) -> ImageOptions:
        model = self.model or defaults.inpaint
        return ImageOptions(
            upscale_options(self, self.upscale_model, defaults) if self.then else None,
            InpaintOptions.of(model, self.mask_grow, self.mask_feather, self.mask_polarity),
            format=self.format or negotiated,
            quality=self.quality,
            first_frame=self.first_frame,
        )


class InpaintTask(Task):
    name = "inpaint"
    summary = "Remove what is under a mask and answer the image"
    batch_summary = "Remove what is under masks from many images and answer a ZIP of them"
    result = "The image without it."
    cli_summary = "Remove what is under a mask"
    file_mark = "-mended"  # from before; files of that name are results and not sources
    form = InpaintForm
    takes_mask = True
    cli_names = MappingProxyType({"mask_grow": "grow", "mask_feather": "feather"})

    def steps(self, options: ImageOptions) -> tuple[str, ...]:
        then = () if options.upscale is None else UPSCALE_STEPS
        return ("decode", "mask", "inpaint", *then, "encode")

    def check(self, options: ImageOptions, catalog: Catalog) -> None:
        inpaint = options.inpaint
        assert inpaint is not None, "the form of this task always gives it"
        if inpaint.model != FILL:
            catalog.for_task(inpaint.model, "inpaint")
        if not 0 <= inpaint.feather_px <= inpaint.grow_px:
            raise InvalidParameter(
                f"mask_feather={inpaint.feather_px} px is a part of mask_grow={inpaint.grow_px} px "
                "and cannot be more"
            )
        check_upscale(options.upscale, catalog)

    def scale(self, options: ImageOptions, catalog: Catalog, known_scale: int | None) -> int:
        return upscale_factor(options.upscale, catalog, known_scale)

    def result_size(self, options: ImageOptions, source: Size, scale: int, max_pixels: int) -> Size:
        return upscaled_size(options.upscale, source, scale, max_pixels)

    def name_mark(self, options: ImageOptions, report: ImageReport) -> str:
        return f"-inpainted{upscale_mark(options.upscale, report)}"

    def headers(self, report: ImageReport) -> Mapping[str, str]:
        if report.inpainted_by is None:
            return {}
        told = f"{report.inpainted_by}; px={report.inpainted_px}"
        # The name of before stays for one version.
        return {"X-Pixelmend-Inpainted": told, "X-Pixelmend-Erased": told}


def _short(value: object) -> str:
    """A number as people write it: 2 and not 2.0."""
    return f"{value:g}" if isinstance(value, float) else str(value)
