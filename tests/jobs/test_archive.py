"""The archive of a batch on a disk that is full."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pixelmend.core.errors import StorageFull
from pixelmend.jobs.archive import ResultArchive


@contextmanager
def no_file_beyond(size_bytes: int) -> Iterator[None]:
    """To this process the disk is full, once a file has that size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("room_bytes", [0, 100, 20_000])
def test_nothing_is_left_where_there_is_no_room(tmp_path: Path, room_bytes: int) -> None:
    image = tmp_path / "image"
    image.write_bytes(bytes(100_000))
    archive = ResultArchive(tmp_path / "out.zip", 0.0)
    with no_file_beyond(room_bytes):
        with pytest.raises(StorageFull):
            archive.add("a.png", image)
        archive.discard()
    assert list(tmp_path.iterdir()) == [image]
