"""The text fields of a form, from which a task makes its options: checked, for every client alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pixelmend.core.errors import InvalidParameter
from pixelmend.imaging.target import MAX_FACTOR, MIN_FACTOR
from pixelmend.models.catalog import Catalog
from pixelmend.models.dials import Dials
from pixelmend.tasks.options import ImageOptions


@dataclass(frozen=True, slots=True)
class DefaultModels:
    """The models of forms that name none."""

    upscale: str
    inpaint: str
    catalog: Catalog

    def upscaler(self, factor: float | None, dials: Dials) -> str:
        return self.catalog.unnamed(self.upscale, factor, dials)


class TaskForm(BaseModel):
    """What every task takes beside its files."""

    model_config = ConfigDict(extra="forbid")

    format: str | None = Field(None, description="Default: PNG, or what the Accept header asks for.")
    quality: int | None = Field(None, ge=1, le=100, description="For JPEG, WebP and AVIF.")
    first_frame: bool = Field(False, description="Take the first frame of an animation or multi-page file.")
    recipe: str | None = Field(
        None,
        description="A named set of options of the service's configuration; other fields count before it.",
    )

    def options(self, defaults: DefaultModels, negotiated: str) -> ImageOptions:
        """negotiated: the name of the format if the form has none."""
        return ImageOptions(
            format=self.format or negotiated, quality=self.quality, first_frame=self.first_frame
        )


class SizeFields(BaseModel):
    """How large a result is to be, and how it is computed."""

    scale: float | None = Field(
        None, ge=MIN_FACTOR, le=MAX_FACTOR, description="Factor; default: the model's own (4)."
    )
    width: int | None = Field(None, ge=1, description="Exact width in px; the height follows if not given.")
    height: int | None = Field(None, ge=1, description="Exact height in px; the width follows if not given.")
    fit: Literal["cover"] | None = Field(
        None,
        description="With width and height: cut off what does not fit, in place of stretching the image.",
    )
    tile: int | None = Field(
        None, ge=32, le=2048, description="Largest tile edge in input px, below the service's own."
    )
    denoise: float | None = Field(
        None, ge=0, le=1, description="Strength, for models that have it (1: remove all noise)."
    )
    detail: float | None = Field(
        None,
        ge=0,
        le=1,
        description="For models that have it: 0 shows what is there, 1 draws crisp detail and guesses.",
    )

    @property
    def dials(self) -> Dials:
        return Dials(self.denoise, self.detail)


Form = TypeVar("Form", bound=BaseModel)


def parse_fields(kind: type[Form], fields: Mapping[str, Any]) -> Form:
    """Raises InvalidParameter naming each field, its value and what is allowed.

    An empty field counts as not sent: HTML forms send all they have.
    """
    given = {
        name: value
        for name, value in fields.items()
        if value is not None and not (isinstance(value, str) and not value.strip())
    }
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        known = ", ".join(kind.model_fields)
        parts = []
        for problem in error.errors():
            name = ".".join(str(part) for part in problem["loc"])
            if problem["type"] == "missing":
                parts.append(f"the field {name!r} is missing")
            elif problem["type"] == "extra_forbidden":
                parts.append(f"there is no field {name[:64]!r}; there are: {known}")
            elif not name:  # about several fields together
                parts.append(problem["msg"].removeprefix("Value error, "))
            else:
                parts.append(f"{name}={str(problem['input'])[:64]!r}: {problem['msg']}")
        raise InvalidParameter("; ".join(parts)) from error
