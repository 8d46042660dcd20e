"""One image's work as a worker gets it, and its report: values that cross the processes."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

from pydantic import PlainSerializer, PlainValidator

from pixelmend.tasks.options import ImageOptions


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
    """steps: the names of the pipeline's steps, in their order. mask_path: for a task that takes a mask.
    parts_path: a folder for what a long task has finished, from which it goes on after it was interrupted.
    on_cpu_because: why its networks compute on the CPU; None: on the worker's device.
    """

    id: str
    input_path: FilePath
    output_path: FilePath
    options: ImageOptions
    steps: tuple[str, ...]
    mask_path: FilePath | None = None
    parts_path: FilePath | None = None
    on_cpu_because: str | None = None


@dataclass(frozen=True, slots=True)
class ImageReport:
    """How a result came about.

    not_kept: tokens for what the output lacks of the input ("icc", "16-bit", "cmyk-converted").
    tile_size: "224x282", width by height in input pixels.
    source_px: of the input. computed_px: of all tiles, overlaps and a transparency's own plane included.
    inpainted_by: the model, None if nothing was inpainted. inpainted_px: how many were filled.
    frames: of a film. reused_tiles: those of its tiles that were not computed, because nothing had changed.
    notes: sentences about how it came about ("tile redone in float32 ...", "encoded by libx264 as yuv420p").
    planned: those of them that tell what was planned and no fall-back.
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
    frames: int = 0
    reused_tiles: int = 0
    planned: tuple[str, ...] = ()

    @property
    def fallbacks(self) -> tuple[str, ...]:
        """The notes that tell what went otherwise than planned."""
        return tuple(note for note in self.notes if note not in self.planned)
