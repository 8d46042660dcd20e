"""Small bodies that are JSON, read and bounded here."""

import asyncio
import json
from typing import Any

from starlette.requests import Request

from pixelmend.core.errors import MalformedUpload, PayloadTooLarge

MAX_BODY_BYTES = 16_384


async def read_body(request: Request, timeout_s: float) -> bytes:
    """Raises PayloadTooLarge, and MalformedUpload for a body that does not end in time."""
    body = bytearray()
    try:
        async with asyncio.timeout(timeout_s):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise PayloadTooLarge(f"the body exceeds {MAX_BODY_BYTES} bytes; no image is needed here")
    except TimeoutError as error:
        raise MalformedUpload(f"the body did not end within upload_timeout_s={timeout_s:g}") from error
    return bytes(body)


def parse_object(body: bytes, *, expected: str = "JSON") -> dict[str, Any]:
    """expected: what it may be, in words. Raises MalformedUpload for all but an object in JSON."""
    try:
        given = json.loads(body)
        # Half a surrogate pair can be escaped in JSON and can be written nowhere.
        json.dumps(given, ensure_ascii=False).encode()
    except RecursionError as error:
        raise MalformedUpload("the body is JSON that is nested too deeply") from error
    except ValueError as error:
        raise MalformedUpload(f"the body is not {expected}: {error}") from error
    if not isinstance(given, dict):
        raise MalformedUpload("the body is JSON, but not an object of fields")
    return given


async def read_object(request: Request, timeout_s: float) -> dict[str, Any]:
    """The body, which has to be an object in JSON. Raises as the two above."""
    return parse_object(await read_body(request, timeout_s))
