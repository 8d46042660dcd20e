"""How a worker describes its device, its models and their profiles: values that cross the processes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pixelmend.core.profile import Placement
from pixelmend.imaging.tile_rules import TileRules
from pixelmend.models.catalog import ModelTask


@dataclass(frozen=True, slots=True)
class DeviceDescription:
    type: str
    name: str
    total_bytes: int
    note: str | None = None
    id: str | None = None
    """Like cuda:1; None if the worker does not say."""


@dataclass(frozen=True, slots=True)
class ExecutionProfile:
    """How a model computes on a device. seconds_per_px: of a small tile; None if it was not measured."""

    precision: str
    tile_rules: TileRules
    seconds_per_px: float | None = None


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """A model as a worker has it: `loaded` on the device, or known by its file only.

    task: a dropped-in file's task is known once the file was read.
    execution_profile: known since the model was first opened.
    problem: why the file cannot be used, if it cannot; known until the file changes.
    """

    id: str
    task: ModelTask = "upscale"
    architecture: str | None = None
    scale: int | None = None
    loaded: bool = False
    precision: str | None = None
    execution_profile: ExecutionProfile | None = None
    problem: str | None = None
    bytes: int | None = None
    """Accounted for it on the device, weights and tiles; None if it is not loaded."""
    pinned: bool = False
    leases: int = 0
    weights_bytes: int | None = None
    profiles: tuple[str, ...] = ()
    """Those that hold it."""
    bytes_per_tile_px: float | None = None
    """What a pixel of a tile takes on the device, learned; None if nothing was measured."""


@dataclass(frozen=True, slots=True)
class ProfileDescription:
    """A named set of models. `active`: preloaded and not released since.

    `placements`: a device, and a priority, for some of its models. `read_only`: it stands in the
    configuration.
    """

    name: str
    models: tuple[str, ...]
    priority: int
    memory_limit_bytes: int | None
    memory_limit_percent: float | None
    preload: bool
    auto_cleanup: bool
    active: bool
    placements: Mapping[str, Placement] = field(default_factory=dict)
    read_only: bool = True
