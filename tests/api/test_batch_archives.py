"""ZIPs of images are taken apart with care: their traps are named, and none fills a disk or the memory."""

import stat
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.batches import CODE, opened, packed, picture, post_batch
from tests.inprocess import service_in_threads
from tests.pictures import decoded
from tests.service import ServiceClient


def test_zip_is_taken_apart_and_its_traps_are_named(service: ServiceClient, tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    good = picture(30)
    data = packed(
        ("photos/", b""),
        ("photos/good.png", good),
        ("__MACOSX/photos/._good.png", b"resource fork"),
        ("photos/.DS_Store", b"litter"),
        ("photos/@eaDir/good.png/SYNO_THUMB.png", picture(34)),
        ("../../escaped.png", picture(31)),
        ("/etc/escaped.png", picture(32)),
        ("..\\escaped.png", picture(33)),
        (link, b"/etc/passwd"),
        ("nested.zip", packed(("inner.png", good))),
        ("huge.png", bytes(3_000_000)),
        ("readme.txt", b"hello"),
    )
    archive, items = opened(post_batch(service, [("all.zip", data)]))
    problems = {item["file_name"]: item["problem"] and item["problem"]["detail"] for item in items}
    assert problems.pop("photos/good.png") is None
    assert archive.namelist() == ["photos/good.png", "manifest.json"]
    assert decoded(archive.read("photos/good.png")).shape == (160, 160, 3)
    for name in ("../../escaped.png", "/etc/escaped.png", "..\\escaped.png"):
        assert "leads out of the archive" in problems.pop(name)
    assert "link" in problems.pop("link.png")
    assert "max_upload_bytes=2000000" in problems.pop("huge.png")
    assert set(problems) == {"nested.zip", "readme.txt"}
    service.wait_until_spool_is_empty()  # what is removed meanwhile cannot be searched
    assert list(service.folder.rglob("*escaped*")) == []
    service.wait_until_spool_is_empty()


def test_damaged_encrypted_and_exotic_entries_are_problems_of_their_own(service: ServiceClient) -> None:
    good = picture(40)
    plain = bytearray(packed(("a.png", good), ("b.png", good), method=zipfile.ZIP_STORED))
    plain[plain.index(good) + 100] ^= 1
    _, items = opened(post_batch(service, [("all.zip", bytes(plain))]))
    assert [item["state"] for item in items] == ["failed", "done"]
    assert "this entry of the ZIP cannot be read" in items[0]["problem"]["detail"]

    locked = bytearray(packed(("a.png", good), ("b.png", good)))
    central = locked.index(b"PK\x01\x02")
    locked[central + 8] |= 1
    locked[6] |= 1
    _, items = opened(post_batch(service, [("all.zip", bytes(locked))]))
    assert [item["state"] for item in items] == ["failed", "done"]
    assert "encrypted" in items[0]["problem"]["detail"]

    _, items = opened(post_batch(service, [("all.zip", packed(("a.png", good), method=zipfile.ZIP_LZMA))]))
    assert "method 14" in items[0]["problem"]["detail"]


def test_entry_that_lies_about_its_size_is_not_unpacked_beyond_it(service: ServiceClient) -> None:
    bomb = bytearray(packed(("a.png", bytes(50_000_000)), ("b.png", picture(41))))
    for head, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = bomb.index(head) + offset
        assert struct.unpack("<I", bomb[at : at + 4]) == (50_000_000,)
        bomb[at : at + 4] = struct.pack("<I", 1000)
    _, items = opened(post_batch(service, [("all.zip", bytes(bomb))]))
    assert [item["state"] for item in items] == ["failed", "done"]
    assert "this entry of the ZIP cannot be read" in items[0]["problem"]["detail"]


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceClient]:
    folder = tmp_path_factory.mktemp("narrow")
    with service_in_threads(
        folder,
        max_batch_items=3,
        max_batch_bytes=1_000_000,
        max_upload_bytes=600_000,
        quota_per_address="20/hour",
    ) as running:
        yield running


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (packed(*((f"{n}.png", bytes(500_000)) for n in range(3))), 413, "max_batch_bytes=1000000"),
        (packed(*((f"{n}.png", b"") for n in range(4))), 422, "max_batch_items=3"),
        (packed(), 422, "no file in the ZIP"),
        (packed(("folder/", b""), ("__MACOSX/a", b"")), 422, "no file in the ZIP"),
        (packed(("a.png", b"a"))[:-30], 400, "ZIP cannot be read"),
        (b"PK\x03\x04" + bytes(500), 400, "ZIP cannot be read"),
    ],
    ids=["bomb", "many", "empty", "folders", "cut", "nonsense"],
)
def test_zip_as_a_whole_is_refused(narrow: ServiceClient, data: bytes, status: int, words: str) -> None:
    response = post_batch(narrow, [("all.zip", data)])
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert words in response.json()["detail"]
    narrow.wait_until_spool_is_empty()


def test_list_of_entries_that_would_fill_the_memory_is_refused(service: ServiceClient) -> None:
    long_name = "n" * 60_000
    data = packed(*((f"{n}{long_name}", b"") for n in range(70)), method=zipfile.ZIP_STORED)
    response = service.client.post("/api/upscale-batch", files={"files": ("all.zip", data)})
    assert (response.status_code, response.json()["type"]) == (400, CODE + "malformed-upload")
    assert "4000000 bytes" in response.json()["detail"]


@pytest.mark.parametrize(
    ("files", "fields", "status", "words"),
    [
        ([], {}, 422, "'files'"),
        ([("files", ("", b""))], {}, 422, "'files'"),
        ([("file", ("a.png", b"a"))], {}, 422, "belongs in 'files'"),
        ([("files", (f"{n}.png", b"a")) for n in range(4)], {}, 422, "max_batch_items=3"),
        ([("files", ("a.png", b"a"))], {"scale": "9"}, 422, "scale"),
        ([("files", ("a.png", b"a"))], {"model": "none"}, 404, "none"),
        ([("files", ("a.png", bytes(1_000_001)))], {}, 413, "max_batch_bytes=1000000"),
    ],
    ids=["none", "unnamed", "wrong field", "many", "scale", "model", "large"],
)
def test_request_as_a_whole_is_refused(
    narrow: ServiceClient, files: Any, fields: dict[str, str], status: int, words: str
) -> None:
    response = narrow.client.post("/api/upscale-batch", files=files or {"x": (None, "")}, data=fields)
    assert response.status_code == status, response.text
    assert words in response.json()["detail"]
    narrow.wait_until_spool_is_empty()
