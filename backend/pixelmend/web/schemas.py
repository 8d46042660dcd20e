"""What clients send and get, as pydantic models; the OpenAPI document comes from these."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pixelmend.errors import InvalidParameter
from pixelmend.imaging.formats import OutputFormat
from pixelmend.imaging.target import MAX_FACTOR, MIN_FACTOR, Target
from pixelmend.models.catalog import ModelTask
from pixelmend.serving.jobs import JobState
from pixelmend.tasks import Alert, MemorySample, ProfileDescription, UpscaleOptions


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
    bytes: int | None = Field(description="What it takes of the device, weights and tiles.")
    pinned: bool = Field(description="Never let go.")
    leases: int = Field(description="Jobs that use it now.")


class ModelList(BaseModel):
    models: list[ModelInfo]


class ProfileList(BaseModel):
    profiles: list[ProfileDescription]


class MemoryPoint(BaseModel):
    """A moment of the history; `time_s` is Unix time."""

    time_s: float
    device_used_bytes: int
    accounted_bytes: int
    utilisation_percent: float | None
    temperature_c: float | None
    host_used_bytes: int
    worker_bytes: int


class MemoryView(BaseModel):
    enabled: bool = Field(description="memory_monitoring_enabled; without it there is no history.")
    interval_s: float
    now: MemorySample | None = Field(description="Null until the worker has told.")
    history: list[MemoryPoint] = Field(description="The oldest first; a lost worker leaves a gap.")
    raised: list[Alert] = Field(description="Alerts that are up now.")
    alerts: list[Alert] = Field(description="What was raised and cleared, the oldest first.")


class Limits(BaseModel):
    max_upload_bytes: int
    max_input_pixels: int
    max_input_side_px: int
    max_output_pixels: int
    max_batch_items: int
    max_batch_bytes: int
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
    done_items: int | None = Field(description="Of a batch: images with a result.")
    failed_items: int | None = Field(description="Of a batch: images with a problem.")
    total_items: int | None


class JobResult(BaseModel):
    url: str
    media_type: str
    size_bytes: int
    sha256: str
    width: int | None = Field(description="Of an image; null for a batch's archive.")
    height: int | None


class ItemView(BaseModel):
    """An image of a batch."""

    index: int
    file_name: str
    state: JobState
    output: str | None = Field(description="The result's name in the archive.")
    width: int | None
    height: int | None
    size_bytes: int | None
    sha256: str | None
    problem: Problem | None = Field(description="Why there is no result.")


class ItemProvenance(BaseModel):
    """How a result came about."""

    model: str
    model_sha256: str
    device: str
    precision: str
    tiles: int
    tile_size: str
    seconds: float
    not_kept: list[str] = Field(description="What the output lacks of the input.")
    notes: list[str]


class ManifestItem(ItemView):
    provenance: ItemProvenance | None


class Manifest(BaseModel):
    """`manifest.json` of a batch's archive; items in the order in which they were sent."""

    version: str
    job: str
    created_at: datetime
    model: str
    items: list[ManifestItem]


class JobView(BaseModel):
    """A job: `queued`, `running`, then one of `done`, `failed`, `cancelled`; `done` becomes `expired`."""

    id: str
    task: Literal["upscale", "upscale-batch"]
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
    items: list[ItemView] | None = Field(None, description="Of a batch; not in lists and `progress` events.")


class JobList(BaseModel):
    jobs: list[JobView]


class EstimatedSize(BaseModel):
    width: int
    height: int


class EstimatedTiles(BaseModel):
    count: int
    width: int = Field(description="In px of the input, as the overlap.")
    height: int
    overlap: int
    computed_pixels: int = Field(description="Overlaps and the plane of a transparency included.")


class EstimatedSeconds(BaseModel):
    """From what this service has measured, if it had nothing else to do."""

    decode: float
    device: float
    encode: float = Field(description="What remains of it after the last tile.")
    total: float


class EstimateView(BaseModel):
    """What a job would need; `problem` says why it would be refused now."""

    accepted: bool
    problem: Problem | None
    model: str
    device: DeviceInfo
    precision: str | None
    result: EstimatedSize | None
    tiles: EstimatedTiles | None = Field(description="Null until the model has been opened once.")
    device_bytes: int | None = Field(
        description="The model and what it computes at once, as measured; on a CPU, of the host's memory."
    )
    host_bytes: int | None = Field(description="What the job adds to the worker's memory, at most.")
    seconds: EstimatedSeconds | None = Field(description="Null until the model was measured.")
    wait_seconds: float | None = Field(description="Until what is in the queue now is done.")
