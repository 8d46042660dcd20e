"""Sends files to a Pixelmend service. Whatever breaks, sending the same again costs the service nothing."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import httpx
from httpx_sse import SSEError, aconnect_sse

from pixelmend.cli.files import FileJob, make_writable
from pixelmend.cli.outcomes import Outcome, failed
from pixelmend.cli.problems import error_of
from pixelmend.cli.request import Request
from pixelmend.core.errors import (
    Draining,
    InternalError,
    InvalidParameter,
    NoWorker,
    PixelmendError,
    QueueFull,
    QuotaExceeded,
    ResultExpired,
    StorageFull,
    UnknownJob,
)
from pixelmend.core.text import printable
from pixelmend.imaging.storage import storage_errors

MAX_FAILURES = 8
"""In a row, for one file; together they wait for about two minutes."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
TIMEOUT = httpx.Timeout(60.0, connect=10.0, pool=None)
"""The service sends something every 15 s while a job runs."""
_ENDED = ("done", "failed", "cancelled", "expired")
_BUSY = (QueueFull, QuotaExceeded, Draining)
"""It will be better later, however long that takes."""


@dataclass(frozen=True, slots=True)
class RemoteReport:
    """From the headers of a result."""

    width_px: int
    height_px: int
    tiles: int
    total_s: float
    precision: str
    not_kept: tuple[str, ...]
    notes: tuple[str, ...]


class _Unavailable(Exception):
    """The service could not be asked, or asks for patience. pause_s: how long, if it says so."""

    def __init__(self, reason: str, pause_s: float | None = None, *, busy: bool = False) -> None:
        super().__init__(reason)
        self.pause_s = pause_s
        self.busy = busy


class RemoteEngine:
    """The engine of a service at some URL."""

    def __init__(self, client: httpx.AsyncClient, info: dict[str, Any]) -> None:
        self._client = client
        device = info.get("device") or {}
        self.label = f"{client.base_url} ({device.get('name') or 'no device yet'})"

    async def process(
        self, file: FileJob, request: Request, on_progress: Callable[[int, int], None]
    ) -> Outcome:
        failures = 0

        def note_progress(done: int, total: int) -> None:
            nonlocal failures
            failures = 0  # it goes on, so failures are counted from here
            on_progress(done, total)

        try:
            while True:
                try:
                    report = await self._once(file, request, note_progress)
                    return Outcome(file, report, None)
                except _Unavailable as error:
                    failures += not error.busy
                    if failures >= MAX_FAILURES:
                        raise NoWorker(f"given up after {failures} attempts: {error}") from error
                    own_pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** max(0, failures - 1))
                    await asyncio.sleep(error.pause_s or own_pause_s)
        except Exception as error:
            return failed(file, error)

    async def _once(
        self, file: FileJob, request: Request, on_progress: Callable[[int, int], None]
    ) -> RemoteReport:
        """Raises _Unavailable if trying again may help, else what the file is refused for."""
        make_writable(file.result.parent)
        job = await self._submit(file, request)
        while job["state"] not in _ENDED:
            job = await self._watch(job["id"], on_progress)
        if job["state"] == "expired":
            raise _Unavailable("the result had expired before it was fetched")
        if job["state"] != "done":
            raise error_of(job["problem"], 200)
        return await self._fetch(job, file.result)

    async def _submit(self, file: FileJob, request: Request) -> dict[str, Any]:
        paths = {"file": file.source} | ({} if file.mask is None else {"mask": file.mask})
        with ExitStack() as opened:
            files = {
                name: (printable(path.name), opened.enter_context(path.open("rb")))
                for name, path in paths.items()
            }
            response = await self._asked("POST", "/api/jobs", files=files, data=request.fields)
        job: dict[str, Any] = response.json()
        return job

    async def _watch(self, job_id: str, on_progress: Callable[[int, int], None]) -> dict[str, Any]:
        """Until the job ends, or the stream does. What it was at last."""
        job: dict[str, Any] | None = None
        try:
            async with aconnect_sse(self._client, "GET", f"/api/jobs/{job_id}/events") as source:
                if source.response.status_code != 200:
                    await source.response.aread()
                    _refuse(source.response)
                async for event in source.aiter_sse():
                    if event.event == "drain":
                        raise _Unavailable("the service is shutting down")
                    if event.event in ("state", "progress"):
                        job = json.loads(event.data)
                        progress = job["progress"]
                        on_progress(progress["done_tiles"], progress["total_tiles"])
        except (UnknownJob, ResultExpired) as error:
            raise _Unavailable(error.message) from error  # it is submitted again
        except (httpx.TransportError, SSEError, ValueError, KeyError, TypeError) as error:
            raise _Unavailable(_words(error)) from error
        if job is None or job["state"] not in _ENDED:
            raise _Unavailable("the stream of events ended before the job did")
        return job

    async def _fetch(self, job: dict[str, Any], result: Path) -> RemoteReport:
        """Raises _Unavailable if the transfer breaks off; what has arrived stays for the next attempt.
        Raises StorageFull; nothing is left then.
        """
        part = result.with_name(f"{result.name}.{job['result']['sha256'][:16]}.part")
        try:
            return await self._receive(job["result"], part, result)
        except StorageFull:
            part.unlink(missing_ok=True)
            raise

    async def _receive(self, expected: dict[str, Any], part: Path, result: Path) -> RemoteReport:
        with storage_errors(part):
            have_bytes = part.stat().st_size if part.exists() else 0
            headers = {}
            if 0 < have_bytes < expected["size_bytes"]:
                headers = {"Range": f"bytes={have_bytes}-", "If-Range": f'"{expected["sha256"]}"'}
            try:
                async with self._client.stream("GET", expected["url"], headers=headers) as response:
                    if response.status_code not in (200, 206):
                        await response.aread()
                        _refuse(response)
                    with part.open("ab" if response.status_code == 206 else "wb") as file:
                        async for chunk in response.aiter_raw():
                            file.write(chunk)
                    report = _report_of(response.headers)
            except (UnknownJob, ResultExpired) as error:
                raise _Unavailable(error.message) from error
            except httpx.TransportError as error:
                raise _Unavailable(_words(error)) from error
            digest = await asyncio.to_thread(_digest, part)
            if digest != expected["sha256"]:
                part.unlink()
                raise _Unavailable(f"what arrived has sha256 {digest[:16]}, not {expected['sha256'][:16]}")
            part.replace(result)
        return report

    async def _asked(self, method: str, path: str, **request: Any) -> httpx.Response:
        """The answer if it is a success. Raises _Unavailable, or what the request is refused for."""
        try:
            response = await self._client.request(method, path, **request)
        except httpx.TransportError as error:
            raise _Unavailable(_words(error)) from error
        if not response.is_success:
            _refuse(response)
        return response


