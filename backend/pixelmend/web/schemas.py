"""What clients send and get, as pydantic models; the OpenAPI document comes from these."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pixelmend.errors import InvalidParameter
from pixelmend.imaging.formats import OutputFormat
from pixelmend.imaging.target import MAX_FACTOR, MIN_FACTOR, Target
from pixelmend.models.catalog import ModelTask
from pixelmend.serving.jobs import JobState
from pixelmend.tasks import UpscaleOptions


class UpscaleForm(BaseModel):
    """The text fields of `POST /api/upscale`, beside `file`."""

    model_config = ConfigDict(extra="forbid")

    scale: float | None = Field(
        None, ge=MIN_FACTOR, le=MAX_FACTOR, description="Factor; default: the model's own (4)."
    )
    width: int | None = Field(None, ge=1, description="Exact width in px; the height follows if not given.")
    height: int | None = Field(None, ge=1, description="Exact height in px; the width follows if not given.")
    model: str | None = Field(None, description="A model id of `GET /api/models`.")
    format: OutputFormat | None = Field(None, description="Default: PNG, or what the Accept header asks for.")
    quality: int | None = Field(None, ge=1, le=100, description="For JPEG, WebP and AVIF.")
    tile: int | None = Field(
        None, ge=32, le=2048, description="Largest tile edge in input px, below the service's own."
    )
    denoise: float | None = Field(
        None, ge=0, le=1, description="Strength, for models that have it (1: remove all noise)."
    )
    first_frame: bool = Field(False, description="Take the first frame of an animation or multi-page file.")

    def options(self, default_model: str, negotiated: OutputFormat) -> UpscaleOptions:
        return UpscaleOptions(
            model=self.model or default_model,
            target=Target(self.scale, self.width, self.height),
            format=self.format or negotiated,
            quality=self.quality,
            tile_px=self.tile,
            denoise=self.denoise,
            first_frame=self.first_frame,
        )


def parse_form(fields: dict[str, str]) -> UpscaleForm:
    """Raises InvalidParameter naming each field, its value and what is allowed.

    An empty field counts as not sent: HTML forms send all they have.
    """
    given = {name: value for name, value in fields.items() if value.strip()}
    try:
        return UpscaleForm.model_validate(given)
    except ValidationError as error:
        known = ", ".join(UpscaleForm.model_fields)
        parts = []
        for problem in error.errors():
            name = ".".join(str(part) for part in problem["loc"])
            if problem["type"] == "extra_forbidden":
                parts.append(f"there is no field {name[:64]!r}; there are: file, {known}")
            else:
                parts.append(f"{name}={str(problem['input'])[:64]!r}: {problem['msg']}")
        raise InvalidParameter("; ".join(parts)) from error


def upscale_request_body() -> dict[str, Any]:
    """The OpenAPI description of the multipart body, which is read by `uploads.py` and not by FastAPI."""
    return _request_body({})


def job_request_body() -> dict[str, Any]:
    """The same for `POST /api/jobs`, whose form names the task as well."""
    return _request_body({"task": {"type": "string", "enum": ["upscale"], "description": "What to do."}})


def _request_body(first_fields: dict[str, Any]) -> dict[str, Any]:
    schema = UpscaleForm.model_json_schema()
    schema["properties"] = {
        **first_fields,
        "file": {"type": "string", "format": "binary", "description": "The image."},
        **schema["properties"],
    }
    schema["required"] = [*first_fields, "file"]
    definitions = schema.pop("$defs", {})
    for name, value in schema["properties"].items():
        schema["properties"][name] = _inline(value, definitions)
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


def _inline(value: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        if "$ref" in value:
            return definitions[value["$ref"].rsplit("/", 1)[1]]
        return {key: _inline(inner, definitions) for key, inner in value.items()}
    return [_inline(inner, definitions) for inner in value] if isinstance(value, list) else value


class Problem(BaseModel):
    """Any error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str | None
    retryable: bool


class DeviceInfo(BaseModel):
    type: str | None
    name: str | None
    total_bytes: int | None = None
    note: str | None = None


class Health(BaseModel):
    status: Literal["healthy", "degraded", "unhealthy"]
    model_loaded: bool
    device: DeviceInfo
    reasons: list[str] = Field(description="Why the status is not healthy, in words.")
    queued: int
    running: int
    worker_restarts: int
    worker_step_age_s: float


class ModelInfo(BaseModel):
    id: str
    title: str
    task: ModelTask = Field(description="Of a dropped-in file it is known once it was used.")
    scale: int | None = Field(description="None for a dropped-in file that was not used yet.")
    architecture: str | None
    licence: str | None
    origin: Literal["embedded", "catalog", "dropped-in"]
    present: bool = Field(description="Its file is there; others can be put into the models directory.")
    loaded: bool
    precision: str | None
    denoise: bool = Field(description="Takes the `denoise` parameter.")
    problem: str | None = Field(description="Why its file cannot be used, once that was tried.")


class ModelList(BaseModel):
    models: list[ModelInfo]


class Limits(BaseModel):
    max_upload_bytes: int
    max_input_pixels: int
    max_input_side_px: int
    max_output_pixels: int
    max_queue_jobs: int
    request_timeout_s: float
    min_scale: float = MIN_FACTOR
    max_scale: float = MAX_FACTOR


class Info(BaseModel):
    name: str
    version: str
    device: DeviceInfo
    default_model: str
    input_formats: list[str]
    output_formats: list[str]
    limits: Limits


class Alive(BaseModel):
    status: Literal["alive"] = "alive"


class Readiness(BaseModel):
    ready: bool
    reasons: list[str]


class JobProgress(BaseModel):
    done_tiles: int
    total_tiles: int = Field(description="0 until the image is decoded.")
    fraction: float = Field(ge=0, le=1)


class JobResult(BaseModel):
    url: str
    media_type: str
    size_bytes: int
    sha256: str
    width: int
    height: int


class JobView(BaseModel):
    """A job: `queued`, `running`, then one of `done`, `failed`, `cancelled`; `done` becomes `expired`."""

    id: str
    task: Literal["upscale"]
    state: JobState
    progress: JobProgress
    place: int | None = Field(description="In the queue, from 1; null unless queued.")
    eta_s: float | None = Field(description="Seconds to the end, from what was measured; null if unknown.")
    model: str
    file_name: str | None
    created_at: datetime
    ended_at: datetime | None
    expires_at: datetime | None = Field(description="Until when the result is kept.")
    result: JobResult | None = Field(description="Once it is done, until it expires.")
    problem: Problem | None = Field(description="Why it failed or was cancelled.")


class JobList(BaseModel):
    jobs: list[JobView]
