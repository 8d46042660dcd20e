"""Models that PyTorch was needed for once: their second start needs none, and gives the same values."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from numpy.typing import NDArray
from spandrel.architectures.ESRGAN import ESRGAN
from torch import Tensor

from pixelmend.core.errors import ModelUnusable
from pixelmend.core.telemetry import Logger
from pixelmend.engine.backends.selection import open_exact
from pixelmend.engine.backends.torch import TorchNetwork
from pixelmend.engine.devices.device import cpu_device
from pixelmend.engine.model_cache.memory_profile import MemoryProfiles
from pixelmend.engine.model_cache.provider import CatalogProvider, ModelKey, OpenNetwork
from pixelmend.engine.weights import converted_files
from pixelmend.engine.weights.converted import ConvertedNetwork
from pixelmend.engine.weights.converted_files import ConvertedFiles
from pixelmend.models.catalog import load_catalog
from pixelmend.models.dials import UNTURNED, Dials
from tests.engine.networks import ROOT, colour, compact_state
from tests.imaging.samples import noise
from tests.models.ncnn_networks import rrdb

TILE: NDArray[np.uint8] = noise(24, 24, 3)[None]


def deep_state(seed: int = 0) -> dict[str, Tensor]:
    torch.manual_seed(seed)
    return dict(ESRGAN(num_filters=8, num_blocks=1).state_dict())


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A network of each kind, each in a file that PyTorch is needed for."""
    folder = tmp_path / "models"
    folder.mkdir()
    torch.save(compact_state(), folder / "small.pth")
    safetensors.torch.save_file(deep_state(), folder / "deep.safetensors")
    return folder


def files_in(folder: Path, **limits: int) -> ConvertedFiles:
    return ConvertedFiles(folder / "converted", Logger(), **limits)


def opened(models: Path, files: ConvertedFiles | None, name: str, dials: Dials = UNTURNED) -> OpenNetwork:
    """As a start opens it: nothing is known of its file."""
    profiles = MemoryProfiles(None, Logger())
    provider = CatalogProvider(lambda: load_catalog(models), cpu_device(), "float32", profiles, 1, files)
    return provider.load_plan(ModelKey(name, dials)).open()


def pixels_of(network: OpenNetwork) -> NDArray[np.uint8]:
    result = network.network.run(TILE, colour())
    assert result.faults == (None,)
    return np.asarray(result.pixels, np.uint8)


SECOND_START = """
    import sys
    from pathlib import Path
    for name in ("torch", "torchvision", "spandrel"):
        sys.modules[name] = None  # an import of it fails
    import numpy as np
    from pixelmend.core.telemetry import Logger
    from pixelmend.engine.devices.device import cpu_device
    from pixelmend.engine.model_cache.memory_profile import MemoryProfiles
    from pixelmend.engine.model_cache.provider import CatalogProvider, ModelKey
    from pixelmend.engine.weights.converted_files import ConvertedFiles
    from pixelmend.models.catalog import load_catalog

    folder = Path(sys.argv[1])
    files = ConvertedFiles(folder / "converted", Logger())
    profiles = MemoryProfiles(None, Logger())
    provider = CatalogProvider(
        lambda: load_catalog(folder / "models"), cpu_device(), "float32", profiles, 1, files
    )
    tile = np.load(folder / "tile.npy")
    for name in ("small", "deep"):
        network = provider.load_plan(ModelKey(name)).open()
        assert network.note is None, network.note
        np.save(folder / f"{name}.npy", network.network.run(tile, np.zeros(1, np.bool_)).pixels)
"""


def test_a_second_start_needs_no_pytorch_and_gives_the_same_values(models: Path, tmp_path: Path) -> None:
    first = {name: opened(models, files_in(tmp_path), name) for name in ("small", "deep")}
    np.save(tmp_path / "tile.npy", TILE)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SECOND_START), tmp_path],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    for name, network in first.items():
        assert np.array_equal(np.load(tmp_path / f"{name}.npy"), pixels_of(network))


def test_what_was_kept_says_all_that_was_known(models: Path, tmp_path: Path) -> None:
    first, second = (opened(models, files_in(tmp_path), "deep") for _ in range(2))
    known, again = first.model.architecture, second.model.architecture
    assert isinstance(again.network, ConvertedNetwork)
    for name in ("name", "scale", "multiple_of", "minimum_px", "task", "allows_half", "allows_bfloat16"):
        assert getattr(known, name) == getattr(again, name)
    assert again.network.value_count == known.network.value_count
    assert (second.model.sha256, second.tiling) == (first.model.sha256, first.tiling)
    assert second.weights_bytes == first.weights_bytes


@pytest.mark.full
def test_another_file_in_its_place_is_another_model(models: Path, tmp_path: Path) -> None:
    opened(models, files_in(tmp_path), "deep")
    kept = opened(models, files_in(tmp_path), "deep")
    safetensors.torch.save_file(deep_state(seed=1), models / "deep.safetensors")
    other = opened(models, files_in(tmp_path), "deep")
    assert not np.array_equal(pixels_of(other), pixels_of(kept))
    assert np.array_equal(pixels_of(other), pixels_of(opened(models, None, "deep")))
    with pytest.raises(ModelUnusable, match=r"deep.safetensors: sha256 is"):
        kept.model.architecture.network.module()


