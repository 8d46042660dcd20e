"""JSON with images that is encoded while it is sent."""

import asyncio
import base64
import json
import zipfile
from pathlib import Path

import pytest
from starlette.types import Message

from pixelmend.api.dialects.results import ImageFile, JsonWithImages
from pixelmend.core.errors import InternalError

SIZES = (0, 1, 2, 3, 196_607, 196_608, 196_609, 500_000)


def data_of(size_bytes: int) -> bytes:
    return bytes(index * 31 % 251 for index in range(size_bytes))


def sent(response: JsonWithImages) -> tuple[dict[bytes, bytes], list[bytes]]:
    messages: list[Message] = []

    async def receive() -> Message:
        await asyncio.sleep(60)
        raise AssertionError("it takes no minute")

    async def send(message: Message) -> None:
        messages.append(message)

    asyncio.run(response({"type": "http", "asgi": {"spec_version": "2.4"}}, receive, send))
    return dict(messages[0]["headers"]), [message["body"] for message in messages[1:]]


@pytest.mark.parametrize("size_bytes", SIZES)
def test_whatever_their_size_images_are_whole_and_the_length_is_known(
    tmp_path: Path, size_bytes: int
) -> None:
    path, released = tmp_path / "image", []
    path.write_bytes(data_of(size_bytes))
    response = JsonWithImages(
        lambda marks: {"a": '"', "image": marks[0], "b": 1},
        [ImageFile.whole(path)],
        {"X-A": "b"},
        lambda: released.append(True),
    )
    headers, bodies = sent(response)
    body = b"".join(bodies)
    assert json.loads(body) == {"a": '"', "image": base64.b64encode(data_of(size_bytes)).decode(), "b": 1}
    assert (int(headers[b"content-length"]), headers[b"x-a"]) == (len(body), b"b")
    assert max(len(each) for each in bodies) <= 262_144
    assert released == [True]


def test_images_out_of_an_archive_come_in_their_order(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "zip", "w") as archive:
        for size_bytes in SIZES:
            archive.writestr(f"{size_bytes}.png", data_of(size_bytes))
    images = [ImageFile(tmp_path / "zip", size_bytes, f"{size_bytes}.png") for size_bytes in SIZES]
    _, bodies = sent(JsonWithImages(lambda marks: {"images": list(marks)}, images, {}, lambda: None))
    found = [base64.b64decode(each) for each in json.loads(b"".join(bodies))["images"]]
    assert found == [data_of(size_bytes) for size_bytes in SIZES]


def test_an_answer_that_cannot_be_sent_releases_what_it_held(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(data_of(10))
    released: list[bool] = []
    response = JsonWithImages(
        lambda marks: {"image": marks[0]},
        [ImageFile.whole(tmp_path / "image")],
        {},
        lambda: released.append(True),
    )
    (tmp_path / "image").unlink()
    with pytest.raises(InternalError, match="lost while it was sent"):
        sent(response)
    assert released == [True]
