"""Structured logs and the request id that joins them."""

import atexit
import contextlib
import itertools
import logging
import os
import queue
import select
import sys
import threading
from contextvars import ContextVar
from typing import Any, Literal, TextIO, cast

import structlog

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)

LogFormat = Literal["auto", "json", "console"]

MAX_WAITING_LINES = 10_000
LAST_LINES_TIMEOUT_S = 1.0


class Logger:
    """The part of structlog's logger that we use, typed."""

    def __init__(self, **bound: object) -> None:
        self._logger: Any = structlog.get_logger().bind(**bound)

    @classmethod
    def over(cls, name: str) -> "Logger":
        """Into Python's own `logging`, of which a program that is not ours decides what is written where."""
        target = logging.getLogger(name)
        if not target.handlers:
            target.addHandler(logging.NullHandler())
        logger = cls()
        logger._logger = structlog.wrap_logger(
            target,
            processors=[structlog.stdlib.filter_by_level, structlog.stdlib.render_to_log_kwargs],
            wrapper_class=structlog.stdlib.BoundLogger,
        )
        return logger

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


class LogSink:
    """Where log lines go. Writing to it never waits: a reader that stops reading, a paused terminal or a full
    disk costs lines, which are counted, and holds up nothing else.

    Lines are written by a thread, straight to the descriptor: Python's own streams have a lock that a stuck
    write would keep, also from the interpreter's end. A stream without a descriptor is written to at once.
    """

    def __init__(self, stream: TextIO, max_lines: int = MAX_WAITING_LINES) -> None:
        self._stream = stream
        self._descriptor = _descriptor_of(stream)
        self._lines: queue.Queue[bytes] = queue.Queue(max_lines)
        self._dropped = itertools.count(1)
        self.dropped = 0
        """Lines that found no room, so far."""
        if self._descriptor is not None:
            threading.Thread(target=self._run, name="log", daemon=True).start()

    def write(self, text: str) -> int:
        if self._descriptor is None:
            with contextlib.suppress(OSError):
                self._stream.write(text)
            return len(text)
        try:
            # Whatever a client sent may stand in a line, half a surrogate pair included.
            self._lines.put_nowait(text.encode("utf-8", "backslashreplace"))
        except queue.Full:
            self.dropped = next(self._dropped)
        return len(text)

    def flush(self) -> None:
        """Part of what makes it a stream; the thread does not hold lines back."""

    def close(self, timeout_s: float = LAST_LINES_TIMEOUT_S) -> None:
        """Give lines that wait a moment to be written. Called at the end of the process."""
        with self._lines.all_tasks_done:
            self._lines.all_tasks_done.wait_for(lambda: not self._lines.unfinished_tasks, timeout_s)

    def _run(self) -> None:
        told = 0
        while True:
            line = self._lines.get()
            self._put(line)
            dropped = self.dropped
            if dropped != told:
                self._put(f'{{"event": "log lines were dropped", "lines": {dropped - told}}}\n'.encode())
                told = dropped
            self._lines.task_done()

    def _put(self, line: bytes) -> None:
        descriptor = self._descriptor
        assert descriptor is not None
        view = memoryview(line)
        with contextlib.suppress(OSError):
            while view:
                try:
                    view = view[os.write(descriptor, view) :]
                except BlockingIOError:  # another process made the pipe so
                    select.select([], [descriptor], [])


def _descriptor_of(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, ValueError, AttributeError):
        return None


def _add_request_id(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    request_id = REQUEST_ID.get()
    if request_id is not None:
        event.setdefault("request_id", request_id)
    return event


def configure_logging(level: str, log_format: LogFormat, stream: TextIO | None = None) -> LogSink:
    """Send every log line of this process to `stream` (default: standard error), by way of what is returned.

    Called once by an entry point. An exit by `os._exit` needs the sink's `close` first.
    """
    out = stream if stream is not None else sys.stderr
    as_json = log_format == "json" or (log_format == "auto" and not out.isatty())
    renderer = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=out.isatty())
    )
    sink = LogSink(out)
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
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", sink)),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=cast("TextIO", sink), force=True)
    logging.captureWarnings(True)  # Python's own would be written past the sink, and wait for its reader
    atexit.register(sink.close)
    return sink
