"""Traces of requests and jobs: what is told of them, and what it is told to."""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol

TRACEPARENT: ContextVar[str | None] = ContextVar("traceparent", default=None)
"""The span of the request that is answered, as W3C's header `traceparent` says it."""

Attributes = Mapping[str, str | int | float]


@dataclass(frozen=True, slots=True)
class FinishedSpan:
    """Something that is over. Times are seconds since 1970. error: why it failed, if it did."""

    name: str
    start_s: float
    end_s: float
    attributes: Attributes = field(default_factory=dict)
    error: str | None = None
    children: Sequence["FinishedSpan"] = ()


class RequestSpan(Protocol):
    """A request that is being answered."""

    @property
    def traceparent(self) -> str: ...

    def end(self, name: str, attributes: Attributes, *, failed: bool) -> None: ...


class Traces(Protocol):
    """Where spans go. No method raises for a collector that fails, or waits for one."""

    def begin_request(self, name: str, traceparent: str | None, tracestate: str | None) -> RequestSpan:
        """traceparent, tracestate: of its headers, as they came."""

    def add(self, span: FinishedSpan, traceparent: str | None) -> None:
        """traceparent: of the span that it is a part of, if there is one."""

    def close(self) -> None:
        """Send what waits, if it can be sent at once. Blocks for some seconds at most."""
