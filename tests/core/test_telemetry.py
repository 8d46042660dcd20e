"""Log lines never wait for their reader."""

import io
import os
import threading
from pathlib import Path

from pixelmend.core.telemetry import LogSink


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
