"""What clients send: the fields of forms, checked and named, and their OpenAPI description."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from pixelmend.core.errors import InvalidParameter
from pixelmend.imaging.formats import OutputFormat
from pixelmend.imaging.mask import MaskPolarity
from pixelmend.imaging.target import MAX_FACTOR, MIN_FACTOR, Target
from pixelmend.models.catalog import Catalog
from pixelmend.tasks.image import (
    DEFAULT_FEATHER_PX,
    DEFAULT_GROW_PX,
    MAX_GROW_PX,
    ImageOptions,
    InpaintOptions,
)

_OF_THEN = ("upscale_model", "scale", "width", "height", "tile", "denoise")


@dataclass(frozen=True, slots=True)
class DefaultModels:
    """Where a form names none."""

    upscale: str
    inpaint: str
    catalog: Catalog

    def upscaler(self, factor: float | None, denoise: float | None) -> str:
        return self.catalog.unnamed(self.upscale, factor, denoise)


class UpscaleForm(BaseModel):
    """The text fields of `POST /api/upscale`, beside `file`."""

    model_config = ConfigDict(extra="forbid")

    scale: float | None = Field(
        None, ge=MIN_FACTOR, le=MAX_FACTOR, description="Factor; default: the model's own (4)."
    )
    width: int | None = Field(None, ge=1, description="Exact width in px; the height follows if not given.")
    height: int | None = Field(None, ge=1, description="Exact height in px; the width follows if not given.")
    model: str | None = Field(
        None, description="A model id of `GET /api/models`; the default depends on whether scale is above 2."
    )
    format: OutputFormat | None = Field(None, description="Default: PNG, or what the Accept header asks for.")
    quality: int | None = Field(None, ge=1, le=100, description="For JPEG, WebP and AVIF.")
    tile: int | None = Field(
        None, ge=32, le=2048, description="Largest tile edge in input px, below the service's own."
    )
    denoise: float | None = Field(
        None, ge=0, le=1, description="Strength, for models that have it (1: remove all noise)."
    )
    first_frame: bool = Field(False, description="Take the first frame of an animation or multi-page file.")

    def options(self, defaults: DefaultModels, negotiated: OutputFormat) -> ImageOptions:
        return ImageOptions(
            model=self.model or defaults.upscaler(self.scale, self.denoise),
            target=Target(self.scale, self.width, self.height),
            format=self.format or negotiated,
            quality=self.quality,
            tile_px=self.tile,
            denoise=self.denoise,
            first_frame=self.first_frame,
        )


class InpaintForm(BaseModel):
    """The text fields of `POST /api/inpaint`, beside `file` and `mask`."""

    model_config = ConfigDict(extra="forbid")

    model: str | None = Field(None, description="That fills; a model id of `GET /api/models` for inpainting.")
    mask_grow: int = Field(
        DEFAULT_GROW_PX, ge=0, le=MAX_GROW_PX, description="How far beyond the mask is filled as well, px."
    )
    mask_feather: int | None = Field(
        None,
        ge=0,
        le=MAX_GROW_PX,
        description=f"The outermost part of that, fading into the image, px; default: {DEFAULT_FEATHER_PX}.",
    )
    mask_polarity: MaskPolarity = Field(
        MaskPolarity.AUTO,
        description="What of the mask is removed: what is white, transparent or opaque (a stroke on an empty "
        "canvas). auto looks at the mask.",
    )
    format: OutputFormat | None = Field(None, description="Default: PNG, or what the Accept header asks for.")
    quality: int | None = Field(None, ge=1, le=100, description="For JPEG, WebP and AVIF.")
    first_frame: bool = Field(False, description="Take the first frame of an animation or multi-page file.")
    then: Literal["upscale"] | None = Field(None, description="Enlarge the result as well, in the same job.")
    upscale_model: str | None = Field(None, description="With then=upscale, as in `POST /api/upscale`.")
    scale: float | None = Field(None, ge=MIN_FACTOR, le=MAX_FACTOR, description="The same.")
    width: int | None = Field(None, ge=1, description="The same.")
    height: int | None = Field(None, ge=1, description="The same.")
    tile: int | None = Field(None, ge=32, le=2048, description="The same.")
    denoise: float | None = Field(None, ge=0, le=1, description="The same.")

    @model_validator(mode="after")
    def _only_with_then(self) -> Self:
        given = [name for name in _OF_THEN if getattr(self, name) is not None]
        if given and self.then is None:
            fields = ", ".join(f"{name}={_short(getattr(self, name))}" for name in given)
            raise ValueError(f"{fields} {'belong' if len(given) > 1 else 'belongs'} to then=upscale")
        return self

    def options(self, defaults: DefaultModels, negotiated: OutputFormat) -> ImageOptions:
        model = self.model or defaults.inpaint
        upscaler = self.upscale_model or defaults.upscaler(self.scale, self.denoise)
        return ImageOptions(
            model=upscaler if self.then else model,
            target=Target(self.scale, self.width, self.height),
            format=self.format or negotiated,
            quality=self.quality,
            tile_px=self.tile,
            denoise=self.denoise,
            first_frame=self.first_frame,
            inpaint=InpaintOptions.of(model, self.mask_grow, self.mask_feather, self.mask_polarity),
            upscale=self.then is not None,
        )


class EstimateForm(UpscaleForm):
    """The fields of `POST /api/estimate`: those of `/api/upscale`, and of the image its dimensions."""

    image_width: int = Field(ge=1, le=2**31 - 1, description="Of the image as it is seen, in px.")
    image_height: int = Field(ge=1, le=2**31 - 1)
    image_grey: bool = Field(False, description="It has no colour.")
    image_alpha: bool = Field(False, description="It has transparency.")
    image_bits: Literal[8, 16] = Field(8, description="Per sample.")

    @field_validator("image_bits", mode="before")
    @classmethod
    def _number(cls, value: Any) -> Any:
        return int(value) if isinstance(value, str) and value.isdecimal() else value


def _short(value: object) -> str:
    """A number as people write it: 2 and not 2.0."""
    return f"{value:g}" if isinstance(value, float) else str(value)


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


def request_body(form: type[BaseModel], *file_fields: str) -> dict[str, Any]:
    """The OpenAPI description of a multipart body, which is read by `uploads.py` and not by FastAPI."""
    return _request_body(form.model_json_schema(), file_fields, list(file_fields))


def job_request_body(tasks: Sequence[str]) -> dict[str, Any]:
    """The same for `POST /api/jobs`, whose form names the task as well."""
    schema = InpaintForm.model_json_schema()
    schema["properties"].update(UpscaleForm.model_json_schema()["properties"])
    schema["properties"]["task"] = {"type": "string", "enum": list(tasks), "description": "What to do."}
    return _request_body(schema, tuple(_FILES), ["task"])


def estimate_request_body() -> dict[str, Any]:
    """The same for `POST /api/estimate`, which takes forms and JSON."""
    schema = _inlined(EstimateForm.model_json_schema())
    kinds = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
    return {"requestBody": {"required": True, "content": {kind: {"schema": schema} for kind in kinds}}}


def _file(what: str) -> dict[str, Any]:
    return {"type": "string", "format": "binary", "description": what}


def _files(what: str) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "string", "format": "binary"}, "description": what}


_FILES = MappingProxyType(
    {
        "file": _file("The image."),
        "mask": _file(
            "What to remove: white, or transparent if the mask has transparency (see mask_polarity). "
            "Of the image's shape."
        ),
        "files": _files("The images of a batch, the field repeated; or one ZIP of them."),
        "masks": _files("Their masks, by the names of the images; one ZIP of them; or one mask for all."),
    }
)


def _request_body(schema: dict[str, Any], file_fields: Sequence[str], required: list[str]) -> dict[str, Any]:
    schema["properties"] = {**{name: _FILES[name] for name in file_fields}, **schema["properties"]}
    schema["required"] = required
    content = {"multipart/form-data": {"schema": _inlined(schema)}}
    return {"requestBody": {"required": True, "content": content}}


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    definitions = schema.pop("$defs", {})
    for name, value in schema["properties"].items():
        schema["properties"][name] = _inline(value, definitions)
    return schema


def _inline(value: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        if "$ref" in value:
            return definitions[value["$ref"].rsplit("/", 1)[1]]
        return {key: _inline(inner, definitions) for key, inner in value.items()}
    return [_inline(inner, definitions) for inner in value] if isinstance(value, list) else value
