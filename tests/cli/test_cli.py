"""The `pixelmend` command as a user calls it."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.pictures import decoded, encoded, photo
from tests.service import RunningService


def pixelmend(*arguments: object, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PIXELMEND_")}
    environment |= {"PIXELMEND_DEVICE": "cpu", "COLUMNS": "200", **settings}
    return subprocess.run(
        [sys.executable, "-m", "pixelmend.cli", *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photographs, one of them in a folder of its own, and a file that only pretends."""
    source = tmp_path / "in"
    (source / "deep").mkdir(parents=True)
    (source / "a.jpg").write_bytes(encoded(photo(), "JPEG"))
    (source / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n but no more")
    (source / "deep" / "b.png").write_bytes(encoded(photo("coffee", side_px=50)))
    return source


def test_folder_with_a_bad_file(folder: Path, tmp_path: Path, service: RunningService) -> None:
    out = tmp_path / "out"
    first = pixelmend("upscale", folder, "-o", out)
    assert first.returncode == 1, first.stderr
    assert "bad.png" in first.stdout
    assert "1 of 3 files failed" in first.stdout
    made = sorted(str(path.relative_to(out)) for path in out.rglob("[!.]*") if path.is_file())
    assert made == ["a.png", "deep/b.png"]
    # The same image as from the service, to the last value.
    served = service.client.post("/api/upscale", files={"file": (folder / "a.jpg").read_bytes()})
    assert np.array_equal(decoded((out / "a.png").read_bytes()), decoded(served.content))

    made_at_ns = (out / "a.png").stat().st_mtime_ns
    second = pixelmend("upscale", folder, "-o", out)
    assert "2 already done" in second.stdout
    assert (out / "a.png").stat().st_mtime_ns == made_at_ns


@pytest.mark.full
def test_force_does_all_again_with_other_options(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (folder / "bad.png").unlink()
    third = pixelmend("upscale", folder, "-o", out, "--force", "--scale", "2", "--format", "webp")
    assert third.returncode == 0, third.stdout + third.stderr
    assert decoded((out / "deep" / "b.webp").read_bytes()).shape == (100, 100, 3)


def test_nothing_to_do_and_wrong_arguments_exit_with_2(tmp_path: Path) -> None:
    missing = pixelmend("upscale", tmp_path / "nowhere")
    assert (missing.returncode, "nowhere" in missing.stderr) == (2, True)
    empty = pixelmend("upscale", tmp_path)
    assert (empty.returncode, "no images" in empty.stderr) == (2, True)
    setting = pixelmend("gpu", PIXELMEND_PORT="99999")
    assert (setting.returncode, "99999" in setting.stderr) == (2, True)


@pytest.mark.full
def test_check_finds_a_sound_installation_sound(tmp_path: Path) -> None:
    result = pixelmend("check", PIXELMEND_DATA_DIR=str(tmp_path / "data"))
    assert result.returncode == 0, result.stdout + result.stderr
    assert "self-test: 384x384" in result.stdout
    assert "checksum right" in result.stdout


@pytest.mark.full
def test_check_says_what_to_mend(tmp_path: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    (models / "mine.pth").write_bytes(b"")
    result = pixelmend(
        "check",
        "--device",
        "cuda:9",
        PIXELMEND_MODELS_DIR=str(models),
        PIXELMEND_DATA_DIR=str(tmp_path / "data"),
    )
    assert result.returncode == 1
    assert "mine.pth: the file is empty" in result.stdout
    assert "device=cuda:9" in result.stdout
    assert "-> set PIXELMEND_DEVICE" in result.stdout


@pytest.mark.full
def test_gpu_shows_memory_and_what_a_service_has_loaded(service: RunningService) -> None:
    host, port = service.base_url.removeprefix("http://").split(":")
    running = pixelmend("gpu", PIXELMEND_HOST=host, PIXELMEND_PORT=port)
    assert running.returncode == 0, running.stderr
    assert "GiB" in running.stdout
    assert "pixelmend-x4" in running.stdout
    alone = pixelmend("gpu", PIXELMEND_PORT="1")
    assert "no service answers" in alone.stdout


def test_a_machine_without_openvino_and_pytorch_upscales(tmp_path: Path) -> None:
    """ARM, Macs of Intel: the CPU is left to ncnn, which computes float32 there."""
    source, result, absent = tmp_path / "photo.png", tmp_path / "large.png", tmp_path / "absent"
    source.write_bytes(encoded(photo(side_px=50)))
    absent.mkdir()
    for module in ("openvino", "torch"):
        (absent / f"{module}.py").write_text("raise ImportError('not installed')\n")
    paths = os.pathsep.join([str(absent), os.environ.get("PYTHONPATH", "")])
    done = pixelmend("upscale", source, "-o", result, PYTHONPATH=paths, PIXELMEND_PRECISION="bfloat16")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "in float32" in done.stdout
    assert decoded(result.read_bytes()).shape == (200, 200, 3)