@asynccontextmanager
async def remote_engine(url: str, key: str | None) -> AsyncIterator[RemoteEngine]:
    """Raises InvalidParameter if no Pixelmend service answers at `url`, and what a key is refused for."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        client = httpx.AsyncClient(base_url=url.rstrip("/"), headers=headers, timeout=TIMEOUT)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise InvalidParameter(f"server={url!r} is no URL: {error}") from error
    async with client:
        yield RemoteEngine(client, await _info(client, url))


async def _info(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    try:
        response = await client.get("/api/info")
        info = response.json()
        name = info["name"]
        # Says at once whether the key is good, and not for each file.
        asked = await client.get("/api/jobs/none")
        problem = asked.json()
    except (httpx.TransportError, httpx.UnsupportedProtocol) as error:
        raise InvalidParameter(f"server={url!r} does not answer: {_words(error)}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidParameter(
            f"server={url!r} is no Pixelmend service: /api/info says {response.status_code}"
        ) from error
    if name != "pixelmend":
        raise InvalidParameter(f"server={url!r} is no Pixelmend service but {str(name)[:40]!r}")
    if asked.status_code in (401, 403):
        raise error_of(problem, asked.status_code)
    found: dict[str, Any] = info
    return found


def _refuse(response: httpx.Response) -> NoReturn:
    try:
        error = error_of(response.json(), response.status_code)
    except ValueError:
        # Not ours: a proxy before it, say.
        error = PixelmendError(f"{response.request.url} answers {response.status_code}")
        if response.status_code < 500:
            raise error from None
    pause = response.headers.get("retry-after", "")
    if isinstance(error, _BUSY):
        raise _Unavailable(error.message, float(pause) if pause.isdecimal() else None, busy=True)
    if response.status_code >= 500 and not (type(error) is InternalError and response.status_code == 500):
        raise _Unavailable(error.message, float(pause) if pause.isdecimal() else None)
    raise error


def _report_of(headers: httpx.Headers) -> RemoteReport:
    width, _, height = headers.get("x-pixelmend-size", "0x0").partition("x")
    return RemoteReport(
        int(width),
        int(height),
        int(headers.get("x-pixelmend-tiles", "0").partition(";")[0]),
        float(headers.get("x-pixelmend-seconds", "0")),
        headers.get("x-pixelmend-precision", "?"),
        tuple(filter(None, headers.get("x-pixelmend-not-kept", "").split(", "))),
        tuple(filter(None, headers.get("x-pixelmend-notes", "").split("; "))),
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
