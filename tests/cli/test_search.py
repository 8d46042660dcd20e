"""Which files of a folder are images to be done, and what is said of the others."""

import os
from pathlib import Path

from pixelmend.cli.search import IMAGE_SUFFIXES, find_images, passed_over_line


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_what_systems_leave_behind_is_passed_over_and_counted(tmp_path: Path) -> None:
    image = touch(tmp_path / "a.jpg")
    for name in (".hidden.jpg", "._a.jpg", "Thumbs.db", "@eaDir/a.jpg/SYNO_THUMB.jpg", ".cache/b.jpg"):
        touch(tmp_path / name)
    for name in ("clip.mov", "more/clip.MOV", "README"):
        touch(tmp_path / name)
    (tmp_path / "broken.jpg").symlink_to(tmp_path / "nowhere")
    found = find_images(tmp_path)
    assert found.images == (image,)
    line = passed_over_line(found.passed_over)
    assert line == (
        "passed over: 2 .mov files, 1 broken links or no files, 5 hidden or of the system, 1 without a suffix"
    )


def test_every_usual_suffix_is_taken(tmp_path: Path) -> None:
    for name in ("a.jfif", "b.JPE", "c.hif", "d.mpo", "e.dib"):
        touch(tmp_path / name)
    assert len(find_images(tmp_path).images) == 5
    assert {".jpg", ".heic", ".avif"} < IMAGE_SUFFIXES


def test_linked_folders_are_followed_once(tmp_path: Path) -> None:
    inside, elsewhere = touch(tmp_path / "in/real/a.jpg"), touch(tmp_path / "elsewhere/b.jpg")
    (tmp_path / "in/a link").symlink_to(inside.parent)
    (tmp_path / "in/to elsewhere").symlink_to(elsewhere.parent)
    (tmp_path / "in/real/circle").symlink_to(tmp_path / "in")
    found = find_images(tmp_path / "in")
    assert found.images == (inside, tmp_path / "in/to elsewhere/b.jpg")
    line = passed_over_line(found.passed_over)
    for name in ("a link", "circle"):
        assert f"{name}, which is a link to one that was searched" in line


def test_names_that_are_no_unicode_are_found_and_said(tmp_path: Path) -> None:
    image = touch(tmp_path / os.fsdecode(b"caf\xe9.jpg"))
    touch(tmp_path / os.fsdecode(b"caf.\xe9\xe9"))
    found = find_images(tmp_path)
    assert found.images == (image,)
    passed_over_line(found.passed_over).encode("utf-8")
