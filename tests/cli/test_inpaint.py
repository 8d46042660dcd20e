"""`pixelmend inpaint` as a user calls it, here and by a service."""

import os
from pathlib import Path

import numpy as np
import pytest

from pixelmend.cli.done import DoneFiles
from pixelmend.cli.files import plan_files, with_masks
from pixelmend.core.errors import InvalidParameter
from pixelmend.imaging.formats import PNG
from pixelmend.tasks.inpaint import InpaintTask
from pixelmend.tasks.options import ImageOptions, UpscaleOptions
from tests.cli.test_cli import pixelmend
from tests.pictures import decoded, encoded, photo
from tests.service import RunningService

MASK = np.zeros((96, 96), np.uint8)
MASK[30:50, 30:60] = 255


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    images, masks = tmp_path / "in", tmp_path / "masks"
    for folder in (images / "deep", masks / "deep"):
        folder.mkdir(parents=True)
    (images / "a.jpg").write_bytes(encoded(photo(), "JPEG"))
    (images / "deep" / "b.png").write_bytes(encoded(photo("coffee")))
    (masks / "a.png").write_bytes(encoded(MASK))
    (masks / "deep" / "b.webp").write_bytes(encoded(MASK.T.copy(), "WEBP", lossless=True))
    return images, masks


def test_image_is_inpainted_as_by_the_service(tmp_path: Path, service: RunningService) -> None:
    (tmp_path / "a.png").write_bytes(encoded(photo()))
    (tmp_path / "m.png").write_bytes(encoded(MASK))
    done = pixelmend("inpaint", tmp_path / "a.png", tmp_path / "m.png", "--grow", 6)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pixelmend-fill on" in done.stdout
    files = {"file": (tmp_path / "a.png").read_bytes(), "mask": (tmp_path / "m.png").read_bytes()}
    served = service.client.post("/api/inpaint", files=files, data={"mask_grow": "6"})
    assert np.array_equal(decoded((tmp_path / "a-mended.png").read_bytes()), decoded(served.content))


@pytest.mark.full
def test_folders_of_matching_names_by_a_service_and_upscaled(
    folders: tuple[Path, Path], tmp_path: Path, service: RunningService
) -> None:
    images, masks = folders
    out = tmp_path / "out"
    arguments = (images, masks, "-o", out, "--server", service.base_url, "--then-upscale", "--scale", 2)
    done = pixelmend("inpaint", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("a.png", "deep/b.png"):
        assert decoded((out / name).read_bytes()).shape == (192, 192, 3)
    assert "2 already done" in pixelmend("inpaint", *arguments).stdout


@pytest.mark.full
def test_arguments_that_do_not_go_together_exit_with_2(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(photo()))
    alone = pixelmend("inpaint", tmp_path / "a.png", tmp_path / "a.png", "--scale", 2)
    assert (alone.returncode, alone.stderr) == (2, "scale=2 belongs to then=upscale\n")
    missing = pixelmend("inpaint", tmp_path / "a.png", tmp_path / "m.png")
    assert missing.returncode == 2
    assert "m.png: there is no such file or folder" in missing.stderr
    wider = pixelmend("inpaint", tmp_path / "a.png", tmp_path / "a.png", "--grow", 1, "--feather", 2)
    assert wider.returncode == 1
    assert "mask_feather=2 px is a part of mask_grow=1 px" in wider.stdout


def test_masks_are_found_by_place_and_name(folders: tuple[Path, Path]) -> None:
    images, masks = folders
    files = plan_files([images], None, PNG, mark=InpaintTask.file_mark).jobs
    assert [file.result.name for file in files] == ["a-mended.png", "b-mended.png"]
    found = [file.mask for file in with_masks(files, images, masks)]
    assert found == [masks / "a.png", masks / "deep" / "b.webp"]
    assert {file.mask for file in with_masks(files, images, masks / "a.png")} == {masks / "a.png"}
    (masks / "a.jpg").touch()
    with pytest.raises(InvalidParameter, match=r"are both masks for a\.jpg"):
        with_masks(files, images, masks)
    (masks / "a.jpg").unlink()
    (masks / "a.png").unlink()
    with pytest.raises(InvalidParameter, match=r"has no mask for a\.jpg: an image called 'a'"):
        with_masks(files, images, masks)


def test_masks_match_by_name_whatever_case_and_composition(tmp_path: Path) -> None:
    images, masks = tmp_path / "images", tmp_path / "masks"
    for path in (images / "Caf\u00e9/IMG \u00e4.JPG", masks / "Cafe\u0301/img a\u0308.png"):
        path.parent.mkdir(parents=True)
        path.touch()
    (masks / "Cafe\u0301/._img a\u0308.png").touch()
    files = plan_files([images], tmp_path / "out", PNG).jobs
    assert [f.mask for f in with_masks(files, images, masks)] == [masks / "Cafe\u0301/img a\u0308.png"]


def test_changed_mask_is_reason_to_do_it_again(folders: tuple[Path, Path]) -> None:
    images, masks = folders
    plan = plan_files([images / "a.jpg"], None, PNG)
    file = with_masks(plan.jobs, images / "a.jpg", masks)[0]
    options = ImageOptions(UpscaleOptions("some-model"))
    file.result.touch()
    DoneFiles(options).add(file, DoneFiles(options).made_of(file))
    assert DoneFiles(options).has(file)
    mask = masks / "a.png"
    stat = file.result.stat()
    os.utime(mask, (stat.st_atime - 500, stat.st_mtime - 500))
    assert not DoneFiles(options).has(file)
