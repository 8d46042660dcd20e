"""Structured logs and the request id that joins them."""

import contextlib
import logging
import sys
from contextvars import ContextVar
from typing import Any, Literal, TextIO, cast

import structlog

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)

LogFormat = Literal["auto", "json", "console"]


class Logger:
    """The part of structlog's logger that we use, typed."""

    def __init__(self, **bound: object) -> None:
        self._logger: Any = structlog.get_logger().bind(**bound)

    def bind(self, **values: object) -> "Logger":
        other = Logger()
        other._logger = self._logger.bind(**values)
        return other

    def debug(self, event: str, **values: object) -> None:
        self._logger.debug(event, **values)

    def info(self, event: str, **values: object) -> None:
        self._logger.info(event, **values)

    def warning(self, event: str, **values: object) -> None:
        self._logger.warning(event, **values)

    def error(self, event: str, **values: object) -> None:
        self._logger.error(event, **values)

    def exception(self, event: str, **values: object) -> None:
        self._logger.exception(event, **values)


class _Unfailing:
    """Where the log's disk is full, lines are lost; the work that they are about goes on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()


def _add_request_id(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    request_id = REQUEST_ID.get()
    if request_id is not None:
        event.setdefault("request_id", request_id)
    return event


def configure_logging(level: str, log_format: LogFormat, stream: TextIO | None = None) -> None:
    """Send every log line of this process to `stream` (default: standard error).

    Called once by an entry point.
    """
    out = stream if stream is not None else sys.stderr
    as_json = log_format == "json" or (log_format == "auto" and not out.isatty())
    renderer = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=out.isatty())
    )
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _add_request_id,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if as_json:
        processors.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*processors, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(cast("int", getattr(logging, level.upper()))),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _Unfailing(out))),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=out, force=True)
