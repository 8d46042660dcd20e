"""Messages between the API process and the gateway: what a worker gets and tells, with the session it is of.

A session is the life of one worker process in a replica. Like the workers' own messages they are lines of
JSON on a socket pair; images do not travel here either: the gateway reads and writes the spool.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from pixelmend.core.config import Settings
from pixelmend.worker.protocol import FromWorker, LineCodec, ToWorker


@dataclass(frozen=True, slots=True)
class Begin:
    """First message to the gateway."""

    settings: Settings
    kind: Literal["begin"] = "begin"


@dataclass(frozen=True, slots=True)
class ToSession:
    session: str
    message: ToWorker
    kind: Literal["to-session"] = "to-session"


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many long jobs no replica has room for; what was told before does not count any more."""

    long_jobs: int
    kind: Literal["waiting"] = "waiting"


@dataclass(frozen=True, slots=True)
class Leave:
    """End the deployment, if it is ours, and the gateway."""

    kind: Literal["leave"] = "leave"


@dataclass(frozen=True, slots=True)
class Alive:
    """The cluster's head has answered."""

    kind: Literal["alive"] = "alive"


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Why nothing can be sent to replicas now."""

    reason: str
    kind: Literal["unavailable"] = "unavailable"


@dataclass(frozen=True, slots=True)
class Joined:
    """A worker has begun in the replica; its own messages follow. node: the name of its machine."""

    session: str
    replica: str
    node: str
    kind: Literal["joined"] = "joined"


@dataclass(frozen=True, slots=True)
class FromSession:
    session: str
    message: FromWorker
    kind: Literal["from-session"] = "from-session"


@dataclass(frozen=True, slots=True)
class Retiring:
    """The replica finishes what it has and takes no more."""

    session: str
    kind: Literal["retiring"] = "retiring"


@dataclass(frozen=True, slots=True)
class Left:
    """The session is over. by_itself, crashed: as in `WorkerEvents`. expected: it had nothing left to do."""

    session: str
    reason: str
    by_itself: bool
    expected: bool
    crashed: bool = False
    kind: Literal["left"] = "left"


ToGateway = Annotated[Begin | ToSession | Waiting | Leave, Field(discriminator="kind")]
FromGateway = Annotated[
    Alive | Unavailable | Joined | FromSession | Retiring | Left, Field(discriminator="kind")
]


def to_gateway_codec() -> LineCodec[ToGateway]:
    return LineCodec(TypeAdapter(ToGateway))


def from_gateway_codec() -> LineCodec[FromGateway]:
    return LineCodec(TypeAdapter(FromGateway))
