"""A result counts as done if it was made of the same source with the same options."""

import os
from pathlib import Path

import pytest

from pixelmend.cli.done import RECORD_NAME, DoneFiles
from pixelmend.cli.files import FileJob
from pixelmend.imaging.formats import PNG
from pixelmend.imaging.target import Target
from pixelmend.tasks.options import ImageOptions, UpscaleOptions

OPTIONS = ImageOptions(UpscaleOptions("pixelmend-x4"))


@pytest.fixture
def job(tmp_path: Path) -> FileJob:
    job = FileJob(tmp_path / "a.jpg", tmp_path / "a.png")
    job.source.write_bytes(b"source")
    job.result.write_bytes(b"result")
    return job


def record(job: FileJob, options: ImageOptions = OPTIONS) -> None:
    done = DoneFiles(options)
    done.add(job, done.made_of(job))


def test_a_result_of_unknown_origin_is_not_done(job: FileJob) -> None:
    assert not DoneFiles(OPTIONS).has(job)
    record(job)
    assert DoneFiles(OPTIONS).has(job)
    job.result.unlink()
    assert not DoneFiles(OPTIONS).has(job)


@pytest.mark.parametrize(
    "other",
    [
        ImageOptions(UpscaleOptions("pixelmend-x2")),
        ImageOptions(UpscaleOptions("pixelmend-x4", Target(2.0))),
        ImageOptions(UpscaleOptions("pixelmend-x4", denoise=0.5)),
        ImageOptions(UpscaleOptions("pixelmend-x4"), format=PNG.name, quality=50),
    ],
)
def test_other_options_are_another_result(job: FileJob, other: ImageOptions) -> None:
    record(job)
    assert not DoneFiles(other).has(job)
    record(job, other)
    assert DoneFiles(other).has(job)
    assert not DoneFiles(OPTIONS).has(job)


def test_a_replaced_source_is_done_again_even_where_it_is_older(job: FileJob) -> None:
    record(job)
    job.source.write_bytes(b"replaced")
    os.utime(job.source, (1, 1))
    assert not DoneFiles(OPTIONS).has(job)
    record(job)
    other = FileJob(job.source.with_name("b.jpg"), job.result)
    job.source.rename(other.source)
    assert not DoneFiles(OPTIONS).has(other)


def test_a_record_that_was_cut_short_costs_its_line_and_no_more(job: FileJob, tmp_path: Path) -> None:
    path = tmp_path / RECORD_NAME
    path.write_bytes(b'\xff\xfe{"res\n[]\n{"result": "a.png"}\n' + b"[" * 100_000 + b"\n")
    assert not DoneFiles(OPTIONS).has(job)
    record(job)
    with path.open("ab") as file:
        file.write(b'{"result": "a.p')
    assert DoneFiles(OPTIONS).has(job)


def test_names_that_are_no_unicode_are_recorded(tmp_path: Path) -> None:
    job = FileJob(tmp_path / os.fsdecode(b"caf\xe9.jpg"), tmp_path / os.fsdecode(b"caf\xe9.png"))
    job.source.touch()
    job.result.touch()
    record(job)
    assert DoneFiles(OPTIONS).has(job)
