"""The field `image_url`: the image, or the film, is read from an address instead of the body."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import httpx

from pixelmend.api.uploads import TOLD_BYTES, FileField, Upload, UploadedFile
from pixelmend.core import buckets
from pixelmend.core.errors import FetchFailed, InvalidParameter, PayloadTooLarge
from pixelmend.core.outbound import Outbound
from pixelmend.imaging.storage import storage_errors

FIELD = "image_url"
MAX_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


async def with_fetched(
    upload: Upload,
    outbound: Outbound,
    into: FileField,
    timeout_s: float,
    on_received: Callable[[int], None],
) -> Upload:
    """The upload with the file that its address names, if it names one.

    into: where it goes, and how large it may be. timeout_s: for all of it. on_received: told of the bytes so
    far; what it raises ends it. Raises InvalidParameter, PayloadTooLarge, StorageFull, FetchFailed.
    """
    fields = dict(upload.fields)
    url = str(fields.pop(FIELD, "") or "").strip()
    if not url:
        return replace(upload, fields=fields)
    if upload.files.get("file"):
        raise InvalidParameter(f"the fields 'file' and '{FIELD}' exclude each other")
    outbound.require(FIELD, url)
    try:
        async with asyncio.timeout(timeout_s):
            file = await _fetch(url, outbound, into, on_received)
    except TimeoutError as error:
        raise FetchFailed(f"{FIELD}: {_host(url)} did not send it within {timeout_s:g} s") from error
    except buckets.BucketFailed as error:
        raise FetchFailed(f"{FIELD}: {error}") from error
    except httpx.TransportError as error:
        raise FetchFailed(f"{FIELD}: {_host(url)} cannot be read: {type(error).__name__}") from error
    return Upload(fields, {**upload.files, "file": (file,)})


async def _fetch(
    url: str, outbound: Outbound, into: FileField, on_received: Callable[[int], None]
) -> UploadedFile:
    """Raises httpx.TransportError and BucketFailed as well."""
    if url.startswith(buckets.SCHEME):
        async with buckets.opened(FIELD, url) as (size_bytes, chunks):
            return await _write(size_bytes, chunks, into, on_received, url.rpartition("/")[2][:255] or None)
    for _ in range(MAX_REDIRECTS + 1):
        async with outbound.request(FIELD, "GET", url, {"Accept": "image/*, video/*, */*"}) as response:
            if response.status_code in _REDIRECTS and "location" in response.headers:
                url = urljoin(url, response.headers["location"])
                continue
            _require_file(response, _host(url))
            length = response.headers.get("content-length", "")
            said_bytes = int(length) if length.isdecimal() else 0
            return await _write(said_bytes, response.aiter_raw(), into, on_received, _name(url))
    raise InvalidParameter(f"{FIELD}: there are more than {MAX_REDIRECTS} redirects")


def _require_file(response: httpx.Response, host: str) -> None:
    status = response.status_code
    if status >= 500 or status == 429:
        raise FetchFailed(f"{FIELD}: {host} answers {status}")
    if status != 200:
        raise InvalidParameter(f"{FIELD}: {host} answers {status}")
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise InvalidParameter(f"{FIELD}: {host} sends it compressed, which was not asked for")


async def _write(
    said_bytes: int,
    chunks: AsyncIterator[bytes],
    into: FileField,
    on_received: Callable[[int], None],
    name: str | None,
) -> UploadedFile:
    limit = f"{into.setting}={into.max_bytes}"
    if said_bytes > into.max_bytes:
        raise PayloadTooLarge(f"{FIELD}: the file has {said_bytes} bytes, {limit}")
    digest, received = hashlib.sha256(), 0
    with storage_errors(Path("the file")), into.path_of(0).open("wb") as file:
        async for chunk in chunks:
            before, received = received, received + len(chunk)
            if received > into.max_bytes:
                raise PayloadTooLarge(f"{FIELD}: the file exceeds {limit}")
            if before // TOLD_BYTES < received // TOLD_BYTES:
                on_received(received)
            file.write(chunk)
            digest.update(chunk)
    if not received:
        raise InvalidParameter(f"{FIELD}: the file is empty (0 bytes)")
    return UploadedFile(digest.hexdigest(), received, name)


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "")[:255]


def _name(url: str) -> str | None:
    return unquote(urlsplit(url).path.rpartition("/")[2])[:255] or None
