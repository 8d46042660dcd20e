"""Everything that reads what strangers send, each as a check that may be given anything.

A target raises nothing: errors of the documented kinds are caught in it, all others are findings.
"""

import asyncio
import contextlib
import io
import json
import sqlite3
import tempfile
import zipfile
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from pydantic import TypeAdapter

from pixelmend.api.dialects.json_upload import read_json_upload
from pixelmend.api.uploads import FileField, read_upload
from pixelmend.core.errors import (
    CorruptImage,
    ImageTooLarge,
    InvalidParameter,
    MalformedUpload,
    PayloadTooLarge,
    TooManyFrames,
    UnsupportedFormat,
)
from pixelmend.core.geometry import Size
from pixelmend.core.telemetry import Logger
from pixelmend.imaging.codec import configure_decoders, decode
from pixelmend.imaging.mask import hole_from_mask
from pixelmend.imaging.names import safe_path
from pixelmend.imaging.probe import InputLimits, probe
from pixelmend.jobs.model import JobRecord
from pixelmend.jobs.store import JobStore
from pixelmend.jobs.unpacking import UnpackLimits, unpack
from pixelmend.tasks.image import ImageTask
from pixelmend.tasks.options import ImageOptions, UpscaleOptions
from pixelmend.worker.protocol import Progress, Submit, from_worker_codec, to_worker_codec
from tests.fuzz.films import CASES, film
from tests.fuzz.mutations import Edit, edited, edits
from tests.imaging import samples

LIMITS = InputLimits(max_pixels=1_000_000, max_side=2000)
UNPACK = UnpackLimits(max_items=20, max_bytes=1_000_000, max_image_bytes=500_000)
OF_AN_IMAGE = (UnsupportedFormat, CorruptImage, ImageTooLarge, TooManyFrames)
OF_AN_UPLOAD = (MalformedUpload, InvalidParameter, PayloadTooLarge)


@dataclass(frozen=True, slots=True)
class Target:
    name: str
    cases: st.SearchStrategy[Any]
    check: Callable[[Any], None]


@cache
def images() -> dict[str, bytes]:
    configure_decoders(1)
    return samples.one_of_each()


@contextlib.contextmanager
def file_of(data: bytes) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(data)
        yield path


IMAGES = st.tuples(st.sampled_from(["avif", "bmp", "gif", "heic", "jpeg", "png", "tiff", "webp"]), edits())


def header(case: tuple[str, list[Edit]]) -> None:
    with file_of(edited(images()[case[0]], case[1])) as path, suppress(*OF_AN_IMAGE):
        info = probe(path, LIMITS, first_frame=True)
        assert info.size.pixels <= LIMITS.max_pixels


def image(case: tuple[str, list[Edit]]) -> None:
    with file_of(edited(images()[case[0]], case[1])) as path, suppress(*OF_AN_IMAGE):
        decoded = decode(path, LIMITS, first_frame=True)
        assert decoded.size.pixels <= LIMITS.max_pixels


def mask(case: tuple[str, list[Edit]]) -> None:
    with file_of(edited(images()[case[0]], case[1])) as path, suppress(*OF_AN_IMAGE, InvalidParameter):
        decoded = decode(path, LIMITS, first_frame=True)
        hole = hole_from_mask(decoded.pixels, Size(40, 60))
        assert hole.pixels.shape == (60, 40)
        assert hole.pixels.dtype == np.bool_


@cache
def zip_sample() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.png", images()["png"], zipfile.ZIP_DEFLATED)
        archive.writestr("deep/\u00e4.jpg", images()["jpeg"])
        archive.writestr("deep/", b"")
    return packed.getvalue()


def zip_archive(changes: list[Edit]) -> None:
    with file_of(edited(zip_sample(), changes)) as path:
        out = path.with_name("out")
        out.mkdir()
        with suppress(*OF_AN_UPLOAD):
            for entry in unpack(path, out, UNPACK):
                entry.file_name.encode()
                safe_path(entry.file_name)
        assert all(found.parent == out for found in out.rglob("*"))


BOUNDARY = "limit"
MULTIPART = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="scale"\r\n\r\n2\r\n--{BOUNDARY}\r\n'
    'Content-Disposition: form-data; name="file"; filename*=UTF-8\'\'%C3%A4.png; filename="a"\r\n'
    f"Content-Type: image/png\r\n\r\nabc\r\n--{BOUNDARY}--\r\n"
).encode()


