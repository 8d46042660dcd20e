"""`RealESRGANer` by its signature; that its pictures are upstream's is shown in tests/parity."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from pixelmend import Upscaler
from pixelmend.compat import RealESRGANer, RRDBNet, SRVGGNetCompact, resampling
from pixelmend.core.errors import ModelUnusable, UnknownModel
from tests.engine.networks import compact_state
from tests.library.pictures import pictures

PICTURES = pictures()
BGR = np.ascontiguousarray(PICTURES["rgb"][:, :, ::-1])
RELEASES = "https://example.org/releases/download/v0.1.0"
INNER = slice(4 * 20, -4 * 20)
"""Farther from the edge than the network sees; beyond it ours mirrors and theirs has zeros."""


@pytest.fixture(scope="module")
def upsampler() -> Iterator[RealESRGANer]:
    network = SRVGGNetCompact(3, 3, num_feat=64, num_conv=16, upscale=4, act_type="prelu")
    with RealESRGANer(scale=4, model_path="pixelmend-x4", model=network, device="cpu") as opened:
        yield opened


def test_channels_are_in_the_order_of_opencv(upsampler: RealESRGANer) -> None:
    output, mode = upsampler.enhance(BGR)
    with Upscaler("pixelmend-x4", device="cpu", precision="float32") as upscaler:
        expected = upscaler.enhance(PICTURES["rgb"])
    assert (output.shape, output.dtype.name, mode) == ((256, 256, 3), "uint8", "RGB")
    assert output.flags.c_contiguous
    inner = output[INNER, INNER, ::-1].astype(int)
    assert np.abs(inner - expected[INNER, INNER]).max() <= 1


@pytest.mark.parametrize(
    ("name", "mode"), [("grey", "L"), ("rgba", "RGBA"), ("rgb, 16 bits", "RGB"), ("grey, 16 bits", "L")]
)
def test_modes_types_and_sizes(upsampler: RealESRGANer, name: str, mode: str) -> None:
    image = PICTURES[name]
    output, found = upsampler.enhance(image)
    assert (output.shape, output.dtype, found) == ((256, 256, *image.shape[2:]), image.dtype, mode)
    output, _ = upsampler.enhance(image, outscale=3.3)
    assert output.shape[:2] == (211, 211)


def test_alpha_by_interpolation_takes_no_network(upsampler: RealESRGANer) -> None:
    output, _ = upsampler.enhance(PICTURES["rgba"], alpha_upsampler="bicubic")
    by_network, _ = upsampler.enhance(PICTURES["rgba"])
    np.testing.assert_array_equal(output[:, :, :3], by_network[:, :, :3])
    np.testing.assert_array_equal(output[:, :, 3:], resampling.linear(PICTURES["rgba"][:, :, 3:], 256, 256))
    assert (output[:, :, 3] != by_network[:, :, 3]).any()


def test_what_cannot_be_done_is_refused_by_name(upsampler: RealESRGANer) -> None:
    with pytest.raises(ValueError, match="img has the type float32"):
        upsampler.enhance(BGR.astype(np.float32))
    with pytest.raises(ValueError, match="grey with alpha has no mode here"):
        upsampler.enhance(PICTURES["grey and alpha"])
    with pytest.raises(ValueError, match=r"outscale=0.01 makes 0x0 px"):
        upsampler.enhance(BGR, outscale=0.01)
    with pytest.raises(ValueError, match=r"outscale=1000 makes 64000x64000 px of 64x64"):
        upsampler.enhance(BGR, outscale=1000)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scale": 2, "model": RRDBNet(3, 3, scale=4)}, "scale=2, but the model was described with 4"),
        ({"tile": -1}, "tile=-1"),
        ({"pre_pad": 1.5}, "pre_pad=1.5"),
        ({"device": "tpu"}, "device='tpu'"),
        ({"model_path": "weights/none.pth"}, r"model='weights/none.pth' is no file"),
        ({"model_path": ["a.pth"], "dni_weight": [1]}, "two of each can be mixed"),
        ({"model_path": ["pixelmend-x4", "pixelmend-x2"], "dni_weight": [0.5, 0.5]}, "different networks"),
    ],
)
def test_arguments_are_checked(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RealESRGANer(**{"scale": 4, "model_path": "pixelmend-x4", **arguments})


def test_an_address_means_the_model_that_it_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PIXELMEND_MODELS_DIR", str(tmp_path))
    RealESRGANer(4, f"{RELEASES}/pixelmend-x4.pth").close()
    with pytest.raises(ModelUnusable, match="pixelmend models download RealESRGAN_x4plus"):
        RealESRGANer(4, f"{RELEASES}/RealESRGAN_x4plus.pth")
    with pytest.raises(UnknownModel, match="'someones' is not known; there are: pixelmend-x4"):
        RealESRGANer(4, f"{RELEASES}/someones.pth")


@pytest.mark.full
def test_a_file_is_read_and_its_scale_has_to_be_the_one_that_was_given(tmp_path: Path) -> None:
    # The name is one of the catalog, which knows other weights by it.
    path = tmp_path / "RealESRGAN_x4plus.pth"
    torch.save({"params": compact_state(scale=2)}, path)
    with RealESRGANer(2, path, device=torch.device("cpu"), tile=400, half=True) as upsampler:
        assert upsampler.enhance(BGR)[0].shape == (128, 128, 3)
    with (
        RealESRGANer(4, str(path), device="cpu") as upsampler,
        pytest.raises(ValueError, match="scale=4, but the network upscales by 2"),
    ):
        upsampler.enhance(BGR)


@pytest.mark.full
def test_two_networks_are_mixed(tmp_path: Path) -> None:
    one, other = compact_state(seed=1), compact_state(seed=2)
    mixed = {name: 0.25 * one[name] + 0.75 * other[name] for name in one}
    for name, state in {"one": one, "other": other, "mixed": mixed}.items():
        safetensors.torch.save_file(state, tmp_path / f"{name}.safetensors")
    both = [tmp_path / "one.safetensors", tmp_path / "other.safetensors"]
    with (
        RealESRGANer(2, both, dni_weight=[0.25, 0.75], device="cpu") as mixing,
        RealESRGANer(2, tmp_path / "mixed.safetensors", device="cpu") as ready_made,
    ):
        np.testing.assert_array_equal(mixing.enhance(BGR)[0], ready_made.enhance(BGR)[0])


def test_resampling_keeps_what_is_flat_and_what_has_the_size_already() -> None:
    for resize in (resampling.lanczos4, resampling.linear):
        np.testing.assert_array_equal(resize(BGR, 64, 64), BGR)
        np.testing.assert_array_equal(resize(np.full((9, 7, 1), 65535, np.uint16), 30, 5), 65535)
    ramp = np.array([[[0], [100]]], np.uint8)
    np.testing.assert_array_equal(resampling.linear(ramp, 4, 1)[0, :, 0], [0, 25, 75, 100])
