"""What a caller may choose for an image. Plain values, which cross the processes and are kept with a job."""

from dataclasses import dataclass, field

from pydantic import JsonValue

from pixelmend.imaging.formats import PNG
from pixelmend.imaging.margin import EDGE_MARGIN_PX
from pixelmend.imaging.mask_rules import MaskPolarity
from pixelmend.imaging.target import Target
from pixelmend.models.dials import Dials

FILL = "pixelmend-fill"
"""What inpaints without a network: imaging/inpainting. It is always there."""

DEFAULT_GROW_PX, DEFAULT_FEATHER_PX, MAX_GROW_PX = 4, 2, 256
"""Masks follow what they hide closely; its shadow and blur reach a little farther."""


@dataclass(frozen=True, slots=True)
class UpscaleOptions:
    """How an image is upscaled. None means the default of the model or of the service.

    tile_px: the largest edge of a tile, in input pixels. denoise, detail: in [0, 1]. margin_px: how far the
    image is continued by its mirror before it is computed; 0 only to get what other programs get.
    """

    model: str
    target: Target = field(default_factory=Target)
    tile_px: int | None = None
    denoise: float | None = None
    margin_px: int = EDGE_MARGIN_PX
    detail: float | None = None

    @property
    def dials(self) -> Dials:
        return Dials(self.denoise, self.detail)


@dataclass(frozen=True, slots=True)
class InpaintOptions:
    """How what lies under a mask is removed. model: FILL, or a model for inpainting.

    grow_px: how far beyond the mask is filled as well. feather_px: the outermost part of that, in which the
    filling fades into the image; at most grow_px.
    """

    model: str
    grow_px: int
    feather_px: int
    mask_polarity: MaskPolarity = MaskPolarity.AUTO

    @classmethod
    def of(
        cls,
        model: str,
        grow_px: int,
        feather_px: int | None = None,
        mask_polarity: MaskPolarity = MaskPolarity.AUTO,
    ) -> "InpaintOptions":
        """feather_px: None for the default, as far as it fits."""
        feather_px = min(DEFAULT_FEATHER_PX, grow_px) if feather_px is None else feather_px
        return cls(model, grow_px, feather_px, mask_polarity)


@dataclass(frozen=True, slots=True)
class ImageOptions:
    """What is done with an image, in this order: `inpaint`, then `upscale`, each if it is given.

    format: the name of one that is written. quality: None for its default. first_frame: take the first one
    of several frames or pages. parameters: what other tasks take.
    """

    upscale: UpscaleOptions | None = None
    inpaint: InpaintOptions | None = None
    format: str = PNG.name
    quality: int | None = None
    first_frame: bool = False
    parameters: dict[str, JsonValue] = field(default_factory=dict)

    @property
    def models(self) -> tuple[str, ...]:
        """The ids of the models that take part; the one that a report names comes first."""
        given = [part.model for part in (self.upscale, self.inpaint) if part is not None]
        return tuple(dict.fromkeys(given))

    @property
    def main_model(self) -> str:
        """Empty for a task that takes no model."""
        return next(iter(self.models), "")
