"""Networks that inpaint: how their files are read, and how what they make is put into an image."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
from numpy.typing import NDArray

from pixelmend.core.errors import Cancelled, DeviceMemoryError, InvalidParameter, ModelUnusable
from pixelmend.core.telemetry import Logger
from pixelmend.engine.backends.network import TileNetwork
from pixelmend.engine.devices.device import cpu_device
from pixelmend.engine.devices.memory import HostMemory
from pixelmend.engine.inpainting.network import LEAST_EDGE_PX, WORKING_EDGE_PX, NetworkFill
from pixelmend.engine.model_cache.cache import ModelCache
from pixelmend.engine.model_cache.eviction import MemoryLimits
from pixelmend.engine.model_cache.memory_profile import MemoryProfiles
from pixelmend.engine.model_cache.provider import CatalogProvider
from pixelmend.engine.recovery.runner import ResilientRunner, RunResult
from pixelmend.engine.recovery.tiling import Tiling
from pixelmend.engine.weights.architecture import read_model
from pixelmend.imaging.canvas import Pixels
from pixelmend.models.catalog import Catalog, ModelEntry
from pixelmend.models.integrity import sha256_of
from tests.engine.inpainters import ONNX_FILL, MeanFiller, lama_state, save_onnx, save_torchscript
from tests.engine.networks import compact_state, photo

TILING = Tiling(32, 16, 8, 16, splittable=False)


def at_once(work: Callable[[], RunResult]) -> RunResult:
    return work()


def filler(network: TileNetwork) -> NetworkFill:
    return NetworkFill(ResilientRunner(TILING, [lambda: network]), at_once)


def filled(
    network: TileNetwork, pixels: Pixels, hole: NDArray[np.bool_]
) -> tuple[Pixels, list[tuple[int, int]]]:
    told: list[tuple[int, int]] = []
    result, _ = filler(network).fill(
        pixels, hole, cancelled=lambda: False, on_progress=lambda done, total: told.append((done, total))
    )
    assert result.dtype == pixels.dtype
    assert (result[~hole] == pixels[~hole]).all()
    return result, told


def hole_at(shape: tuple[int, ...], *boxes: tuple[slice, slice]) -> NDArray[np.bool_]:
    hole = np.zeros(shape[:2], np.bool_)
    for box in boxes:
        hole[box] = True
    return hole


def entry(path: Path, *, sha256: str | None = None) -> ModelEntry:
    """As the catalog knows it if there is a checksum, else as it was dropped in."""
    return ModelEntry(
        "m",
        "m",
        "inpaint",
        path,
        "dropped-in" if sha256 is None else "catalog",
        architecture="MI-GAN",
        sha256=sha256,
    )


def trusted(path: Path) -> Catalog:
    return Catalog((entry(path, sha256=sha256_of(path)),))


def cache_of(catalog: Catalog) -> ModelCache:
    device = cpu_device()
    provider = CatalogProvider(lambda: catalog, device, None, MemoryProfiles(None, Logger()), threads=1)
    return ModelCache(provider, device, HostMemory(), MemoryLimits())


# --- files ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lama_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lama") / "big-lama.pt"
    save_torchscript(path, lama_state())
    return path


@pytest.mark.full
def test_lama_as_it_is_distributed_fills_the_hole_and_nothing_else(lama_file: Path) -> None:
    cache = cache_of(trusted(lama_file))
    opened = cache.lease("m", task="inpaint")
    assert opened.model.architecture.name == "LaMa"
    assert opened.runner.tiling.multiple_of == 8
    image = photo("astronaut", 121, 90)
    hole = hole_at(image.shape, np.s_[40:60, 30:51])
    result, _ = NetworkFill(opened.runner, at_once).fill(
        image, hole, cancelled=lambda: False, on_progress=lambda done, total: None
    )
    assert (result[~hole] == image[~hole]).all()
    assert (np.abs(result[hole].astype(int) - 128) <= 1).all()  # a sigmoid of nothing
    cache.release(opened)
    cache.load("m")  # measures its pace
    with pytest.raises(InvalidParameter, match=r"^model 'm' is for inpainting, not upscaling$"):
        cache.lease("m")


def test_torchscript_is_read_from_nobody_but_those_we_know(lama_file: Path) -> None:
    with pytest.raises(ModelUnusable, match=r"a TorchScript program, not plain weights"):
        read_model(Catalog((entry(lama_file),)), "m")


def test_onnx_pipeline_gets_bytes_and_a_mask_that_is_zero_where_something_goes(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    save_onnx(path)
    opened = cache_of(trusted(path)).lease("m", task="inpaint")
    assert (opened.network.precision, opened.network.device.type) == ("float32", "cpu")
    for image in (photo("astronaut", 70, 99), photo("astronaut", 70, 99)[:, :, :1]):
        hole = hole_at(image.shape, np.s_[20:30, 30:51])
        result, notes = NetworkFill(opened.runner, at_once).fill(
            np.ascontiguousarray(image), hole, cancelled=lambda: False, on_progress=lambda done, total: None
        )
        assert notes == ()
        assert (result[~hole] == image[~hole]).all()
        assert (result[hole] == ONNX_FILL).all()


def test_onnx_of_another_interface_or_none_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    save_onnx(path, mask_name="hole")
    with pytest.raises(ModelUnusable, match=r"m\.onnx: takes .*'hole'.*'mask' of tensor\(uint8\)"):
        read_model(trusted(path), "m")
    path.write_bytes(b"rubbish")
    with pytest.raises(ModelUnusable, match=r"m\.onnx: ONNX Runtime cannot read it"):
        read_model(trusted(path), "m")


def test_a_model_that_upscales_does_not_inpaint(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    safetensors.torch.save_file(compact_state(), path)
    catalog = Catalog((ModelEntry("m", "m", "upscale", path, "dropped-in"),))
    with pytest.raises(InvalidParameter, match=r"^model 'm' is for upscaling, not inpainting$"):
        cache_of(catalog).lease("m", task="inpaint")


# --- filling ----------------------------------------------------------------------------------------------


def test_only_what_is_around_the_holes_is_looked_at() -> None:
    image = np.tile(photo("coffee", 300, 300), (4, 4, 1))
    network = MeanFiller()
    hole = hole_at(image.shape, np.s_[40:60, 30:50], np.s_[1000:1030, 1100:1110])
    _, told = filled(network, image, hole)
    assert len(network.calls) == 2
    for height, width, channels in network.calls:
        assert max(height, width) < 30 + 2 * 64 + 8
        assert (height % 8, width % 8, channels) == (0, 0, 4)
    assert told == [(400, 700), (700, 700)]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_depth_and_grey_are_kept(dtype: type[np.generic], channels: int) -> None:
    image = photo("coffee", 100, 120)[:, :, :channels].astype(dtype) * (257 if dtype == np.uint16 else 1)
    hole = hole_at(image.shape, np.s_[40:60, 30:50])
    result, _ = filled(MeanFiller(), np.ascontiguousarray(image), hole)
    assert result.shape == image.shape
    # The window is most of this image, mirrored to a multiple of 8.
    assert np.abs(result[hole].mean(axis=0) / image[~hole].mean(axis=0) - 1).max() < 0.1


def test_a_large_hole_is_looked_at_as_a_whole_reduced() -> None:
    ramp = np.linspace(0, 255, 2600).astype(np.uint8)
    image = np.repeat(np.repeat(ramp[None, :, None], 1500, axis=0), 3, axis=2)
    hole = hole_at(image.shape, np.s_[100:1400, 200:2400])
    network = MeanFiller()
    result, _ = filled(network, image, hole)
    ((height, width, _),) = network.calls
    assert WORKING_EDGE_PX - 8 < max(height, width) <= WORKING_EDGE_PX
    inside = result[130:1370, 230:2370]  # where it meets what is known, it is interpolated
    assert (inside == inside[0, 0]).all()


def test_what_is_hidden_does_not_shine_through_at_the_rim_of_a_reduced_hole() -> None:
    image = np.full((1500, 1500, 3), 100, np.uint8)
    hole = hole_at(image.shape, np.s_[301:1204, 303:1205])
    image[hole] = 255
    result, _ = filled(MeanFiller(), image, hole)
    assert (np.abs(result.astype(int) - 100) <= 1).all()


def test_a_device_without_room_gets_it_smaller_and_says_when_even_that_is_too_large() -> None:
    image = photo("astronaut", 400, 380, top=0, left=0)
    hole = hole_at(image.shape, np.s_[100:300, 100:300])
    network = MeanFiller(room_px=LEAST_EDGE_PX**2)
    filled(network, image, hole)
    assert max(network.calls[-1][:2]) <= LEAST_EDGE_PX < max(network.calls[0][:2])
    with pytest.raises(DeviceMemoryError, match="the model has to see it as a whole"):
        filled(MeanFiller(room_px=100), image, hole)


def test_cancelling_ends_it() -> None:
    image = photo("astronaut", 200, 200)
    network = MeanFiller()
    with pytest.raises(Cancelled):
        filler(network).fill(
            image,
            hole_at(image.shape, np.s_[50:60, 50:60]),
            cancelled=lambda: True,
            on_progress=lambda *_: None,
        )
    assert network.calls == []


def test_a_wrong_result_is_redone_by_a_safer_network() -> None:
    runner = ResilientRunner(TILING, [lambda: MeanFiller(black=True), MeanFiller])
    image = photo("astronaut", 120, 120)
    hole = hole_at(image.shape, np.s_[50:60, 50:60])
    result, notes = NetworkFill(runner, at_once).fill(
        image, hole, cancelled=lambda: False, on_progress=lambda *_: None
    )
    assert (result[~hole] == image[~hole]).all()
    assert result[hole].any()
    assert len(notes) == 1
    assert "tile redone in float32 on a test" in notes[0]
