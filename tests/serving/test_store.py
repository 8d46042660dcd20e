from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pixelmend.errors import StorageFull
from pixelmend.imaging.formats import OutputFormat
from pixelmend.serving.store import Spool


@contextmanager
def opened(root: Path, min_free_bytes: int = 0) -> Iterator[Spool]:
    spool = Spool(root, min_free_bytes)
    try:
        yield spool
    finally:
        spool.close()


def test_spools_of_living_processes_are_left_alone_and_those_of_dead_ones_removed(tmp_path: Path) -> None:
    with opened(tmp_path) as living:
        abandoned = tmp_path / "run-abandoned"
        abandoned.mkdir()
        (abandoned / "job.in").write_bytes(b"x")
        with opened(tmp_path):
            assert living.directory.is_dir()
            assert not abandoned.exists()
        assert list(tmp_path.iterdir()) == [living.directory]
    assert list(tmp_path.iterdir()) == []


def test_removing_a_job_takes_its_partial_files_and_no_other(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        spool.input_path("a").write_bytes(b"")
        result = spool.output_path("a", OutputFormat.JPEG)
        result.with_name(result.name + ".part").write_bytes(b"")
        spool.input_path("ab").write_bytes(b"")
        spool.remove("a")
        assert sorted(p.name for p in spool.directory.iterdir()) == ["ab.in", "lock"]


def test_too_little_room_names_both_figures(tmp_path: Path) -> None:
    words = r"bytes free; 1000000000000000000 must stay free"
    with opened(tmp_path, 10**18) as spool, pytest.raises(StorageFull, match=words):
        spool.require_room()
