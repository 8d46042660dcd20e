"""The real service, for tests that talk to it as a client would: as a process of its own, or in a thread.

In threads (tests/inprocess.py) a start takes a tenth of the time, with the same code, sockets and files. What
kills, signals or looks into processes needs processes.
"""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil

EXCERPT_LINES = 60
WAITING = re.compile(r'"method": "GET", "path": "(/api/health|/readyz|/api/jobs/\w+)", "status": (200|503)')
"""A request by which a test waits for something; they are most of a log."""

READY_TIMEOUT_S = 120.0
EXIT_TIMEOUT_S = 45.0
"""After SIGTERM: the service drains for 25 s and gives late answers 5 more."""


def client_of(base_url: str) -> httpx.Client:
    """For plain HTTP. With TLS each client would read the certificates of this machine first, for 20 ms."""
    return httpx.Client(base_url=base_url, timeout=120.0, verify=False)


class ServiceClient:
    """A started service. `client` talks to it; `log` is what it has written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.spool = folder / "data" / "spool"
        self.base_url = ""
        self.client = client_of("")

    def require_running(self) -> None:
        """Raises AssertionError if the service has ended."""

    def hold_worker(self) -> None:
        """The worker takes up nothing new until `release_worker`."""
        raise NotImplementedError

    def release_worker(self) -> None:
        raise NotImplementedError

    def lose_worker(self) -> None:
        """The worker ends as if it had been killed."""
        raise NotImplementedError

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    @property
    def log_excerpt(self) -> str:
        """For a failed test's message: the last lines but those of requests by which tests wait."""
        lines = [line for line in self.log.splitlines() if not WAITING.search(line)]
        return "\n".join(lines[-EXCERPT_LINES:])

    def wait_until(self, what: str, timeout_s: float = READY_TIMEOUT_S, **expected: object) -> None:
        """Until /api/health has all the `expected` fields."""
        deadline_s = time.monotonic() + timeout_s
        seen: dict[str, object] = {}
        while time.monotonic() < deadline_s:
            self.require_running()
            seen = self.client.get("/api/health").json()
            if all(seen.get(name) == value for name, value in expected.items()):
                return
            time.sleep(0.02)
        raise AssertionError(f"{what} did not come about; health: {seen}\n{self.log_excerpt}")

    def wait_until_ready(self) -> None:
        self.wait_until("readiness", status="healthy")

    def spooled_files(self) -> list[str]:
        """All but the results that are kept for anyone who asks again."""
        with closing(sqlite3.connect(self.folder / "data" / "jobs.db")) as db:
            rows = db.execute("SELECT record ->> '$.result.name' FROM jobs WHERE state = 'done'")
            kept = {row[0] for row in rows}
        return [path.name for path in self.spool.iterdir() if path.name not in kept]

    def wait_until_spool_is_empty(self, timeout_s: float = 20.0) -> None:
        deadline_s = time.monotonic() + timeout_s
        while self.spooled_files() and time.monotonic() < deadline_s:
            time.sleep(0.02)
        left = self.spooled_files()
        assert not left, f"left in the spool: {left}\n{self.log_excerpt}"

    def require_no_bug(self) -> None:
        """Nothing was logged as a bug, whatever was answered."""
        # Lines that name no process are other tests', which share this process's log.
        found = re.findall(r'^.*"process": .*"event": "[^"]*\ba bug\b.*$', self.log, re.MULTILINE)
        assert not found, "\n".join(found)

    def wait_until_logged(self, words: str, timeout_s: float = 20.0) -> None:
        deadline_s = time.monotonic() + timeout_s
        while words not in self.log:
            assert time.monotonic() < deadline_s, f"never logged: {words}\n{self.log_excerpt}"
            time.sleep(0.02)

    def post_job(
        self, data: bytes, headers: dict[str, str] | None = None, **fields: object
    ) -> httpx.Response:
        form = {"task": "upscale"} | {name: str(value) for name, value in fields.items()}
        return self.client.post("/api/jobs", files={"file": ("photo.jpg", data)}, data=form, headers=headers)

    def job(self, job_id: str) -> dict[str, Any]:
        job: dict[str, Any] = self.client.get(f"/api/jobs/{job_id}").json()
        return job

    def ended_job(self, job_id: str, timeout_s: float = 60.0) -> dict[str, Any]:
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s:
            job = self.job(job_id)
            if job["state"] not in ("queued", "running"):
                return job
            time.sleep(0.02)
        raise AssertionError(f"the job does not end: {job}\n{self.log_excerpt}")


class RunningService(ServiceClient):
    """`pixelmend serve` as a process."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        super().__init__(folder)
        self.process = process

    def require_running(self) -> None:
        if self.process.poll() is not None:
            raise AssertionError(f"the service ended with {self.process.returncode}:\n{self.log_excerpt}")

    def worker(self) -> psutil.Process:
        """The engine worker, once there is one."""
        deadline_s = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline_s:
            for child in psutil.Process(self.process.pid).children():
                # A worker that was just killed may vanish, or be a zombie, while it is looked at.
                with suppress(psutil.NoSuchProcess):
                    if "pixelmend.worker.process" in child.cmdline():
                        return child
            time.sleep(0.02)
        raise AssertionError("no worker process")

    def hold_worker(self) -> None:
        self.worker().send_signal(signal.SIGSTOP)

    def release_worker(self) -> None:
        self.worker().send_signal(signal.SIGCONT)

    def lose_worker(self) -> None:
        self.worker().send_signal(signal.SIGKILL)

    def kill(self) -> None:
        """SIGKILL, as the kernel does if memory runs out."""
        self.process.kill()
        self.process.wait()


@contextmanager
def running_service(
    folder: Path,
    program: Sequence[str] = ("-m", "pixelmend.cli", "serve"),
    python: Path | str = sys.executable,
    variables: Mapping[str, str] = os.environ,
    /,
    *,
    wait_for_port_only: bool = False,
    **settings: object,
) -> Iterator[RunningService]:
    """settings: PIXELMEND_ settings by their names in lower case. program: for `python`. variables: of its
    environment, beside those settings.
    """
    environment = {k: v for k, v in variables.items() if not k.startswith("PIXELMEND_")}
    chosen: dict[str, object] = {
        "device": "cpu",
        "port": 0,
        "data_dir": folder / "data",
        "models_dir": folder / "models",
        "log_format": "json",
        **settings,
    }
    environment |= {f"PIXELMEND_{name.upper()}": str(value) for name, value in chosen.items()}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [python, *program],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
        )
    service = RunningService(process, folder)
    try:
        service.base_url = _wait_for_address(service)
        service.client = client_of(service.base_url)
        if not wait_for_port_only:
            service.wait_until_ready()
        yield service
        service.require_no_bug()
    finally:
        service.client.close()
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(EXIT_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                service.kill()
                message = f"the service did not leave within {EXIT_TIMEOUT_S:g} s of SIGTERM"
                raise AssertionError(f"{message}:\n{service.log_excerpt}") from None


def _wait_for_address(service: RunningService) -> str:
    deadline_s = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline_s:
        found = re.search(r'"address": "(http://[^"]+)"', service.log)
        if found:
            return found[1]
        if service.process.poll() is not None:
            break
        time.sleep(0.02)
    raise AssertionError(f"the service did not start:\n{service.log_excerpt}")
