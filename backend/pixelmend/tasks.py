"""What is asked of an engine worker and what it reports: plain values, shared by both sides of the pipe."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote_from_bytes, unquote_to_bytes

from pydantic import PlainSerializer, PlainValidator

from pixelmend.imaging.formats import OutputFormat
from pixelmend.imaging.mask import MaskPolarity
from pixelmend.imaging.target import Target
from pixelmend.imaging.tile_rules import TileRules
from pixelmend.models.catalog import ModelTask

FILL = "pixelmend-fill"
"""What removes things without a network: imaging/inpainting. It is always there."""


DEFAULT_GROW_PX, DEFAULT_FEATHER_PX, MAX_GROW_PX = 4, 2, 256
"""Masks follow what they hide closely; its shadow and blur reach a little farther."""


@dataclass(frozen=True, slots=True)
class EraseOptions:
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
    ) -> "EraseOptions":
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
    erase: EraseOptions | None = None
    enlarge: bool = True


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
    erased_by: the model, None where nothing was to be erased. erased_px: that were filled.
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
    erased_by: str | None = None
    erased_px: int = 0
    erase_s: float = 0.0


@dataclass(frozen=True, slots=True)
class DeviceDescription:
    type: str
    name: str
    total_bytes: int
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Habits:
    """How a model computes here. seconds_per_px: of a small tile, once; None where it was not measured."""

    precision: str
    tile_rules: TileRules
    seconds_per_px: float | None = None


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """A model as a worker has it: `loaded` on the device, or known by its file only.

    task: of a dropped-in file it is known once the file was read. habits: known since the model was first
    opened. problem: why the file cannot be used, found when that was tried last, until the file changes.
    """

    id: str
    task: ModelTask = "upscale"
    architecture: str | None = None
    scale: int | None = None
    loaded: bool = False
    precision: str | None = None
    habits: Habits | None = None
    problem: str | None = None
    bytes: int | None = None
    """Accounted for it on the device, weights and tiles; None where it is not loaded."""
    pinned: bool = False
    leases: int = 0
    weights_bytes: int | None = None
    bytes_per_tile_px: float | None = None
    """What a pixel of a tile takes on the device, learned; None where nothing was measured."""


@dataclass(frozen=True, slots=True)
class ModelMemory:
    """An open model. `leaving`: it goes when its last lease is released, and gets no new one."""

    model: str
    precision: str
    bytes: int
    weights_bytes: int
    leases: int
    pinned: bool
    leaving: bool
    idle_s: float
    profiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecoveryCounts:
    """What was done, since the worker began, to get tiles right. `evicted` counts models."""

    retried: int = 0
    smaller: int = 0
    redone: int = 0
    evicted: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class MemorySample:
    """A worker's memory at one moment. None where the device does not tell.

    time_s: Unix. device_used_bytes: by everybody, and promised to models but not yet taken.
    accounted_bytes: the sum of `models`. ceiling_bytes: what max_memory_usage_percent allows.
    """

    time_s: float
    device_capacity_bytes: int
    device_used_bytes: int
    accounted_bytes: int
    ceiling_bytes: int
    utilisation_percent: float | None
    temperature_c: float | None
    sensors_lost: bool
    host_total_bytes: int
    host_used_bytes: int
    worker_bytes: int
    models: tuple[ModelMemory, ...] = ()
    active_profiles: tuple[str, ...] = ()
    recoveries: RecoveryCounts = RecoveryCounts()


AlertKind = Literal["device-memory", "device-memory-limit", "host-memory", "temperature", "sensors-lost"]


@dataclass(frozen=True, slots=True)
class Alert:
    """Told once when `value` reaches `threshold` and once when it is well below again."""

    kind: AlertKind
    state: Literal["raised", "cleared"]
    value: float
    threshold: float
    time_s: float
    message: str


@dataclass(frozen=True, slots=True)
class ProfileDescription:
    """A named set of models. `active`: preloaded and not released since."""

    name: str
    models: tuple[str, ...]
    priority: int
    memory_limit_bytes: int | None
    memory_limit_percent: float | None
    preload: bool
    auto_cleanup: bool
    active: bool