def multipart(case: tuple[list[Edit], int, list[Edit]]) -> None:
    changes, at_once, of_type = case
    body = edited(MULTIPART, changes)
    kind = edited(f"multipart/form-data; boundary={BOUNDARY}".encode(), of_type) if of_type else None
    content_type = f"multipart/form-data; boundary={BOUNDARY}" if kind is None else kind.decode("latin-1")

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), at_once):
            yield body[start : start + at_once]

    with file_of(b"") as path, suppress(*OF_AN_UPLOAD):
        fields = {"file": FileField(lambda _: path, 10_000, "max_upload_bytes")}
        upload = asyncio.run(read_upload(content_type, None, chunks(), fields))
        for file in upload.files.get("file", ()):
            (file.file_name or "").encode()


JSON_IMAGES = (
    b'{"image": "data:image/png;base64,QUJD\\/+8=", "n": [1, null, {"data": "QUJDRA=="}, {"data": ""}], '
    b'"\\u00e4 \\"image\\":": "image"}'
)


def json_images(case: tuple[list[Edit], int]) -> None:
    changes, at_once = case
    body = edited(JSON_IMAGES, changes)

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), at_once):
            yield body[start : start + at_once]

    with tempfile.TemporaryDirectory() as folder, suppress(*OF_AN_UPLOAD):
        place = Path(folder)
        fields = {
            "image": FileField(lambda n: place / f"image{n}", 10_000, "max_upload_bytes"),
            "data": FileField(lambda n: place / f"data{n}", 10_000, "max_upload_bytes", most=2),
        }
        upload = asyncio.run(read_json_upload("", None, chunks(), fields, lambda _: None))
        sent = [(name, n, file) for name, files in upload.files.items() for n, file in enumerate(files)]
        assert all((place / f"{name}{n}").stat().st_size == file.size_bytes for name, n, file in sent)
        # A parser of whole texts takes it as well, with the same names.
        assert json.loads(body).keys() == upload.fields.keys()


def worker_message(case: tuple[bool, list[Edit]]) -> None:
    """Either side takes a message for what it is or refuses it with a ValueError."""
    to_worker, changes = case
    with suppress(ValueError):
        if to_worker:
            task = ImageTask(
                "a" * 32, Path("in"), Path("out"), ImageOptions(UpscaleOptions("some-model")), ()
            )
            to_worker_codec().decode(edited(to_worker_codec().encode(Submit(task)), changes))
        else:
            from_worker_codec().decode(edited(from_worker_codec().encode(Progress("a", 1, 2)), changes))


def message_of_paths(names: tuple[bytes, bytes]) -> None:
    """Whatever bytes a file's name has, the worker is told that very name."""
    source, result = (Path(name.replace(b"\0", b"0").decode("utf-8", "surrogateescape")) for name in names)
    message = Submit(
        ImageTask("id", source, result, ImageOptions(UpscaleOptions("some-model")), (), mask_path=source)
    )
    assert to_worker_codec().decode(to_worker_codec().encode(message)) == message


def database_row(changes: list[Edit]) -> None:
    """A store reads a job whose record is damaged as the job, or as none, and the others as they are."""
    records = TypeAdapter(JobRecord)
    damaged = edited(records.dump_json(record_of("damaged")), changes)

    async def read(path: Path) -> None:
        store = JobStore(path, Logger())
        try:
            for name in ("damaged", "whole"):
                await store.put(record_of(name))
            with contextlib.closing(sqlite3.connect(path)) as db, db:
                db.execute("UPDATE jobs SET record = CAST(? AS TEXT) WHERE id = 'damaged'", (damaged,))
            found = {record.id for record in await store.list_of("owner", 10)}
            assert "whole" in found
            await store.find("damaged")
            assert "whole" in {record.id for record in await store.unfinished()}
            await store.results()
            await store.expire(["damaged"])
        finally:
            store.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(read(Path(folder) / "jobs.db"))


def record_of(job_id: str) -> JobRecord:
    return JobRecord(
        job_id, "upscale", "owner", job_id, "digest", ImageOptions(UpscaleOptions("m")), 1, 1.0, True
    )


TARGETS = (
    Target("header readers", IMAGES, header),
    Target("decoders", IMAGES, image),
    Target("masks", IMAGES, mask),
    Target("zips", edits(), zip_archive),
    Target("multipart", st.tuples(edits(), st.integers(1, 400), st.just([]) | edits(3)), multipart),
    Target("json images", st.tuples(edits(), st.integers(1, 60)), json_images),
    Target("worker messages", st.tuples(st.booleans(), edits()), worker_message),
    Target("paths in messages", st.tuples(st.binary(min_size=1), st.binary(min_size=1)), message_of_paths),
    Target("database rows", edits(), database_row),
    Target("films", CASES, film),
)
