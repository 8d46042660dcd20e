"""Batches, as tests send them and read what comes back."""

import hashlib
import io
import json
import zipfile
from collections.abc import Sequence
from typing import Any

import httpx

from tests.pictures import encoded, photo
from tests.service import ServiceClient

FRESH = {"Cache-Control": "no-cache"}
CODE = "urn:pixelmend:problem:"


def picture(left: int, side_px: int = 40) -> bytes:
    return encoded(photo("chelsea", side_px=side_px, left=left, top=90))


def packed(*entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return buffer.getvalue()


def post_batch(
    service: ServiceClient,
    files: Sequence[tuple[str, bytes]],
    headers: dict[str, str] | None = None,
    **fields: Any,
) -> httpx.Response:
    form = {name: str(value) for name, value in fields.items()}
    sent = [("files", file) for file in files]
    return service.client.post("/api/upscale-batch", files=sent, data=form, headers=headers)


def opened(response: httpx.Response) -> tuple[zipfile.ZipFile, list[dict[str, Any]]]:
    assert response.status_code == 200, response.text
    archive = zipfile.ZipFile(io.BytesIO(response.content))
    assert archive.testzip() is None
    items: list[dict[str, Any]] = json.loads(archive.read("manifest.json"))["items"]
    outputs = [item["output"] for item in items if item["output"]]
    assert archive.namelist() == [*outputs, "manifest.json"]
    for item in items:
        assert (item["output"] is None) == (item["problem"] is not None)
        if item["output"]:
            assert hashlib.sha256(archive.read(item["output"])).hexdigest() == item["sha256"]
    return archive, items


def job_of(service: ServiceClient, files: Sequence[tuple[str, bytes]], **fields: Any) -> dict[str, Any]:
    form = {"task": "upscale-batch"} | {name: str(value) for name, value in fields.items()}
    response = service.client.post("/api/jobs", files=[("files", file) for file in files], data=form)
    assert response.status_code == 202, response.text
    job: dict[str, Any] = response.json()
    return job
