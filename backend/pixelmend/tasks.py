"""What is asked of an engine worker and what it reports: plain values, shared by both sides of the pipe."""

from dataclasses import dataclass, field
from pathlib import Path

from pixelmend.imaging.formats import OutputFormat
from pixelmend.imaging.target import Target
from pixelmend.imaging.tile_rules import TileRules
from pixelmend.models.catalog import ModelTask


@dataclass(frozen=True, slots=True)
class UpscaleOptions:
    """What a caller may choose. None means the default of the model, the format or the service.

    denoise: in [0, 1].
    """

    model: str
    target: Target = field(default_factory=Target)
    format: OutputFormat = OutputFormat.PNG
    quality: int | None = None
    tile_px: int | None = None
    denoise: float | None = None
    first_frame: bool = False


@dataclass(frozen=True, slots=True)
class UpscaleTask:
    id: str
    input_path: Path
    output_path: Path
    options: UpscaleOptions


@dataclass(frozen=True, slots=True)
class UpscaleReport:
    """How a result came about.

    not_kept: tokens for what the output lacks of the input ("icc", "16-bit", "cmyk-converted").
    tile_size: "224x282", width by height in input pixels.
    source_px: of the input. computed_px: of all tiles, overlaps and a transparency's own plane included.
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


@dataclass(frozen=True, slots=True)
class DeviceDescription:
    type: str
    name: str
    total_bytes: int
    note: str | None = None


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """A model as a worker has it: `loaded` on the device, or known by its file only.

    task: of a dropped-in file it is known once the file was read. problem: why the file cannot be used, found
    when that was tried last, until the file changes.
    """

    id: str
    task: ModelTask = "upscale"
    architecture: str | None = None
    scale: int | None = None
    loaded: bool = False
    precision: str | None = None
    tile_rules: TileRules | None = None
    problem: str | None = None
