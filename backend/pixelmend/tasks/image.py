"""What is asked of an engine worker and what it reports: plain values, shared by both sides of the pipe."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

from pydantic import PlainSerializer, PlainValidator

from pixelmend.imaging.formats import OutputFormat
from pixelmend.imaging.mask import MaskPolarity
from pixelmend.imaging.target import Target

FILL = "pixelmend-fill"
"""What removes things without a network: imaging/inpainting. It is always there."""


DEFAULT_GROW_PX, DEFAULT_FEATHER_PX, MAX_GROW_PX = 4, 2, 256
"""Masks follow what they hide closely; its shadow and blur reach a little farther."""


@dataclass(frozen=True, slots=True)
class InpaintOptions:
    """How what lies under a mask is removed. model: FILL, or a model for inpainting.

    grow_px: how far beyond the mask is filled as well. feather_px: the outermost part of that, where the
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
    """What a caller may choose. None means the default of the model, the format or the service.

    model: that enlarges; where nothing is enlarged, the one that erases. denoise: in [0, 1].
    erase: what to do before. enlarge: False leaves the size as it is, `target` with it.
    """

    model: str
    target: Target = field(default_factory=Target)
    format: OutputFormat = OutputFormat.PNG
    quality: int | None = None
    tile_px: int | None = None
    denoise: float | None = None
    first_frame: bool = False
    inpaint: InpaintOptions | None = None
    upscale: bool = True


def _path_as_text(path: Path) -> str:
    return quote_from_bytes(os.fsencode(path))


def _path_from_text(value: Any) -> Path:
    if isinstance(value, Path):
        return value
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no path")
    return Path(os.fsdecode(unquote_to_bytes(value)))


FilePath = Annotated[Path, PlainSerializer(_path_as_text), PlainValidator(_path_from_text)]
"""A path that travels in messages whatever bytes it has; JSON takes Unicode alone."""


@dataclass(frozen=True, slots=True)
class ImageTask:
    """mask_path: where the options erase."""

    id: str
    input_path: FilePath
    output_path: FilePath
    options: ImageOptions
    mask_path: FilePath | None = None


@dataclass(frozen=True, slots=True)
class ImageReport:
    """How a result came about.

    not_kept: tokens for what the output lacks of the input ("icc", "16-bit", "cmyk-converted").
    tile_size: "224x282", width by height in input pixels.
    source_px: of the input. computed_px: of all tiles, overlaps and a transparency's own plane included.
    inpainted_by: the model, None where nothing was to be erased. inpainted_px: that were filled.
    notes: sentences about what went otherwise than planned ("tile redone in float32 ...").
    """

    model: str
    model_sha256: str
    device_type: str
    device_name: str
    precision: str
    width_px: int
    height_px: int
    tiles: int
    tile_size: str
    decode_s: float
    device_s: float
    encode_s: float
    total_s: float
    not_kept: tuple[str, ...]
    notes: tuple[str, ...]
    source_px: int = 0
    computed_px: int = 0
    inpainted_by: str | None = None
    inpainted_px: int = 0
    inpaint_s: float = 0.0
