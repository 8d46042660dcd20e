"""A worker's memory at one moment, and the alerts about it: values that cross the processes."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ModelMemory:
    """An open model, or a mixture. `leaving`: it gets no new lease and is closed after its last one. denoise,
    detail: of a mixture; None if that dial is not turned.
    """

    model: str
    precision: str
    bytes: int
    weights_bytes: int
    leases: int
    pinned: bool
    leaving: bool
    idle_s: float
    profiles: tuple[str, ...] = ()
    denoise: float | None = None
    detail: float | None = None


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
    """A worker's memory at one moment. None: the device has no such sensor.

    time_s: Unix. device_used_bytes: by all programs, and reserved for models but not yet taken.
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


@dataclass(frozen=True, slots=True)
class FreedModel:
    """A form of a model that was unloaded, with what was accounted for it."""

    model: str
    precision: str
    bytes: int


@dataclass(frozen=True, slots=True)
class KeptModel:
    """A model that stays open, and why: jobs that use it, a pin, profiles."""

    model: str
    leases: int
    pinned: bool
    profiles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FreedMemory:
    """What a device got back.

    bytes: the sum of `models`. device_bytes: by how much less of the device is in use, as measured, other
    programs included. unpinned, released: models whose pin, and profiles whose hold, was taken away for it.
    """

    models: tuple[FreedModel, ...] = ()
    bytes: int = 0
    device_bytes: int = 0
    kept: tuple[KeptModel, ...] = ()
    unpinned: tuple[str, ...] = ()
    released: tuple[str, ...] = ()


AlertKind = Literal["device-memory", "device-memory-limit", "host-memory", "temperature", "sensors-lost"]


@dataclass(frozen=True, slots=True)
class Alert:
    """Sent once when `value` reaches `threshold` and once when it is well below again."""

    kind: AlertKind
    state: Literal["raised", "cleared"]
    value: float
    threshold: float
    time_s: float
    message: str
