"""What log lines tell, and that they never wait for their reader."""

import io
import json
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pixelmend.core.log_lines import as_text
from pixelmend.core.telemetry import REQUEST_ID, SERVICE_LOGGER, LogFormat, Logger, LogSink, configure_logging


def test_lines_without_room_are_dropped_and_counted() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream, os.fdopen(reading, "rb") as reader:
        sink = LogSink(stream, max_lines=10)
        line = "x" * 100_000 + "\n"  # more than a pipe holds, so that the first write waits
        for _ in range(50):
            sink.write(line)
        # One is being written and ten wait.
        assert 39 <= sink.dropped <= 40
        got = bytearray()

        def read() -> None:
            while b"lines were dropped" not in got:
                got.extend(os.read(reader.fileno(), 1 << 16))

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        thread.join(30)
        assert f'"lines": {sink.dropped}'.encode() in got


def test_half_a_surrogate_pair_and_a_full_disk_do_no_harm() -> None:
    with Path("/dev/full").open("w") as full:
        sink = LogSink(full)
        sink.write("lost \ud800\n")
        sink.close()
    text = io.StringIO()
    sink = LogSink(text)
    sink.write("at once\n")
    assert text.getvalue() == "at once\n"
    sink.close()


@pytest.fixture
def unchanged() -> Iterator[None]:
    """Leaves Python's own logging as it was."""
    root, ours = logging.getLogger(), logging.getLogger(SERVICE_LOGGER)
    before = (root.handlers[:], root.level, ours.handlers[:], ours.level, ours.propagate)
    yield
    logging.captureWarnings(False)
    root.handlers, root.level, ours.handlers, ours.level, ours.propagate = before
    ours.setLevel(ours.level)  # forgets which levels were enabled


def written(log_format: LogFormat, level: str = "info") -> str:
    text = io.StringIO()
    sink = configure_logging(level, log_format, text)
    log = Logger(process="api").bind(job="j1")
    log.debug("not told at this level")
    REQUEST_ID.set("r1")
    try:
        log.warning("half \udc80", path=Path("/some where"), count=3)
        try:
            raise ZeroDivisionError("by nought")
        except ZeroDivisionError as error:
            log.exception("caught")
            log.error("kept", exc_info=error)
    finally:
        REQUEST_ID.set(None)
        sink.close()
    return text.getvalue()


@pytest.mark.usefixtures("unchanged")
def test_a_line_of_json_has_the_event_its_values_and_what_is_bound() -> None:
    first, caught, kept = (json.loads(line) for line in written("json").splitlines())
    assert first.pop("timestamp").endswith("Z")
    assert first == {
        "process": "api",
        "job": "j1",
        "path": f"{Path('/some where')!r}",
        "count": 3,
        "event": "half \udc80",
        "request_id": "r1",
        "level": "warning",
    }
    for line, event in ((caught, "caught"), (kept, "kept")):
        assert (line["event"], line["level"]) == (event, "error")
        assert line["exception"].startswith("Traceback (most recent call last):\n")
        assert line["exception"].endswith("\nZeroDivisionError: by nought")


@pytest.mark.usefixtures("unchanged")
def test_lines_for_a_terminal_say_the_same() -> None:
    lines = written("console", "debug").splitlines()
    assert "[debug    ] not told at this level" in lines[0]
    assert "job=j1" in lines[1]
    assert "count=3" in lines[1]
    assert "'/some where'" in lines[1]
    assert "ZeroDivisionError: by nought" in lines


def test_colours_change_no_word() -> None:
    fields = {"event": "an event", "level": "info", "timestamp": "now", "name": "a b", "id": "x"}
    assert as_text(fields) == "now [info     ] an event                       id=x name='a b'"
    plain = as_text(fields, colours=True)
    for code in range(37):
        plain = plain.replace(f"\x1b[{code}m", "")
    assert plain == as_text(fields)


def test_values_reach_the_logger_of_another_program(caplog: pytest.LogCaptureFixture) -> None:
    """Also those whose names Python's records have for themselves."""
    Logger.over("tests.telemetry").warning("an event", model="m", name="n", process="p")
    (record,) = caplog.records
    values = vars(record)
    assert (record.message, values["model"], record.name) == ("an event", "m", "tests.telemetry")
    assert values["values"] == {"model": "m", "name": "n", "process": "p"}
