"""A folder of finished segments, copied while it grows, is at any time one to go on from."""

import shutil
from pathlib import Path

import pytest

from pixelmend.video.parts import FinishedFiles, PartsFolder, SegmentRecord, place_in_copy
from pixelmend.video.timeline import Segment

SEGMENTS = [Segment(number, 5 * number, 5 * number + 5) for number in range(3)]


def finish(folder: PartsFolder, number: int, suffix: str = ".mp4") -> None:
    file = folder.file_of(number, suffix)
    if suffix == ".frames":
        file.mkdir()
        for frame in range(2):
            (file / f"{frame:05d}.png").write_bytes(b"frame")
    else:
        file.write_bytes(b"segment")
    folder.add(SegmentRecord(number, file.name, (0, 1), 0.0, 1.0))


def copy(files: FinishedFiles, target: Path) -> list[str]:
    """As many as `files` tells; each time what is there can be taken over."""
    names = files.new()
    for name in names:
        shutil.copyfile(files.path / name, place_in_copy(target, name))
    return names


@pytest.mark.parametrize("suffix", [".mp4", ".frames"])
def test_each_segment_is_there_before_its_record_and_once(tmp_path: Path, suffix: str) -> None:
    folder, files = PartsFolder(tmp_path / "own", "film"), FinishedFiles(tmp_path / "own")
    assert copy(files, tmp_path / "copy") == ["about.json"]
    finish(folder, 0, suffix)
    folder.file_of(1, ".mp4").write_bytes(b"being written")
    frames = [f"00000.frames/{frame:05d}.png" for frame in range(2)]
    expected = frames if suffix == ".frames" else ["00000.mp4"]
    assert copy(files, tmp_path / "copy") == [*expected, "00000.json"]
    assert copy(files, tmp_path / "copy") == []
    finish(folder, 1)
    assert copy(files, tmp_path / "copy") == ["00001.mp4", "00001.json"]
    taken = PartsFolder(tmp_path / "copy", "film")
    assert taken.finished(SEGMENTS) == folder.finished(SEGMENTS)
    assert [path.name for path in sorted(taken.path.rglob("*"))] == [
        path.name for path in sorted(folder.path.rglob("*"))
    ]


def test_a_folder_that_is_begun_again_begins_its_copy_again(tmp_path: Path) -> None:
    files = FinishedFiles(tmp_path / "own")
    assert files.new() == []
    finish(PartsFolder(tmp_path / "own", "film"), 0)
    copy(files, tmp_path / "copy")
    finish(PartsFolder(tmp_path / "own", "the same by another model"), 0, ".mkv")
    assert copy(files, tmp_path / "copy") == ["about.json", "00000.mkv", "00000.json"]
    assert {path.name for path in (tmp_path / "copy").iterdir()} == {"about.json", "00000.mkv", "00000.json"}


@pytest.mark.parametrize("name", ["../00000.mp4", "/etc/passwd", "00000", "about.json/x", "00000.mp4.part"])
def test_other_names_have_no_place(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="is no file of a film's finished part"):
        place_in_copy(tmp_path, name)
