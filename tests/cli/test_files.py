import os
from pathlib import Path

import pytest

from pixelmend.cli.files import FileJob, chosen_format, make_writable, plan_files
from pixelmend.cli.search import passed_over_line
from pixelmend.core.errors import InvalidParameter, PixelmendError
from pixelmend.imaging.formats import JPEG, PNG, WEBP
from pixelmend.imaging.names import same_name


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
    plan = plan_files([tmp_path / "in"], out, WEBP)
    assert plan.jobs == (FileJob(first, out / "a.webp"), FileJob(second, out / "deep/er/b.webp"))
    assert passed_over_line(plan.passed_over) == "passed over: 1 .txt files"


def test_named_file_is_taken_whatever_it_is_called(tmp_path: Path) -> None:
    source = touch(tmp_path / "scan")
    plan = plan_files([source], None, PNG)
    assert plan.jobs == (FileJob(source, tmp_path / "scan-upscaled.png"),)


def test_sources_that_differ_in_their_suffix_do_not_share_a_result(tmp_path: Path) -> None:
    sources = [touch(tmp_path / "a.jpg"), touch(tmp_path / "a.png")]
    jobs = plan_files(sources, tmp_path / "out", PNG).jobs
    assert [job.result.name for job in jobs] == ["a.jpg.png", "a.png.png"]


def test_results_are_not_taken_for_sources(tmp_path: Path) -> None:
    source = touch(tmp_path / "a.jpg")
    touch(tmp_path / "a-upscaled.png")
    touch(tmp_path / "out/b.png")
    plan = plan_files([tmp_path], tmp_path / "out", PNG)
    assert [job.source for job in plan.jobs] == [source]
    assert passed_over_line(plan.passed_over) == "passed over: 2 results"


def test_source_is_never_replaced(tmp_path: Path) -> None:
    source = touch(tmp_path / "a.png")
    with pytest.raises(InvalidParameter, match="replace its source"):
        plan_files([source], tmp_path, PNG)


def names(*sources: Path, out: Path) -> list[str]:
    return [job.result.name for job in plan_files(sources, out, PNG).jobs]


def test_sources_that_would_have_one_result_get_distinct_ones(tmp_path: Path) -> None:
    same = [touch(tmp_path / "x/a.png"), touch(tmp_path / "y/a.png"), touch(tmp_path / "z/a.png")]
    assert names(*same, out=tmp_path / "out") == ["a.png.png", "a.png-2.png", "a.png-3.png"]
    third = [touch(tmp_path / name) for name in ("a.jpg", "a.png", "a.jpg.png")]
    assert names(*third, out=tmp_path / "out") == ["a.jpg.png", "a.png.png", "a.jpg.png.png"]


def test_results_differ_on_every_file_system(tmp_path: Path) -> None:
    """Some tell neither case nor how letters are composed."""
    sources = [touch(tmp_path / name) for name in ("Caf\u00e9.jpg", "Cafe\u0301.jpg", "CAF\u00c9.jpg")]
    results = names(*sources, out=tmp_path / "out")
    assert len({same_name(name) for name in results}) == 3


def test_a_result_never_replaces_another_source(tmp_path: Path) -> None:
    first, second = touch(tmp_path / "a.jpg"), touch(tmp_path / "sub/a.png")
    jobs = plan_files([first, second], tmp_path / "sub", PNG).jobs
    assert not {job.result.resolve() for job in jobs} & {first.resolve(), second.resolve()}


def test_long_names_are_shortened_and_stay_distinct(tmp_path: Path) -> None:
    sources = [touch(tmp_path / f"{'x' * 249}{n}.jpg") for n in range(2)]
    for out in (None, tmp_path / "out"):
        jobs = plan_files(sources, out, PNG).jobs
        assert len({job.result for job in jobs}) == 2
        for job in jobs:
            assert job.result.suffix == ".png"
            touch(job.result.with_name(job.result.name + ".part"))  # as is written first


def test_one_image_may_be_given_the_name_of_its_result(tmp_path: Path) -> None:
    source, out = touch(tmp_path / "a.jpg"), tmp_path / "b.webp"
    assert chosen_format([source], out, None) is WEBP
    assert plan_files([source], out, WEBP).jobs == (FileJob(source, out),)
    with pytest.raises(InvalidParameter, match="--format png does not fit the file"):
        chosen_format([source], out, "png")
    with pytest.raises(InvalidParameter, match="a name for one file; for several images name a folder"):
        plan_files([source, source], out, WEBP)
    with pytest.raises(InvalidParameter, match="a name for one file"):
        plan_files([tmp_path], out, WEBP)
    for suffix in (".gif", ".JXL", ".mp4"):
        with pytest.raises(InvalidParameter, match=rf"\{suffix} cannot be written"):
            plan_files([source], tmp_path / f"b{suffix}", PNG)
    assert plan_files([source], tmp_path / "v1.2", PNG).jobs == (FileJob(source, tmp_path / "v1.2/a.png"),)
    with pytest.raises(InvalidParameter, match="replace its source"):
        plan_files([source], source, JPEG)
    out.mkdir()
    assert plan_files([source], out, PNG).jobs == (FileJob(source, out / "a.png"),)


def test_folder_in_the_place_of_a_result_is_refused(tmp_path: Path) -> None:
    source = touch(tmp_path / "a.jpg")
    (tmp_path / "out/a.png").mkdir(parents=True)
    with pytest.raises(InvalidParameter, match="is a folder"):
        plan_files([source], tmp_path / "out", PNG)


def test_missing_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="nowhere"):
        plan_files([tmp_path / "nowhere"], None, PNG)


@pytest.mark.parametrize("out", [None, Path("result.png")])
def test_an_address_is_told_the_way_by_standard_input(out: Path | None) -> None:
    address = "https://pictures.example/a.jpg"
    with pytest.raises(InvalidParameter, match=f"^{address} is no file; .* `-`, standard input"):
        plan_files([Path(address)], out, PNG)


@pytest.mark.parametrize("place", ["there is a file/out", "file"])
def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path, place: str) -> None:
    touch(tmp_path / "there is a file")
    touch(tmp_path / "file")
    with pytest.raises(PixelmendError, match=r"the folder .* cannot be made: (File exists|Not a directory)"):
        make_writable(tmp_path / place)
