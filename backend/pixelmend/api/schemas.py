"""What clients get, as pydantic models; the OpenAPI document comes from these and from `forms.py`."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from pixelmend.imaging.target import MAX_FACTOR, MIN_FACTOR
from pixelmend.jobs.delivery_rows import DeliveryState
from pixelmend.jobs.model import JobState
from pixelmend.models.catalog import ModelTask
from pixelmend.models.description import ProfileDescription


class Problem(BaseModel):
    """Any error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str | None
    retryable: bool


class InstanceInfo(BaseModel):
    """Which service answers, if several stand behind one address."""

    id: str = Field(description="PIXELMEND_INSTANCE, or its machine and port.")
    host: str = Field(description="The name of its machine.")
    port: int = Field(description="Where it listens.")


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


class DownloadInfo(BaseModel):
    """The download of a model's file, and of the file that it mixes with."""

    state: Literal["running", "failed"] = Field(description="When it has succeeded there is no download.")
    received_bytes: int = Field(description="What an earlier download left included.")
    total_bytes: int
    problem: Problem | None = Field(description="Why it failed.")


class ModelInfo(BaseModel):
    id: str
    title: str
    task: ModelTask = Field(description="A dropped-in file's is known once it was used.")
    scale: int | None = Field(description="None for a dropped-in file that was not used yet.")
    architecture: str | None
    licence: str | None
    origin: Literal["embedded", "catalog", "dropped-in"]
    file_bytes: int | None = Field(description="The size of the file that can be downloaded.")
    present: bool = Field(description="Its file is there; others can be downloaded.")
    loaded: bool
    precision: str | None
    denoise: bool = Field(description="Takes the `denoise` parameter.")
    detail: bool = Field(description="Takes the `detail` parameter.")
    problem: str | None = Field(
        description="Why its file cannot be used: found when that was tried, or foreseen."
    )
    bytes: int | None = Field(description="What it takes of the device, weights and tiles.")
    pinned: bool = Field(description="Never unloaded.")
    leases: int = Field(description="Jobs that use it now.")
    profiles: list[str] = Field(description="Those that hold it.")
    idle_s: float | None = Field(
        description="Since its last use, on the device that used it last; null while it is in use or not "
        "open, and without memory monitoring."
    )
    devices: list[str] = Field(description="Where it is open.")
    download: DownloadInfo | None = Field(description="Under way or failed; null otherwise.")


class ModelList(BaseModel):
    instance: InstanceInfo
    models: list[ModelInfo]
    passed_over: list[str] = Field(
        [], description="Files of the models directory that are no models, and why."
    )


class ProfileList(BaseModel):
    profiles: list[ProfileDescription]


class Limits(BaseModel):
    max_upload_bytes: int
    max_input_pixels: int
    max_input_side_px: int
    max_output_pixels: int
    max_video_bytes: int = Field(description="Largest film.")
    max_video_frames: int = Field(description="Most frames of a film, or of a part of one.")
    max_video_s: float = Field(description="Longest film, or part of one, in seconds.")
    max_batch_items: int
    max_batch_bytes: int
    max_queue_jobs: int
    request_timeout_s: float
    min_scale: float = MIN_FACTOR
    max_scale: float = MAX_FACTOR


class TaskInfo(BaseModel):
    """A kind of work: `POST /api/NAME` for one image, `POST /api/NAME-batch` for many; a job for a film."""

    name: str
    summary: str
    takes_mask: bool
    takes_video: bool = Field(description="Its file is a film, and it is a job: no request waits for it.")
    available: bool = Field(description="All that it needs is installed.")
    fields: list[str] = Field(description="Text fields of its form.")


class RecipeInfo(BaseModel):
    """A named set of options: `recipe=NAME` in a form."""

    name: str
    task: str
    fields: dict[str, Any]


class Info(BaseModel):
    name: str
    version: str
    device: DeviceInfo
    default_model: str
    input_formats: list[str]
    output_formats: list[str]
    tasks: list[TaskInfo]
    recipes: list[RecipeInfo]
    job_kinds: list[str] = Field(description="What `task` of `POST /api/jobs` may be.")
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
    done_items: int | None = Field(description="Images of a batch with a result.")
    failed_items: int | None = Field(description="Images of a batch with a problem.")
    total_items: int | None


class JobResult(BaseModel):
    url: str = Field(description="What follows the service's address.")
    media_type: str
    size_bytes: int
    sha256: str
    width: int | None = Field(description="An image's; null for a batch's archive.")
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


class DeliveryView(BaseModel):
    """How it stands with `webhook_url` or `result_url`: pending until its host has answered with 2xx."""

    state: DeliveryState
    attempts: int
    last_error: str | None = Field(description="The last attempt's, if it failed.")


class JobView(BaseModel):
    """A job: `queued`, `running`, then one of `done`, `failed`, `cancelled`; `done` becomes `expired`."""

    id: str
    task: str = Field(description="The kind of the job; `GET /api/info` has all kinds.")
    state: JobState
    progress: JobProgress
    queue_position: int | None = Field(description="From 1; null unless queued.")
    place: int | None = Field(description="The name of queue_position in version 0.1; use that.")
    eta_s: float | None = Field(description="Seconds to the end, from what was measured; null if unknown.")
    model: str
    file_name: str | None
    created_at: datetime
    ended_at: datetime | None
    expires_at: datetime | None = Field(description="Until when the result is kept.")
    result: JobResult | None = Field(description="Once it is done, until it expires.")
    problem: Problem | None = Field(description="Why it failed or was cancelled.")
    items: list[ItemView] | None = Field(
        None, description="A batch's images; not in lists and `progress` events."
    )
    webhook: DeliveryView | None = Field(
        None, description="In answers of `/api/jobs` and `/api/jobs/ID`, if a webhook_url was sent."
    )
    delivery: DeliveryView | None = Field(None, description="The same of a result_url.")


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
    result_bytes: int | None = Field(description="About what the result of a film will take on the disk.")
    wait_seconds: float | None = Field(description="Until what is in the queue now is done.")