def test_pytorch_is_still_what_a_faulty_tile_falls_back_on(models: Path, tmp_path: Path) -> None:
    first = opened(models, files_in(tmp_path), "deep")
    second = opened(models, files_in(tmp_path), "deep")
    exact = open_exact(second.model, cpu_device(), 1)
    assert isinstance(exact, TorchNetwork)
    assert np.abs(exact.run(TILE, colour()).pixels.astype(int) - pixels_of(first)).max() <= 1


def test_a_graph_that_computes_something_else_is_found_out(models: Path, tmp_path: Path) -> None:
    """Its checksums are right: what PyTorch made of the probe is compared as at the first start."""
    right = pixels_of(opened(models, files_in(tmp_path), "deep"))
    (kept,) = (tmp_path / "converted").iterdir()
    np.save(kept / "pixels.npy", 255 - np.load(kept / "pixels.npy"))
    told = json.loads((kept / "facts.json").read_text())
    told["files"]["pixels.npy"] = converted_files._sha256_of(kept / "pixels.npy")
    (kept / "facts.json").write_text(json.dumps(told))
    second = opened(models, files_in(tmp_path), "deep")
    assert second.note is not None
    assert "OpenVINO's float32" in second.note
    assert "computes wrong values" in second.note
    assert np.abs(pixels_of(second).astype(int) - right).max() <= 1


def test_two_files_of_ncnns_are_not_kept_by_one_of_them(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    param, weights, _ = rrdb()
    (tmp_path / "models/deep.param").write_text(param)
    (tmp_path / "models/deep.bin").write_bytes(weights)
    opened(tmp_path / "models", files_in(tmp_path), "deep")
    assert not (tmp_path / "converted").exists()


def test_what_pytorch_is_not_needed_for_is_not_kept(models: Path, tmp_path: Path) -> None:
    opened(models, files_in(tmp_path), "pixelmend-x4")
    opened(models, files_in(tmp_path), "pixelmend-x4", Dials(denoise=0.5))
    assert not (tmp_path / "converted").exists()


def damage(folder: Path) -> None:
    with (folder / "graph.bin").open("r+b") as file:
        file.seek(100)
        file.write(b"damage")


def truncate(folder: Path) -> None:
    os.truncate(folder / "facts.json", 20)


def forget(folder: Path) -> None:
    (folder / "graph.xml").unlink()


def age(folder: Path) -> None:
    told = json.loads((folder / "facts.json").read_text())
    (folder / "facts.json").write_text(json.dumps(told | {"version": "0, OpenVINO 1"}))


def rename_a_field(folder: Path) -> None:
    text = (folder / "facts.json").read_text()
    (folder / "facts.json").write_text(text.replace('"scale"', '"factor"'))


@pytest.mark.parametrize(
    "spoil",
    [
        damage,
        *(pytest.param(spoil, marks=pytest.mark.full) for spoil in (truncate, forget, age, rename_a_field)),
    ],
)
def test_what_cannot_be_used_is_converted_again(
    models: Path, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    right = pixels_of(opened(models, files_in(tmp_path), "deep"))
    (kept,) = (tmp_path / "converted").iterdir()
    spoil(kept)
    again = opened(models, files_in(tmp_path), "deep")
    assert not isinstance(again.model.architecture.network, ConvertedNetwork)
    assert isinstance(opened(models, files_in(tmp_path), "deep").model.architecture.network, ConvertedNetwork)
    assert np.array_equal(pixels_of(again), right)


def test_a_folder_that_cannot_be_written_costs_nothing_else(models: Path, tmp_path: Path) -> None:
    (tmp_path / "converted").write_text("no folder")
    pixels_of(opened(models, files_in(tmp_path), "small"))
    pixels_of(opened(models, files_in(tmp_path), "deep"))


def write(folder: Path, size_bytes: int) -> None:
    (folder / "file").write_bytes(bytes(size_bytes))


def keep(files: ConvertedFiles, name: str, size_bytes: int) -> None:
    files.keep(name, {"of": name}, lambda folder: write(folder, size_bytes))


def kept_in(folder: Path) -> set[str]:
    return {path.name for path in (folder / "converted").iterdir()}


def test_what_was_not_used_for_longest_is_evicted(tmp_path: Path) -> None:
    files = files_in(tmp_path, max_bytes=3500)
    for age_s, name in ((300, "a"), (200, "b"), (100, "c")):
        keep(files, name, 1000)
        for path in (tmp_path / "converted" / name).iterdir():
            os.utime(path, (0, path.stat().st_mtime - age_s))
    assert files.find("a") is not None  # and so it was used just now
    keep(files, "d", 1000)
    assert kept_in(tmp_path) == {"a", "c", "d"}
    keep(files, "e", 9000)  # larger than all there may be
    assert kept_in(tmp_path) == set()


def test_a_disk_that_is_nearly_full_is_left_alone(tmp_path: Path) -> None:
    keep(files_in(tmp_path, min_free_bytes=1 << 60), "a", 10)
    assert kept_in(tmp_path) == set()


def test_what_could_not_be_written_whole_is_absent(tmp_path: Path) -> None:
    files = files_in(tmp_path)

    def fail(folder: Path) -> None:
        (folder / "file").write_bytes(b"half")
        raise OSError("no space left")

    files.keep("a", {}, fail)
    assert kept_in(tmp_path) == set()
    assert files.find("a") is None
