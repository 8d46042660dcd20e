"""A named set of models, as an operator describes it: in the configuration, or over HTTP."""

from collections.abc import Collection

from pydantic import BaseModel, ConfigDict, Field, model_validator

DEVICE_PATTERN = r"^(cpu|mps|cuda(:\d+)?)$"
MAX_PROFILE_MODELS = 100


class Placement(BaseModel):
    """What a profile says of one of its models."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    device: str | None = Field(
        None, pattern=DEVICE_PATTERN, description="Where it is opened, like cuda:1; unset: wherever it fits."
    )
    priority: int | None = Field(
        None,
        ge=-1_000_000,
        le=1_000_000,
        description="Higher ones are opened first and, if they may be cleaned up, evicted last; "
        "unset: the profile's own.",
    )


class Profile(BaseModel):
    """A named set of models that are preloaded and released together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: tuple[str, ...] = Field(min_length=1, max_length=MAX_PROFILE_MODELS)
    placements: dict[str, Placement] = Field(
        {}, description="A device and a priority for some of its models, by their ids."
    )
    priority: int = Field(
        0,
        ge=-1_000_000,
        le=1_000_000,
        description="If two profiles may be cleaned up, the one with the lower priority goes first.",
    )
    memory_limit_bytes: int | None = Field(None, gt=0)
    memory_limit_percent: float | None = Field(
        None, gt=0, le=100, description="Share of the device's memory."
    )
    preload: bool = Field(False, description="As soon as a worker is ready.")
    auto_cleanup: bool = Field(False, description="Its models may be unloaded if memory is short.")

    @model_validator(mode="after")
    def _places_its_own_models(self) -> "Profile":
        foreign = [model for model in self.placements if model not in self.models]
        if foreign:
            raise ValueError(f"placements names {foreign[0][:64]!r}, which is not among its models")
        return self

    def device_of(self, model: str) -> str | None:
        return self.placements[model].device if model in self.placements else None

    def priority_of(self, model: str) -> int:
        own = self.placements[model].priority if model in self.placements else None
        return self.priority if own is None else own

    @property
    def in_order(self) -> list[str]:
        """Its models as they are opened: the highest priority first, then as they are listed."""
        return sorted(dict.fromkeys(self.models), key=lambda model: -self.priority_of(model))

    def of_models(self, models: Collection[str]) -> "Profile | None":
        """The same with these of its models only; None if there are none."""
        kept = tuple(model for model in self.models if model in models)
        placed = {model: place for model, place in self.placements.items() if model in kept}
        return self.model_copy(update={"models": kept, "placements": placed}) if kept else None

    def on_device(self, names: Collection[str]) -> "Profile | None":
        """What of it belongs on a device of these names, or on any; None if nothing does."""
        return self.of_models([model for model in self.models if self.device_of(model) in (None, *names)])
