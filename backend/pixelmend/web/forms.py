"""What clients send: the fields of forms, checked and named, and their OpenAPI description."""

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pixelmend.errors import InvalidParameter
from pixelmend.imaging.formats import OutputFormat
from pixelmend.imaging.target import MAX_FACTOR, MIN_FACTOR, Target
from pixelmend.models.catalog import Catalog
from pixelmend.tasks import UpscaleOptions


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

    def model_or(self, default_model: str, catalog: Catalog) -> str:
        """The model that was named, or what the default has for this factor."""
        return self.model or catalog.unnamed(default_model, self.scale, self.denoise)

    def options(self, model: str, negotiated: OutputFormat) -> UpscaleOptions:
        return UpscaleOptions(
            model=model,
            target=Target(self.scale, self.width, self.height),
            format=self.format or negotiated,
            quality=self.quality,
            tile_px=self.tile,
            denoise=self.denoise,
            first_frame=self.first_frame,
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


Form = TypeVar("Form", bound=BaseModel)


def parse_form(fields: dict[str, str]) -> UpscaleForm:
    """As `parse_fields`."""
    return parse_fields(UpscaleForm, fields)


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
            else:
                parts.append(f"{name}={str(problem['input'])[:64]!r}: {problem['msg']}")
        raise InvalidParameter("; ".join(parts)) from error


def upscale_request_body() -> dict[str, Any]:
    """The OpenAPI description of the multipart body, which is read by `uploads.py` and not by FastAPI."""
    return _request_body({"file": _FILE})


def batch_request_body() -> dict[str, Any]:
    """The same for `POST /api/upscale-batch`."""
    return _request_body({"files": _FILES})


def job_request_body() -> dict[str, Any]:
    """The same for `POST /api/jobs`, whose form names the task as well."""
    task = {"type": "string", "enum": ["upscale", "upscale-batch"], "description": "What to do."}
    fields = {"task": task, "file": _FILE, "files": _FILES}
    return _request_body(fields, required=["task"])


def estimate_request_body() -> dict[str, Any]:
    """The same for `POST /api/estimate`, which takes forms and JSON."""
    schema = _inlined(EstimateForm.model_json_schema())
    kinds = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
    return {"requestBody": {"required": True, "content": {kind: {"schema": schema} for kind in kinds}}}


_FILE = {"type": "string", "format": "binary", "description": "The image."}
_FILES = {
    "type": "array",
    "items": {"type": "string", "format": "binary"},
    "description": "The images of a batch, the field repeated; or one ZIP of them.",
}


def _request_body(first_fields: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    schema = UpscaleForm.model_json_schema()
    schema["properties"] = {**first_fields, **schema["properties"]}
    schema["required"] = list(first_fields) if required is None else required
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
