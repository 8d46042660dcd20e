import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pixelmend.core.errors import Cancelled, DataDirectoryInUse, StorageFull
from pixelmend.imaging.formats import JPEG, PNG
from pixelmend.jobs.model import Job, JobEvent, JobRecord
from pixelmend.jobs.spool import Spool
from pixelmend.tasks.image import ImageTask
from pixelmend.tasks.options import ImageOptions, UpscaleOptions


@contextmanager
def opened(root: Path, min_free_bytes: int = 0) -> Iterator[Spool]:
    spool = Spool(root / "spool", min_free_bytes, [PNG.suffix, JPEG.suffix])
    try:
        yield spool
    finally:
        spool.close()


def test_only_one_process_has_the_spool_and_its_files_outlive_it(tmp_path: Path) -> None:
    with opened(tmp_path) as first:
        first.input_path("a").write_bytes(b"x")
        with pytest.raises(DataDirectoryInUse, match="PIXELMEND_DATA_DIR"), opened(tmp_path):
            pass
    with opened(tmp_path) as second:
        assert second.input_path("a").read_bytes() == b"x"


def test_each_run_writes_results_of_its_own(tmp_path: Path) -> None:
    with opened(tmp_path) as first:
        path = first.output_path("a", PNG.suffix)
    with opened(tmp_path) as second:
        assert second.output_path("a", PNG.suffix) != path


def test_removing_a_job_takes_its_partial_files_and_no_other(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        spool.input_path("a").write_bytes(b"")
        result = spool.output_path("a", JPEG.suffix)
        result.with_name(result.name + ".part").write_bytes(b"")
        spool.input_path("ab").write_bytes(b"")
        spool.remove("a")
        assert [p.name for p in spool.directory.iterdir()] == ["ab.in"]


@pytest.mark.parametrize(
    ("end", "kept"), [(JobEvent.CANCEL, []), (JobEvent.SUSPEND, ["film.in", "film.parts"])]
)
def test_what_comes_after_the_end_is_removed_but_not_what_the_next_start_needs(
    tmp_path: Path, end: JobEvent, kept: list[str]
) -> None:
    with opened(tmp_path) as spool:
        spool.input_path("film").write_bytes(b"")
        spool.parts_path("film").mkdir()
        output = spool.output_path("film", PNG.suffix)
        output.with_name(output.name + ".part").write_bytes(b"")
        task = ImageTask("film", spool.input_path("film"), output, ImageOptions(UpscaleOptions("m")), ())
        record = JobRecord("film", "upscale", "", "", "", task.options, 1, 0.0, is_async=True)
        job = Job.of(record, task)
        job.transition(end, Cancelled("by its owner"))
        spool.remove_late(job)
        assert sorted(path.name for path in spool.directory.iterdir()) == kept


def test_what_belongs_to_no_job_is_removed(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        spool.input_path("kept").write_bytes(b"")
        spool.input_path("stray").write_bytes(b"")
        (spool.directory / "run-of-an-earlier-version").mkdir()
        assert spool.remove_all_but({"kept.in"}) == 2
        assert [p.name for p in spool.directory.iterdir()] == ["kept.in"]


def test_kept_result_is_described_by_its_content(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        path = spool.output_path("a", PNG.suffix)
        path.write_bytes(b"content")
        result = spool.keep_result(path)
        assert (result.size_bytes, result.sha256) == (7, hashlib.sha256(b"content").hexdigest())
        assert spool.result_path(result) == path


def test_too_little_room_names_both_figures(tmp_path: Path) -> None:
    words = r"bytes free; 1000000000000000000 must stay free"
    with opened(tmp_path, 10**18) as spool, pytest.raises(StorageFull, match=words):
        spool.require_room()
