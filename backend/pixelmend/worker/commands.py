"""What operators have a worker do; each is answered once it has happened."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from pixelmend.core.profile import Profile


@dataclass(frozen=True, slots=True)
class LoadModel:
    """Open a model and leave it open."""

    model: str
    kind: Literal["load"] = "load"


@dataclass(frozen=True, slots=True)
class UnloadModel:
    """Unload a model; done when the jobs that use it have finished. force: also one that is kept."""

    model: str
    force: bool = False
    kind: Literal["unload"] = "unload"


@dataclass(frozen=True, slots=True)
class PinModel:
    """Open a model and never let it go; or let it go as others are."""

    model: str
    pinned: bool
    kind: Literal["pin"] = "pin"


@dataclass(frozen=True, slots=True)
class UnloadAll:
    """The same of all models; without force those that are kept stay."""

    force: bool = False
    kind: Literal["unload-all"] = "unload-all"


@dataclass(frozen=True, slots=True)
class FreeMemory:
    """Unload every model that is neither in use nor kept, and clear the device's caches."""

    kind: Literal["free"] = "free"


@dataclass(frozen=True, slots=True)
class PreloadProfile:
    """profile: what of it the worker's device is to have."""

    name: str
    profile: Profile
    kind: Literal["preload-profile"] = "preload-profile"


@dataclass(frozen=True, slots=True)
class ReleaseProfile:
    name: str
    kind: Literal["release-profile"] = "release-profile"


Command = Annotated[
    LoadModel | UnloadModel | UnloadAll | PinModel | FreeMemory | PreloadProfile | ReleaseProfile,
    Field(discriminator="kind"),
]
