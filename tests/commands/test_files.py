import os
from pathlib import Path

import pytest

from pixelmend.commands.files import FileJob, plan_files
from pixelmend.errors import InvalidParameter
from pixelmend.imaging.formats import OutputFormat


def touch(path: Path, at_s: float = 1000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    os.utime(path, (at_s, at_s))
    return path


def test_folder_keeps_its_structure_and_leaves_other_files_alone(tmp_path: Path) -> None:
    first = touch(tmp_path / "in/a.jpg")
    second = touch(tmp_path / "in/deep/er/b.PNG")
    touch(tmp_path / "in/notes.txt")
    out = tmp_path / "out"
    jobs = plan_files([tmp_path / "in"], out, OutputFormat.WEBP)
    assert jobs == [FileJob(first, out / "a.webp"), FileJob(second, out / "deep/er/b.webp")]


def test_named_file_is_taken_whatever_it_is_called(tmp_path: Path) -> None:
    source = touch(tmp_path / "scan")
    assert plan_files([source], None, OutputFormat.PNG) == [FileJob(source, tmp_path / "scan-upscaled.png")]


def test_sources_that_differ_in_their_suffix_do_not_share_a_result(tmp_path: Path) -> None:
    sources = [touch(tmp_path / "a.jpg"), touch(tmp_path / "a.png")]
    jobs = plan_files(sources, tmp_path / "out", OutputFormat.PNG)
    assert [job.result.name for job in jobs] == ["a.jpg.png", "a.png.png"]


def test_results_are_not_taken_for_sources(tmp_path: Path) -> None:
    source = touch(tmp_path / "a.jpg")
    touch(tmp_path / "a-upscaled.png")
    touch(tmp_path / "out/b.png")
    assert [j.source for j in plan_files([tmp_path], tmp_path / "out", OutputFormat.PNG)] == [source]


def test_source_is_never_replaced(tmp_path: Path) -> None:
    source = touch(tmp_path / "a.png")
    with pytest.raises(InvalidParameter, match="replace its source"):
        plan_files([source], tmp_path, OutputFormat.PNG)


def test_sources_of_one_name_in_two_folders_are_refused_and_named(tmp_path: Path) -> None:
    sources = [touch(tmp_path / "x/a.png"), touch(tmp_path / "y/a.png")]
    with pytest.raises(InvalidParameter, match=r"x/a\.png and .*y/a\.png would both become"):
        plan_files(sources, tmp_path / "out", OutputFormat.PNG)


def test_kept_suffix_that_meets_a_third_source_is_refused(tmp_path: Path) -> None:
    sources = [touch(tmp_path / name) for name in ("a.jpg", "a.png", "a.jpg.png")]
    with pytest.raises(InvalidParameter, match="would both become"):
        plan_files(sources, tmp_path / "out", OutputFormat.PNG)


def test_folder_in_the_place_of_a_result_is_refused(tmp_path: Path) -> None:
    source = touch(tmp_path / "a.jpg")
    (tmp_path / "out/a.png").mkdir(parents=True)
    with pytest.raises(InvalidParameter, match="is a folder"):
        plan_files([source], tmp_path / "out", OutputFormat.PNG)
    assert not FileJob(source, tmp_path / "out/a.png").is_done


def test_missing_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="nowhere"):
        plan_files([tmp_path / "nowhere"], None, OutputFormat.PNG)


def test_done_means_a_result_that_is_not_older(tmp_path: Path) -> None:
    job = FileJob(touch(tmp_path / "a.jpg", 1000), tmp_path / "a.png")
    assert not job.is_done
    touch(job.result, 999)
    assert not job.is_done
    touch(job.result, 1000)
    assert job.is_done
