"""Files on their way are complete or absent."""

import asyncio
from pathlib import Path

import pytest

from pixelmend.core.config import Settings
from pixelmend.core.errors import StorageFull, WrongResult
from pixelmend.core.telemetry import Logger
from pixelmend.worker.cluster.engine import Engine
from pixelmend.worker.cluster.transfer import CHUNK_BYTES, chunks_of, receive, sha256_of, written


def test_chunks_are_bounded_and_make_the_file_again(tmp_path: Path) -> None:
    data = bytes(range(256)) * (CHUNK_BYTES // 128) + b"end"
    (tmp_path / "there").write_bytes(data)
    chunks = list(chunks_of(tmp_path / "there"))
    assert [len(chunk) for chunk in chunks] == [CHUNK_BYTES, CHUNK_BYTES, 3]
    digest = asyncio.run(receive(tmp_path / "back", chunks))
    assert (tmp_path / "back").read_bytes() == data
    assert digest == sha256_of(tmp_path / "there")


def test_file_that_breaks_off_is_absent_and_the_former_one_stays(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"former")

    async def lost() -> bytes:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        asyncio.run(receive(path, [b"half", lost()]))
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
    assert path.read_bytes() == b"former"


def test_full_disk_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(StorageFull), written(tmp_path / "file"):
        raise OSError(28, "No space left on device")
    assert not list(tmp_path.iterdir())


def test_model_file_with_other_bytes_is_not_kept(tmp_path: Path) -> None:
    async def body() -> None:
        engine = Engine(Settings(_env_file=None), tmp_path, Logger())
        with pytest.raises(WrongResult, match=r"m\.safetensors came with sha256"):
            await engine.keep_model_file("m.safetensors", "0" * 64, [b"other"])
        assert (await engine.hello())[1] == frozenset()

    asyncio.run(body())
    assert not list((tmp_path / "models").iterdir())
