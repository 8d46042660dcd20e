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
from collections.abc import Mapping
from contextvars import ContextVar
from functools import partial
from typing import Literal, TextIO, cast

from pixelmend.core.log_lines import Render, as_json, as_text, fields_of

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)

SERVICE_LOGGER = "pixelmend.service"
"""The logger of our own processes. Programs that use the library have their own (docs/python.md)."""

LogFormat = Literal["auto", "json", "console"]

MAX_WAITING_LINES = 10_000
LAST_LINES_TIMEOUT_S = 1.0


class Logger:
    """Events with values, into Python's own `logging`. bound: values that all of its events have."""

    def __init__(self, **bound: object) -> None:
        self._target = logging.getLogger(SERVICE_LOGGER)
        self._bound = bound

    @classmethod
    def over(cls, name: str) -> "Logger":
        """Into the logger of that name, of which a program that is not ours decides what is written where."""
        logger = cls()
        logger._target = logging.getLogger(name)
        if not logger._target.handlers:
            logger._target.addHandler(logging.NullHandler())
        return logger

    def bind(self, **values: object) -> "Logger":
        other = Logger(**self._bound, **values)
        other._target = self._target
        return other

    def debug(self, event: str, **values: object) -> None:
        self._write(logging.DEBUG, event, values)

    def info(self, event: str, **values: object) -> None:
        self._write(logging.INFO, event, values)

    def warning(self, event: str, *, exc_info: BaseException | None = None, **values: object) -> None:
        self._write(logging.WARNING, event, values, exc_info)

    def error(self, event: str, *, exc_info: BaseException | None = None, **values: object) -> None:
        """exc_info: an error whose traceback is written."""
        self._write(logging.ERROR, event, values, exc_info)

    def exception(self, event: str, **values: object) -> None:
        """With the traceback of the error that is being handled."""
        self._write(logging.ERROR, event, values, sys.exception())

    def _write(
        self, level: int, event: str, values: Mapping[str, object], raised: BaseException | None = None
    ) -> None:
        if not self._target.isEnabledFor(level):
            return
        everything = {**self._bound, **values}
        request_id = REQUEST_ID.get()
        if request_id is not None:
            everything.setdefault("request_id", request_id)
        exc_info = None if raised is None else (type(raised), raised, raised.__traceback__)
        record = self._target.makeRecord(self._target.name, level, "", 0, event, (), exc_info)
        record.values = everything
        # Handlers of other programs find them as attributes, as `logging` has it.
        vars(record).update({name: value for name, value in everything.items() if not hasattr(record, name)})
        self._target.handle(record)


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


class _LineHandler(logging.Handler):
    def __init__(self, sink: LogSink, render: Render) -> None:
        super().__init__()
        self._sink = sink
        self._render = render

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._sink.write(self._render(fields_of(record)) + "\n")
        except Exception:
            self.handleError(record)


def configure_logging(level: str, log_format: LogFormat, stream: TextIO | None = None) -> LogSink:
    """Send every log line of this process to `stream` (default: standard error), by way of what is returned.

    Called once by an entry point. An exit by `os._exit` needs the sink's `close` first.
    """
    out = stream if stream is not None else sys.stderr
    as_json_lines = log_format == "json" or (log_format == "auto" and not out.isatty())
    sink = LogSink(out)
    ours = logging.getLogger(SERVICE_LOGGER)
    ours.handlers = [_LineHandler(sink, as_json if as_json_lines else partial(as_text, colours=out.isatty()))]
    ours.setLevel(level.upper())
    ours.propagate = False
    logging.basicConfig(level=logging.WARNING, stream=cast("TextIO", sink), force=True)
    logging.captureWarnings(True)  # Python's own would be written past the sink, and wait for its reader
    atexit.register(sink.close)
    return sink
