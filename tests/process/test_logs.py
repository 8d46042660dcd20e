"""The log's reader stops reading, as `pixelmend serve | sleep 300` has it, and nothing else stops with it."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.pictures import encoded, photo
from tests.ports import free_port
from tests.service import EXIT_TIMEOUT_S, READY_TIMEOUT_S

PIPE_BYTES = 4096
ANSWER_TIMEOUT_S = 30.0
ENOUGH_REQUESTS = 200
"""Their lines are several times what the pipe holds."""


@contextmanager
def unread_service(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client, int]]:
    """A ready service whose log goes into a pipe that nothing reads, and the pipe's other end."""
    port = free_port()
    chosen = {
        "DEVICE": "cpu",
        "PORT": str(port),
        "DATA_DIR": str(folder / "data"),
        "MODELS_DIR": str(folder / "models"),
        "LOG_LEVEL": "debug",
    }
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PIXELMEND_")}
    environment |= {f"PIXELMEND_{name}": value for name, value in chosen.items()}
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    command = [sys.executable, "-m", "pixelmend.cli", "serve"]
    process = subprocess.Popen(command, env=environment, stdout=writing, stderr=writing, cwd=folder)
    os.close(writing)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=ANSWER_TIMEOUT_S) as client:
            _wait_until_ready(process, client)
            yield process, client, reading
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(reading)


def _wait_until_ready(process: subprocess.Popen[bytes], client: httpx.Client) -> None:
    deadline_s = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline_s:
        assert process.poll() is None
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError("the service does not become ready")


def fill_the_pipe(client: httpx.Client) -> None:
    for _ in range(ENOUGH_REQUESTS):
        assert client.get("/api/info").status_code == 200
    # The worker's log goes the same way.
    for left in range(2):
        picture = encoded(photo(side_px=40, left=left))
        assert client.post("/api/upscale", files={"file": picture}).status_code == 200


@pytest.fixture
def unread(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client, int]]:
    with unread_service(tmp_path) as started:
        yield started


@pytest.mark.full
@pytest.mark.drill("a log reader that stops reading, then SIGTERM", times=1)
def test_requests_are_answered_and_sigterm_ends_it(
    unread: tuple[subprocess.Popen[bytes], httpx.Client, int],
) -> None:
    process, client, _ = unread
    fill_the_pipe(client)
    process.send_signal(signal.SIGTERM)
    assert process.wait(EXIT_TIMEOUT_S) == 0
