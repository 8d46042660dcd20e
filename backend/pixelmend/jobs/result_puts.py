"""`result_url`: a job's finished file is sent to an address by PUT, as presigned addresses take it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from pathlib import Path

import httpx

from pixelmend.core import buckets
from pixelmend.core.errors import ExtraMissing, InvalidParameter
from pixelmend.core.outbound import Outbound
from pixelmend.jobs.deliveries import Undeliverable
from pixelmend.jobs.model import JobRecord, JobState

FIELD = "result_url"
MIN_TIMEOUT_S = 60.0
SLOWEST_BYTES_PER_S = 400_000
"""About what an upload has to keep up by default, too."""
_READ_BYTES = 1 << 20


class ResultSender:
    field = FIELD

    def __init__(
        self,
        outbound: Outbound,
        held_file: Callable[[JobRecord], AbstractContextManager[Path | None]],
        media_type_of: Callable[[JobRecord], str],
    ) -> None:
        """held_file: of a job that is done; it stays meanwhile."""
        self.outbound = outbound
        self._held_file = held_file
        self._media_type_of = media_type_of

    async def send(self, url: str, record: JobRecord) -> str | None:
        if record.state in (JobState.FAILED, JobState.CANCELLED):
            raise Undeliverable(f"the job is {record.state}, so it has no result")
        with self._held_file(record) as path:
            if path is None or record.result is None:
                raise Undeliverable("the result is kept no longer")
            return await self._put(url, path, record.result.size_bytes, self._media_type_of(record))

    async def _put(self, url: str, path: Path, size_bytes: int, media_type: str) -> str | None:
        timeout_s = max(MIN_TIMEOUT_S, size_bytes / SLOWEST_BYTES_PER_S)
        try:
            self.outbound.require(FIELD, url)
            async with asyncio.timeout(timeout_s):
                if url.startswith(buckets.SCHEME):
                    await buckets.put(FIELD, url, path, media_type)
                    return None
                return await self._put_by_http(url, path, size_bytes, media_type)
        except (InvalidParameter, ExtraMissing) as refusal:
            return refusal.message
        except buckets.BucketFailed as error:
            return str(error)
        except TimeoutError:
            return f"not taken within {timeout_s:.0f} s"
        except httpx.TransportError as error:
            return f"{type(error).__name__}: {error}"[:200]

    async def _put_by_http(self, url: str, path: Path, size_bytes: int, media_type: str) -> str | None:
        # No others: a presigned address may allow only what it was signed for.
        headers = {"Content-Type": media_type, "Content-Length": str(size_bytes)}
        async with self.outbound.request(FIELD, "PUT", url, headers, lambda: _chunks(path)) as response:
            status = response.status_code
        return None if 200 <= status < 300 else f"the receiver answers {status}"


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, _READ_BYTES):
            yield chunk
