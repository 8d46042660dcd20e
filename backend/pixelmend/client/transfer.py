"""Fetches a job's file: what has arrived stays for the next attempt, and counts if its sha256 is right."""

import asyncio
import hashlib
from pathlib import Path

import httpx

from pixelmend.client.problems import Unavailable, refuse, words
from pixelmend.client.values import JobResult, Result
from pixelmend.core.error_codes import FULL_DISK
from pixelmend.core.errors import StorageFull


async def fetch(client: httpx.AsyncClient, expected: JobResult, out: Path) -> Result:
    """Into `out`, which is complete or untouched. Raises Unavailable if the transfer breaks off; what has
    arrived stays beside `out` for the next attempt. Raises StorageFull; nothing is left then.
    """
    part = out.with_name(f"{out.name}.{expected.sha256[:16]}.part")
    try:
        headers = await _receive(client, expected, part)
        digest = await asyncio.to_thread(_digest, part)
        if digest != expected.sha256:
            part.unlink()
            raise Unavailable(f"what arrived has sha256 {digest[:16]}, not {expected.sha256[:16]}")
        part.replace(out)
    except OSError as error:
        if error.errno not in FULL_DISK:
            raise
        part.unlink(missing_ok=True)
        raise StorageFull(f"no room left while writing {part.name}") from error
    return _result(expected, out, headers)


async def _receive(client: httpx.AsyncClient, expected: JobResult, part: Path) -> httpx.Headers:
    have_bytes = part.stat().st_size if part.exists() else 0
    headers = {}
    if 0 < have_bytes < expected.size_bytes:
        headers = {"Range": f"bytes={have_bytes}-", "If-Range": f'"{expected.sha256}"'}
    try:
        async with client.stream("GET", expected.url, headers=headers) as response:
            if response.status_code not in (200, 206):
                await response.aread()
                refuse(response)
            with part.open("ab" if response.status_code == 206 else "wb") as file:
                async for chunk in response.aiter_raw():
                    file.write(chunk)
            return response.headers
    except httpx.TransportError as error:
        raise Unavailable(words(error)) from error


def _result(expected: JobResult, path: Path, headers: httpx.Headers) -> Result:
    width, _, height = headers.get("x-pixelmend-size", "0x0").partition("x")
    return Result(
        path=path,
        size_bytes=expected.size_bytes,
        sha256=expected.sha256,
        media_type=expected.media_type,
        model=headers.get("x-pixelmend-model", ""),
        precision=headers.get("x-pixelmend-precision", ""),
        width_px=int(width),
        height_px=int(height),
        tiles=int(headers.get("x-pixelmend-tiles", "0").partition(";")[0]),
        total_s=float(headers.get("x-pixelmend-seconds", "0")),
        not_kept=tuple(filter(None, headers.get("x-pixelmend-not-kept", "").split(", "))),
        notes=tuple(filter(None, headers.get("x-pixelmend-notes", "").split("; "))),
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
