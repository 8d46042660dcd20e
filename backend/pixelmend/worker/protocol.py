"""Messages between the API process and a worker: small frozen values as JSON lines on a socket pair.

Images never travel here; they lie in the spool as encoded files. JSON and not pickle: neither side can be
made to run code by what the other sends.
"""

import functools
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import Field, TypeAdapter

from pixelmend.core.config import Settings
from pixelmend.core.error_codes import known_error
from pixelmend.core.management import Management
from pixelmend.models.description import DeviceDescription, ModelDescription
from pixelmend.models.memory import Alert, FreedMemory, MemorySample
from pixelmend.models.recovery import RecoveryEvent
from pixelmend.tasks.image import ImageReport, ImageTask
from pixelmend.worker.commands import Command


@dataclass(frozen=True, slots=True)
class Configure:
    """First message to a worker."""

    settings: Settings
    kind: Literal["configure"] = "configure"


@dataclass(frozen=True, slots=True)
class Submit:
    task: ImageTask
    request_id: str | None = None
    kind: Literal["submit"] = "submit"


@dataclass(frozen=True, slots=True)
class Cancel:
    task_id: str
    kind: Literal["cancel"] = "cancel"


@dataclass(frozen=True, slots=True)
class Manage:
    """Settings that count from now on. Not a command: it is not queued, and cannot fail."""

    management: Management
    kind: Literal["manage"] = "manage"


@dataclass(frozen=True, slots=True)
class Shutdown:
    kind: Literal["shutdown"] = "shutdown"


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """A command of an operator; answered by `CommandResponse` once it has happened."""

    request_id: str
    command: Command
    kind: Literal["execute"] = "execute"


@dataclass(frozen=True, slots=True)
class Problem:
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class CommandResponse:
    """`problem`: why it did not happen, if so. freed: what it gave back, if that is what it was for."""

    request_id: str
    problem: Problem | None = None
    freed: FreedMemory | None = None
    kind: Literal["answer"] = "answer"


@dataclass(frozen=True, slots=True)
class Memory:
    sample: MemorySample
    kind: Literal["memory"] = "memory"


@dataclass(frozen=True, slots=True)
class MemoryAlert:
    alert: Alert
    kind: Literal["memory-alert"] = "memory-alert"


@dataclass(frozen=True, slots=True)
class Recovery:
    event: RecoveryEvent
    kind: Literal["recovery"] = "recovery"


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker takes tasks. `default_model_error`: why the default model cannot be used, if so.

    The models were told before.
    """

    device: DeviceDescription
    default_model_error: str | None = None
    kind: Literal["ready"] = "ready"


@dataclass(frozen=True, slots=True)
class Models:
    """A page of the worker's models, after they have changed; the list is complete with the `last` one."""

    models: tuple[ModelDescription, ...]
    last: bool = True
    kind: Literal["models"] = "models"


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """`step_age_s`: how long the device loop has been in its current step."""

    step_age_s: float
    kind: Literal["heartbeat"] = "heartbeat"


@dataclass(frozen=True, slots=True)
class Progress:
    task_id: str
    done_tiles: int
    total_tiles: int
    kind: Literal["progress"] = "progress"


@dataclass(frozen=True, slots=True)
class Done:
    task_id: str
    report: ImageReport
    kind: Literal["done"] = "done"


@dataclass(frozen=True, slots=True)
class Failed:
    task_id: str
    code: str
    message: str
    kind: Literal["failed"] = "failed"


@dataclass(frozen=True, slots=True)
class Returned:
    """The worker has not begun the task and will not: it takes no more. Another may."""

    task_id: str
    kind: Literal["returned"] = "returned"


@dataclass(frozen=True, slots=True)
class StartFailed:
    """The worker cannot start at all (a named device is absent, say); it exits after this."""

    code: str
    message: str
    kind: Literal["start_failed"] = "start_failed"


ToWorker = Annotated[
    Configure | Manage | Submit | Cancel | CommandRequest | Shutdown, Field(discriminator="kind")
]
MemoryEvent = Memory | MemoryAlert | CommandResponse
FromWorker = Annotated[
    Ready
    | Models
    | Heartbeat
    | Progress
    | Done
    | Failed
    | Returned
    | StartFailed
    | Memory
    | MemoryAlert
    | Recovery
    | CommandResponse,
    Field(discriminator="kind"),
]

MODELS_ON_A_PAGE = 100
"""A description takes at most some 5 kB: names and problems are bounded."""


def pages_of(models: Sequence[ModelDescription]) -> Iterator[Models]:
    """Any number of models as messages of which none is too long; at least one."""
    for start in range(0, max(1, len(models)), MODELS_ON_A_PAGE):
        end = start + MODELS_ON_A_PAGE
        yield Models(tuple(models[start:end]), last=end >= len(models))


Message = TypeVar("Message")

MAX_LINE_BYTES = 1 << 20
"""No message comes near; a longer line means that the stream is broken."""


class LineCodec(Generic[Message]):
    """One direction's messages as lines of JSON."""

    def __init__(self, adapter: TypeAdapter[Message]) -> None:
        self._adapter = adapter

    def encode(self, message: Message) -> bytes:
        return self._adapter.dump_json(message) + b"\n"

    def decode(self, line: bytes) -> Message:
        """Raises ValueError (pydantic's) for anything but a message of this direction."""
        return self._adapter.validate_json(line)


@functools.cache
def to_worker_codec() -> LineCodec[ToWorker]:
    return LineCodec(TypeAdapter(ToWorker))


@functools.cache
def from_worker_codec() -> LineCodec[FromWorker]:
    return LineCodec(TypeAdapter(FromWorker))


def failure(task_id: str, error: Exception) -> Failed:
    """The message for `error`."""
    problem = problem_of(error)
    return Failed(task_id, problem.code, problem.message)


def problem_of(error: Exception) -> Problem:
    """Only our own errors carry their words to a client."""
    known = known_error(error)
    return Problem(known.code, known.message)


class WorkerEnd:
    """The worker's end: blocking reads on one thread, writes from any."""

    def __init__(self, end: socket.socket) -> None:
        self._file = end.makefile("rwb", buffering=0)
        self._reader = end.makefile("rb")
        self._lock = threading.Lock()
        self._outgoing = from_worker_codec()
        self._incoming = to_worker_codec()

    def send(self, message: FromWorker) -> None:
        """Raises OSError if the other side is gone."""
        line = self._outgoing.encode(message)
        with self._lock:
            view = memoryview(line)
            while view:
                written = self._file.write(view)
                view = view[written or 0 :]

    def messages(self) -> Iterator[ToWorker]:
        """Until the other side closes or dies."""
        with suppress(ConnectionError):  # it died with messages of ours that it had not read
            while line := self._reader.readline(MAX_LINE_BYTES):
                yield self._incoming.decode(line)
