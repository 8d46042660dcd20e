"""A file as a response. The request's conditions and ranges are met as RFC 9110 says (sections 13, 14)."""

import asyncio
import os
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

_SPEC = re.compile(r"(\d{0,18})-(\d{0,18})")
_KEPT = ("etag", "last-modified", "cache-control")


class ServedFile(FileResponse):
    """Answers 304 and 412 by the request's conditions, and 416 as a problem."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises HTTPException."""
        if self.stat_result is None:
            self.stat_result = await asyncio.to_thread(os.stat, self.path)
            self.set_stat_headers(self.stat_result)
        asked = Headers(scope=scope)
        marks = self.headers["etag"], self.headers["last-modified"]
        status = status_by_conditions(asked, *marks)
        if status is HTTPStatus.PRECONDITION_FAILED:
            raise HTTPException(status, "the file is not, or no longer, what the request's condition wants")
        if status is HTTPStatus.NOT_MODIFIED:
            kept = {name: self.headers[name] for name in _KEPT if name in self.headers}
            await Response(status_code=status, headers=kept)(scope, receive, send)
            return
        headers = [(name, value) for name, value in scope["headers"] if name != b"range"]
        # If the file has changed since then, send all of it, even if the range lies beyond its end.
        if "range" in asked and asked.get("if-range", marks[0]) in marks:
            wanted = satisfiable(asked["range"], self.stat_result.st_size)
            if wanted is not None:
                headers.append((b"range", wanted.encode()))
        await super().__call__({**scope, "headers": headers}, receive, send)


def status_by_conditions(asked: Mapping[str, str], etag: str, modified: str) -> HTTPStatus | None:
    """412 or 304, or None if the file is to be sent. modified: an HTTP date."""
    if "if-match" in asked:
        if not _names(asked["if-match"], etag):
            return HTTPStatus.PRECONDITION_FAILED
    elif _is_after(modified, asked.get("if-unmodified-since")):
        return HTTPStatus.PRECONDITION_FAILED
    if "if-none-match" in asked:
        weakly = asked["if-none-match"].replace("W/", "")
        return HTTPStatus.NOT_MODIFIED if _names(weakly, etag) else None
    is_known = _is_after(modified, asked.get("if-modified-since")) is False
    return HTTPStatus.NOT_MODIFIED if is_known else None


def satisfiable(wanted: str, size_bytes: int) -> str | None:
    """A header `Range` with those of its ranges that lie in the file; None for one that is not understood,
    which counts as if it were not there. Raises HTTPException if no range lies in the file.
    """
    unit, _, specs = wanted.partition("=")
    found = [_SPEC.fullmatch(spec.strip()) for spec in specs.split(",")]
    if unit.strip().lower() != "bytes" or not all(found):
        return None
    inside = []
    for first, last in (match.groups() for match in found if match is not None):
        if not (first or last) or (first and last and int(first) > int(last)):
            return None
        # "-5" is the last five bytes.
        if (int(first) if first else 0) < size_bytes and (first or int(last) > 0):
            inside.append(f"{first}-{last}")
    if not inside:
        detail = f"Range: {wanted[:100]} has nothing of the file's {size_bytes} bytes"
        headers = {"Content-Range": f"bytes */{size_bytes}"}
        raise HTTPException(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, detail, headers)
    return f"bytes={','.join(inside)}"


def _names(tags: str, etag: str) -> bool:
    """Whether a list of tags has this one."""
    return tags.strip() == "*" or etag in (tag.strip() for tag in tags.split(","))


def _is_after(modified: str, moment: str | None) -> bool | None:
    """None if the moment is not given, or no date."""
    if moment is None:
        return None
    try:
        return parsedate_to_datetime(modified) > parsedate_to_datetime(moment)
    except (TypeError, ValueError):
        return None
