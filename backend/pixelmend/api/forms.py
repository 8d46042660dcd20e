"""How forms look in the OpenAPI document, and the form of `POST /api/estimate`."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, Literal

from pydantic import Field, field_validator

from pixelmend.api.fetching import FIELD as FETCH_FIELD
from pixelmend.imaging.formats import Format, FormatRegistry
from pixelmend.jobs.job_webhooks import FIELD as WEBHOOK_FIELD
from pixelmend.jobs.result_puts import FIELD as RESULT_FIELD
from pixelmend.tasks.registry import TaskRegistry
from pixelmend.tasks.task import JobKind
from pixelmend.tasks.upscale import UpscaleForm


class EstimateForm(UpscaleForm):
    """The fields of `POST /api/estimate`: those of `/api/upscale`, and of the image its dimensions."""

    image_width: int = Field(ge=1, le=2**31 - 1, description="The width of the image as it is seen, in px.")
    image_height: int = Field(ge=1, le=2**31 - 1)
    image_grey: bool = Field(False, description="It has no colour.")
    image_alpha: bool = Field(False, description="It has transparency.")
    image_bits: Literal[8, 16] = Field(8, description="Per sample.")
    image_frames: int = Field(
        1, ge=1, le=2**31 - 1, description="The frames of a film; all else describes one frame."
    )

    @field_validator("image_bits", mode="before")
    @classmethod
    def _number(cls, value: Any) -> Any:
        return int(value) if isinstance(value, str) and value.isdecimal() else value


def request_body(kind: JobKind, formats: FormatRegistry) -> dict[str, Any]:
    """The OpenAPI description of a multipart body, which is read by `uploads.py` and not by FastAPI."""
    schema = kind.task.form.model_json_schema()
    outputs = kind.task.outputs(formats.outputs)
    required = [field for field in kind.file_fields if field != "file"]  # which may be an address
    return _request_body(schema, kind.file_fields, required, outputs)


def job_request_body(tasks: TaskRegistry, formats: FormatRegistry) -> dict[str, Any]:
    """The same for `POST /api/jobs`, whose form names the task as well."""
    schema: dict[str, Any] = {"type": "object", "properties": {}, "$defs": {}}
    # A field that several tasks have is described as the first of them describes it.
    for task in reversed(tasks.tasks):
        of_task = task.form.model_json_schema()
        schema["properties"].update(of_task["properties"])
        schema["$defs"].update(of_task.get("$defs", {}))
    names = list(tasks.kinds)
    schema["properties"][WEBHOOK_FIELD] = {
        "type": "string",
        "description": "Gets the job as JSON by POST when it has ended, signed in X-Pixelmend-Signature.",
    }
    schema["properties"][RESULT_FIELD] = {
        "type": "string",
        "description": "Gets the result's file by PUT when the job is done: an http or https URL, such as a "
        "presigned one, or s3://bucket/key, of one of the hosts that the service sends results to.",
    }
    schema["properties"]["task"] = {"type": "string", "enum": names, "description": "What to do."}
    return _request_body(schema, tuple(_FILES), ["task"], tasks.outputs(formats))


def estimate_request_body(formats: FormatRegistry) -> dict[str, Any]:
    """The same for `POST /api/estimate`, which takes forms and JSON."""
    schema = inlined(_with_formats(EstimateForm.model_json_schema(), formats.outputs))
    kinds = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
    return {"requestBody": {"required": True, "content": {kind: {"schema": schema} for kind in kinds}}}


def _file(what: str) -> dict[str, Any]:
    return {"type": "string", "format": "binary", "description": what}


def _files(what: str) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "string", "format": "binary"}, "description": what}


_ADDRESS = {
    "type": "string",
    "description": "Where the file is, instead of `file`: an http or https URL, or s3://bucket/key, of one "
    "of the hosts that the service fetches from.",
}
_FILES = MappingProxyType(
    {
        "file": _file("The image, or the film."),
        "mask": _file(
            "What to remove: white, or transparent if the mask has transparency (see mask_polarity). "
            "Its shape is the image's."
        ),
        "files": _files("The images of a batch, the field repeated; or one ZIP of them."),
        "masks": _files("Their masks, by the names of the images; one ZIP of them; or one mask for all."),
    }
)


def _request_body(
    schema: dict[str, Any], file_fields: Sequence[str], required: list[str], formats: tuple[Format, ...]
) -> dict[str, Any]:
    files = {name: _FILES[name] for name in file_fields}
    address = {FETCH_FIELD: _ADDRESS} if "file" in files else {}
    schema["properties"] = {**files, **address, **schema["properties"]}
    schema["required"] = required
    content = {"multipart/form-data": {"schema": inlined(_with_formats(schema, formats))}}
    return {"requestBody": {"required": True, "content": content}}


def _with_formats(schema: dict[str, Any], formats: tuple[Format, ...]) -> dict[str, Any]:
    # A format of images and one of films may have one name, as WebP has.
    names = list(dict.fromkeys(output.name for output in formats))
    kinds = [{"type": "string", "enum": names}, {"type": "null"}]
    schema["properties"]["format"] = schema["properties"]["format"] | {"anyOf": kinds}
    return schema


def inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema that refers to nothing outside itself, from one that pydantic made."""
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
