"""The peers as processes that run when they are told to."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx

from benchmarks.machine import ROOT

START_TIMEOUT_S = 300.0


class PeerMissing(Exception):
    """A peer's packages are not installed."""


def reference_python() -> Path:
    """Where the peers are installed, or else this Python, which may have some of them."""
    python = ROOT / ".venv-reference" / "bin" / "python"
    return python if python.exists() else Path(sys.executable)


@dataclass(frozen=True, slots=True)
class Picture:
    """What the peers of one case upscale, (H, W, 3) in an .npy file, and with what."""

    weights: Path
    architecture: str
    input: Path


class PeerProcess:
    """A script of benchmarks/peers that was started without `--repeats`."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process = process
        self._log = log

    def wait_until_ready(self) -> None:
        """Raises PeerMissing."""
        self._read()

    def run(self) -> float:
        """Seconds of one run."""
        stdin = self._process.stdin
        assert stdin is not None
        stdin.write("\n")
        stdin.flush()
        return float(self._read()["seconds"])

    def _read(self) -> dict[str, Any]:
        stdout: IO[str] | None = self._process.stdout
        assert stdout is not None
        for line in stdout:
            if line.startswith("{"):
                said: dict[str, Any] = json.loads(line)
                if "missing" in said:
                    raise PeerMissing(f"{said['missing']} is not installed for this Python")
                if "saved" not in said:
                    return said
        raise RuntimeError(f"a peer ended: {self._log.read_text(errors='replace')[-600:]}")


@contextmanager
def peer(script: str, *arguments: object, folder: Path, python: Path | None = None) -> Iterator[PeerProcess]:
    """A peer that is loading; `wait_until_ready` before its first run."""
    log = folder / f"{script}-{time.monotonic_ns()}.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            _command(script, *arguments, python=python),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        yield PeerProcess(process, log)
    finally:
        process.kill()
        process.communicate()


@contextmanager
def network_peer(
    script: str, picture: Picture, precision: str, *more: object, folder: Path
) -> Iterator[PeerProcess]:
    """A peer that upscales `picture`."""
    arguments = ["--weights", picture.weights, "--architecture", picture.architecture]
    arguments += ["--input", picture.input, "--precision", precision, *more]
    with peer(script, *arguments, folder=folder) as process:
        yield process


class PlainServer:
    """peers/plain_server.py, ready."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def upscale(self, picture: bytes) -> tuple[float, bytes]:
        """Seconds from the request to the result's last byte, and the result."""
        began_s = time.perf_counter()
        answer = self._client.post("/upscale", files={"file": ("picture", picture)})
        seconds = time.perf_counter() - began_s
        answer.raise_for_status()
        return seconds, answer.content


@contextmanager
def plain_server(weights: Path, architecture: str, folder: Path) -> Iterator[PlainServer]:
    """Raises PeerMissing, RuntimeError."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "plain_server.log"
    arguments = ("--weights", weights, "--architecture", architecture, "--port", port)
    command = _command("plain_server", *arguments)
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=START_TIMEOUT_S) as client:
            _wait_for(client, process, log)
            yield PlainServer(client)
    finally:
        process.kill()
        process.wait()


def _command(script: str, *arguments: object, python: Path | None = None) -> list[str]:
    start = [str(python or reference_python()), "-W", "ignore", "-m", f"benchmarks.peers.{script}"]
    return start + [str(argument) for argument in arguments]


def _wait_for(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline_s and process.poll() is None:
        try:
            client.get("/ready").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    said = log.read_text(errors="replace")
    if '"missing"' in said:
        raise PeerMissing("realesrgan or basicsr is not installed")
    raise RuntimeError(f"the plain server does not start: {said[-600:]}")
