"""The same weights give the same picture as Real-ESRGAN's own code, run in an environment of its own."""

from functools import cache

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from pixelmend.engine.backends.selection import open_network
from pixelmend.engine.devices.device import cpu_device
from pixelmend.engine.devices.precision import Precision, psnr_db
from tests.engine.networks import named_model, photo
from tests.parity.sides import Bytes, difference, upscaled_by_reference, upscaled_by_us

pytestmark = pytest.mark.full

TILE_PX = 96
MODELS = ("embedded", "official")
CUT_OUT = "coffee, RGBA"
ALPHA_ALONE = "coffee's alpha as a grey picture"
Compared = tuple[dict[str, Bytes], dict[str, Bytes]]


def grey(pixels: Bytes) -> Bytes:
    luma: NDArray[np.float64] = pixels @ np.array([0.299, 0.587, 0.114])
    return luma.round().astype(np.uint8)[:, :, None]


def with_alpha(pixels: Bytes) -> Bytes:
    """A soft-edged disc cut out of a photo, with a hard-edged bar of half transparency."""
    height, width = pixels.shape[:2]
    y, x = np.mgrid[0:height, 0:width]
    distance = np.hypot(x - width / 2, y - height / 2)
    alpha = np.clip((0.42 * height - distance) * 25, 0, 255)
    alpha[height // 2 : height // 2 + 9] = 128
    return np.dstack([pixels, alpha.round().astype(np.uint8)])


@cache
def pictures() -> dict[str, Bytes]:
    """(H, W, C) crops of photographs, each of several tiles."""
    cut_out = with_alpha(photo("coffee", 130, 140))
    return {
        "astronaut": photo("astronaut", 140, 176),
        "rocket": photo("rocket", 150, 130, top=200, left=250),
        "chelsea, grey": grey(photo("chelsea", 130, 150)),
        CUT_OUT: cut_out,
        ALPHA_ALONE: np.ascontiguousarray(cut_out[:, :, 3:]),
    }


@cache
def ours(model_name: str, precision: Precision) -> dict[str, Bytes]:
    model = named_model(model_name)
    network, _ = open_network(model, cpu_device(), precision, threads=2)
    return upscaled_by_us(model, network, pictures(), TILE_PX)


@pytest.fixture(scope="module", params=MODELS)
def compared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Compared:
    """Our FP32 output beside the reference's."""
    name: str = request.param
    model = named_model(name)
    state = model.architecture.network.module().state_dict()
    expected = upscaled_by_reference(state, model.scale, pictures(), tmp_path_factory.mktemp(name))
    return ours(name, "float32"), expected


def test_fp32_equals_the_reference_to_one_step(compared: Compared) -> None:
    results, expected = compared
    worst = {}
    for name, result in results.items():
        assert result.shape == expected[name].shape
        # The alpha plane is compared as the network gives it, and in the next test as we return it.
        worst[name], equal = difference(result[:, :, :3], expected[name][:, :, :3])
        print(f"{name}: greatest difference {worst[name]}/255, {equal:.4%} equal")
    assert max(worst.values()) <= 1, worst


def test_alpha_equals_the_reference_except_where_it_is_kept_solid(compared: Compared) -> None:
    results, expected = compared
    source = pictures()[CUT_OUT][:, :, 3]
    around = sliding_window_view(np.pad(source, 1, mode="edge"), (3, 3))
    is_solid = (around == source[:, :, None, None]).all(axis=(2, 3)) & np.isin(source, (0, 255))
    is_solid, kept = (plane.repeat(4, axis=0).repeat(4, axis=1) for plane in (is_solid, source))
    alpha, reference = results[CUT_OUT][:, :, 3], expected[CUT_OUT][:, :, 3]

    step, equal = difference(alpha[~is_solid], reference[~is_solid])
    strayed, _ = difference(kept[is_solid], reference[is_solid])
    print(f"alpha: greatest difference {step}/255, {equal:.4%} equal where edges are near; ", end="")
    print(f"in solid areas the reference strays by up to {strayed}/255")
    assert step <= 1
    np.testing.assert_array_equal(alpha[is_solid], kept[is_solid])
    # The same plane without our correction: the whole of it is the reference's.
    np.testing.assert_array_equal(expected[ALPHA_ALONE][:, :, 0], reference)


@pytest.mark.parametrize("model_name", MODELS)
def test_bfloat16_stays_close_to_fp32(model_name: str) -> None:
    full = ours(model_name, "float32")
    for name, result in ours(model_name, "bfloat16").items():
        closeness_db = psnr_db(result, full[name])
        step, equal = difference(result, full[name])
        print(
            f"{model_name}, {name}: {closeness_db:.1f} dB, greatest difference {step}/255, {equal:.2%} equal"
        )
        assert closeness_db >= 50
