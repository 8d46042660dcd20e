"""Objects of S3 buckets, `s3://bucket/key`, by obstore (the extra `s3`): with the credentials and the
endpoint that the service's environment has (`AWS_*`), never with a caller's.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pixelmend.core.errors import ExtraMissing, InvalidParameter

if TYPE_CHECKING:
    from obstore.store import S3Store

SCHEME = "s3://"
MAX_KEY_BYTES = 1024
"""As S3 has it."""
CHUNK_BYTES = 1 << 20


class BucketFailed(Exception):
    """The store did not do it this time; the message names neither endpoint nor credentials."""


def bucket_and_key(field: str, url: str) -> tuple[str, str]:
    """The key is what follows, as it is written. Raises InvalidParameter for an address without either."""
    bucket, _, key = url.removeprefix(SCHEME).partition("/")
    if not bucket or not key or len(key.encode()) > MAX_KEY_BYTES:
        raise InvalidParameter(
            f"{field} has to be s3://bucket/key, with a key of {MAX_KEY_BYTES} bytes at most"
        )
    return bucket, key


def require_extra(field: str) -> None:
    """Raises ExtraMissing."""
    if find_spec("obstore") is None:
        raise ExtraMissing(f"{field} in a bucket needs the extra [s3]: pip install 'pixelmend[s3]'")


@asynccontextmanager
async def opened(field: str, url: str) -> AsyncIterator[tuple[int, AsyncIterator[bytes]]]:
    """The object's size in bytes, and its bytes. Takes as long as it takes.

    Raises InvalidParameter if it is not there or may not be read, BucketFailed.
    """
    bucket, key = bucket_and_key(field, url)
    with _translated(field, bucket):
        found = await _store(bucket).get_async(key)

        async def chunks() -> AsyncIterator[bytes]:
            async for chunk in found.stream(min_chunk_size=CHUNK_BYTES):
                yield bytes(chunk)

        yield found.meta["size"], chunks()


async def put(field: str, url: str, path: Path, media_type: str) -> None:
    """Write the file there, in parts if it is large. Raises InvalidParameter, BucketFailed."""
    bucket, key = bucket_and_key(field, url)
    with _translated(field, bucket):
        await _store(bucket).put_async(key, path, attributes={"Content-Type": media_type})


def _store(bucket: str) -> "S3Store":
    from obstore.store import S3Store

    # Whole transfers are bounded by the callers, by their sizes; a client's own bound knows none. HTTP is
    # used if the operator's endpoint says so; Amazon's own does not.
    return S3Store(
        bucket,
        client_options={
            "connect_timeout": timedelta(seconds=10),
            "timeout": timedelta(days=1),
            "allow_http": True,
        },
        retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=20)},
    )


@contextmanager
def _translated(field: str, bucket: str) -> Iterator[None]:
    from obstore import exceptions

    refusals = (
        exceptions.NotFoundError,
        FileNotFoundError,
        exceptions.PermissionDeniedError,
        exceptions.UnauthenticatedError,
        exceptions.InvalidPathError,
    )
    try:
        yield
    except refusals as error:
        raise InvalidParameter(f"{field}: the bucket {bucket!r} says {type(error).__name__}") from error
    except exceptions.BaseError as error:
        # Its own words have the endpoint, which is none of the callers' business.
        raise BucketFailed(f"the bucket {bucket!r} says {type(error).__name__}") from error
