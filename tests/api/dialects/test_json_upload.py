"""JSON with images: they go into their files in pieces, and nothing of them stays in memory."""

import asyncio
import base64
import hashlib
import json
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelmend.api.dialects.json_upload import MAX_REST_BYTES, base64_bytes, read_json_upload
from pixelmend.api.uploads import FileField, Upload
from pixelmend.core.errors import InvalidParameter, MalformedUpload, PayloadTooLarge, PixelmendError

MOST_BYTES = 100_000
IMAGE = bytes(range(256)) * 3


def read(folder: Path, body: bytes, cut: int = 1000, *, most_bytes: int = MOST_BYTES) -> Upload:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), cut):
            yield body[start : start + cut]

    fields = {
        "image": FileField(lambda n: folder / f"image{n}", most_bytes, "max_upload_bytes"),
        "data": FileField(lambda n: folder / f"data{n}", most_bytes, "max_upload_bytes", most=3),
    }
    return asyncio.run(read_json_upload("application/json", None, chunks(), fields, lambda _: None))


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


DOCUMENT: dict[str, Any] = {
    'says "image":': 'a "quote", a \\ and "image":',
    "image": f"data:image/png;base64,{b64(IMAGE)}",
    "list": [{"name": "a\\", "data": b64(b"one")}, {"data": "", "n": -1.5e3}],
    "images": "text",
    "none": None,
    "\N{GRINNING FACE}": [True, {}, [], "image", "data"],
}
LEFT = {**DOCUMENT, "image": "0", "list": [{"name": "a\\", "data": "0"}, {"data": "1", "n": -1500.0}]}


@pytest.mark.parametrize("cut", [1, 2, 3, 7, 64, 100_000])
@pytest.mark.parametrize(
    "written",
    [
        json.dumps(DOCUMENT),
        json.dumps(DOCUMENT, indent=7, ensure_ascii=False),
        json.dumps(DOCUMENT, separators=(",", ":")).replace("/", "\\/"),
        json.dumps(DOCUMENT).replace('"image": "data:', '"image" \t:\r\n "data:'),
    ],
)
def test_images_go_into_files_and_the_rest_is_as_it_was(tmp_path: Path, written: str, cut: int) -> None:
    upload = read(tmp_path, written.encode(), cut)
    assert upload.fields == LEFT
    assert (tmp_path / "image0").read_bytes() == IMAGE
    assert [(tmp_path / f"data{n}").read_bytes() for n in range(2)] == [b"one", b""]
    (image,) = upload.files["image"]
    assert (image.digest, image.size_bytes) == (hashlib.sha256(IMAGE).hexdigest(), len(IMAGE))


@given(
    document=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
        max_leaves=9,
    ),
    cut=st.integers(min_value=1, max_value=30),
)
def test_text_without_images_is_what_a_parser_of_whole_texts_reads(
    tmp_path_factory: pytest.TempPathFactory, document: object, cut: int
) -> None:
    written = json.dumps({"a": document})
    assert read(tmp_path_factory.getbasetemp(), written.encode(), cut).fields == {"a": document}


@pytest.mark.parametrize(
    ("body", "error", "why"),
    [
        (b'{"image": "QUJD', MalformedUpload, "within a string"),
        (b'{"image": "QUJD"', MalformedUpload, "not JSON"),
        (b'{"image": "QUJD\\', MalformedUpload, "within a string"),
        (b'{"image": "QUJD"} {', MalformedUpload, "not JSON"),
        (b'["image"]', MalformedUpload, "not an object"),
        (b"", MalformedUpload, "not JSON"),
        (b"\xff\xfe{", MalformedUpload, "not JSON"),
        (b'{"image": "QUJD", "image": "QUJD"}', InvalidParameter, "more than 1 images as 'image'"),
        (b'{"data": ["QUJD"], "a": "' + b"x" * MAX_REST_BYTES + b'"}', PayloadTooLarge, "beside its images"),
        (b'{"a": ' + b" " * MAX_REST_BYTES + b"1}", PayloadTooLarge, "beside its images"),
        (b'{"image": "' + b"A" * 133_336 + b'"}', PayloadTooLarge, "max_upload_bytes=100000"),
        (b'{"image": "' + b"A" * 80_000 + b'", "data": "' + b"A" * 80_000 + b'"}', PayloadTooLarge, "exceed"),
        (b'{"image": "' + b"\\n" * 110_000 + b'"}', PayloadTooLarge, "in base64"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, body: bytes, error: type[PixelmendError], why: str) -> None:
    with pytest.raises(error, match=why):
        read(tmp_path, body)


def test_announced_length_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    read_bytes = []

    async def noted() -> AsyncIterator[bytes]:
        read_bytes.append(1)
        yield b"{"

    field = FileField(lambda n: tmp_path / "image", 1000, "max_upload_bytes")
    length = str(base64_bytes(1000) + 1)
    reading = read_json_upload("", length, noted(), {"image": field}, lambda _: None)
    with pytest.raises(PayloadTooLarge, match=f"{length} bytes, max_upload_bytes=1000"):
        asyncio.run(reading)
    assert not read_bytes


def test_exactly_what_a_file_may_have_is_taken(tmp_path: Path) -> None:
    assert read(tmp_path, json.dumps({"image": b64(bytes(MOST_BYTES))}).encode()).fields == {"image": "0"}
    with pytest.raises(PayloadTooLarge):
        read(tmp_path, json.dumps({"image": b64(bytes(MOST_BYTES + 1))}).encode())


@pytest.mark.parametrize("as_escapes", [False, True])
def test_an_image_is_never_held_in_memory(tmp_path: Path, as_escapes: bool) -> None:
    text = b64(bytes(range(250, 256)) * 1_000_000)
    body = json.dumps({"image": text}).replace("/", "\\/" if as_escapes else "/").encode()
    tracemalloc.start()
    try:
        read(tmp_path, body, 65_536, most_bytes=10_000_000)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 1_000_000 < len(body)
    assert (tmp_path / "image0").stat().st_size == 6_000_000
