"""What a service answers, as values: the fields of its OpenAPI document that programs ask for.

Fields that a later service adds are passed over; those that an earlier one lacks have defaults.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from pixelmend.client.problems import error_of
from pixelmend.core.errors import PixelmendError

ENDED = ("done", "failed", "cancelled", "expired")


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())


class Problem(_Value):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str | None
    retryable: bool

    @property
    def error(self) -> PixelmendError:
        """The error that it was in the service."""
        return error_of(self.model_dump(), self.status)


class Progress(_Value):
    """total_tiles: 0 until the image is decoded; frames of a film. fraction: 0 to 1. Items are a batch's."""

    done_tiles: int
    total_tiles: int
    fraction: float
    done_items: int | None
    failed_items: int | None
    total_items: int | None


class JobResult(_Value):
    """width, height: in px; None for a batch's archive."""

    url: str
    media_type: str
    size_bytes: int
    sha256: str
    width: int | None
    height: int | None


class Item(_Value):
    """An image of a batch. output: the name of its result in the archive."""

    index: int
    file_name: str
    state: str
    output: str | None
    width: int | None
    height: int | None
    size_bytes: int | None
    sha256: str | None
    problem: Problem | None


class Delivery(_Value):
    """state: `pending`, `delivered` or `failed`."""

    state: str
    attempts: int
    last_error: str | None


class Job(_Value):
    """state: `queued`, `running`, then one of `done`, `failed`, `cancelled`; `done` becomes `expired`."""

    id: str
    task: str
    state: str
    progress: Progress
    queue_position: int | None
    eta_s: float | None
    model: str
    file_name: str | None
    created_at: datetime
    ended_at: datetime | None
    expires_at: datetime | None
    result: JobResult | None
    problem: Problem | None
    items: tuple[Item, ...] | None = None
    webhook: Delivery | None = None
    delivery: Delivery | None = None

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED


class Device(_Value):
    type: str | None
    name: str | None
    total_bytes: int | None = None


class Task(_Value):
    """fields: of its form."""

    name: str
    summary: str
    takes_mask: bool
    takes_video: bool = False
    fields: tuple[str, ...] = ()


class Recipe(_Value):
    """A named set of options, for `recipe=NAME`."""

    name: str
    task: str
    fields: dict[str, Any]


class Info(_Value):
    name: str
    version: str
    device: Device
    default_model: str
    input_formats: tuple[str, ...]
    output_formats: tuple[str, ...]
    tasks: tuple[Task, ...]
    recipes: tuple[Recipe, ...] = ()
    job_kinds: tuple[str, ...]
    limits: dict[str, float]


class Model(_Value):
    """scale: None for a dropped-in file that was not used yet. present: its file is there."""

    id: str
    title: str
    task: str
    scale: int | None
    architecture: str | None
    licence: str | None
    origin: str
    present: bool
    loaded: bool
    denoise: bool
    detail: bool = False
    problem: str | None


class Size(_Value):
    width: int
    height: int


class Seconds(_Value):
    decode: float
    device: float
    encode: float
    total: float


class Estimate(_Value):
    """accepted: False if the image would be refused now, for `problem`. What is not known yet is None."""

    accepted: bool
    problem: Problem | None
    model: str
    device: Device
    precision: str | None
    result: Size | None
    device_bytes: int | None
    host_bytes: int | None
    seconds: Seconds | None
    result_bytes: int | None
    wait_seconds: float | None


@dataclass(frozen=True, slots=True)
class Result:
    """A file that was fetched, and how it came about, which is 0 and "" for a batch's archive."""

    path: Path
    size_bytes: int
    sha256: str
    media_type: str
    model: str
    precision: str
    width_px: int
    height_px: int
    tiles: int
    total_s: float
    not_kept: tuple[str, ...]
    notes: tuple[str, ...]
