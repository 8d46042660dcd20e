"""What clients get about memory and its management, as pydantic models."""

from typing import Literal

from pydantic import BaseModel, Field

from pixelmend.api.schemas import InstanceInfo, ModelInfo, Problem
from pixelmend.models.memory import Alert, FreedModel, KeptModel, MemorySample


class MemoryPoint(BaseModel):
    """A moment of the history; `time_s` is Unix time."""

    time_s: float
    device_used_bytes: int
    accounted_bytes: int
    utilisation_percent: float | None
    temperature_c: float | None
    host_used_bytes: int
    worker_bytes: int


class DeviceMemoryView(BaseModel):
    index: int
    device: str = Field(description="What `device=` and profiles call it: like cuda:1, cpu.")
    name: str | None = Field(description="Null until its worker is ready.")
    now: MemorySample | None = Field(description="Null until the worker has told, and without monitoring.")
    history: list[MemoryPoint] = Field(description="The oldest first; a lost worker leaves a gap.")
    raised: list[Alert] = Field(description="Alerts that are up now.")
    alerts: list[Alert] = Field(description="What was raised and cleared, the oldest first.")


class MemoryView(BaseModel):
    instance: InstanceInfo
    enabled: bool = Field(
        description="memory_monitoring_enabled, as it is now; there are no samples without."
    )
    interval_s: float = Field(description="memory_monitoring_interval, as it is now.")
    devices: list[DeviceMemoryView]


class NumberRange(BaseModel):
    """What a number may be; null: no limit."""

    minimum: float | None
    maximum: float | None
    minimum_excluded: bool = Field(description="It has to be greater than the minimum.")


class ManagedSetting(BaseModel):
    """A setting that can be changed while the service runs."""

    value: bool | float = Field(description="What counts now, in every worker.")
    configured: bool | float = Field(description="What the service was started with.")
    unit: Literal["percent", "minutes", "seconds"] | None
    range: NumberRange | None = Field(description="Null for a switch.")
    description: str


class ManagementView(BaseModel):
    instance: InstanceInfo
    settings: dict[str, ManagedSetting] = Field(description="By the names that PATCH takes.")
    persistent: bool = Field(description="Whether changes last over a restart of the service: they do not.")
    note: str = Field(description="The same in words, and where to set them for good.")


class FreedDevice(BaseModel):
    """What a device got back."""

    index: int
    device: str
    bytes: int = Field(description="Accounted for the models that were unloaded: the sum of `models`.")
    device_bytes: int = Field(
        description="By how much less of the device is in use, as measured; other programs count too."
    )
    models: list[FreedModel]
    kept: list[KeptModel] = Field(description="What stays open, and what keeps it.")
    unpinned: list[str] = Field(description="Models whose pin `force` took away.")
    released: list[str] = Field(description="Profiles whose hold `force` took away.")
    problem: Problem | None = Field(description="Why the device's worker could not.")


class FreedView(BaseModel):
    instance: InstanceInfo
    bytes: int = Field(description="The sum over the devices.")
    devices: list[FreedDevice]


class InstanceView(BaseModel):
    """A service: this one, or one of PIXELMEND_PEERS."""

    url: str | None = Field(description="Null for the one that answers.")
    instance: InstanceInfo | None
    problem: str | None = Field(description="Why nothing is known of it.")
    memory: MemoryView | None
    models: list[ModelInfo] = Field(description="Those that are open there.")


class InstanceList(BaseModel):
    instances: list[InstanceView] = Field(description="The one that answers comes first.")
