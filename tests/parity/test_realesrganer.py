"""A script that was written for `realesrgan` gives the same pictures with one changed import."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from tests.engine.networks import official_path, photo
from tests.parity.sides import Bytes, difference, reference_python
from tests.parity.test_parity import grey, with_alpha

pytestmark = pytest.mark.full

THEIRS = """
from basicsr.archs.rrdbnet_arch import RRDBNet
from realesrgan import RealESRGANer
from realesrgan.archs.srvgg_arch import SRVGGNetCompact
"""
OURS = """
from pixelmend.compat import RealESRGANer, RRDBNet, SRVGGNetCompact
"""
SCRIPT = """
import sys
from pathlib import Path

import numpy as np

weights, inputs, outputs = map(Path, sys.argv[1:])
compact = SRVGGNetCompact(num_in_ch=3, num_out_ch=3, num_feat=64, num_conv=16, upscale=4, act_type='prelu')
small_rrdb = RRDBNet(num_in_ch=3, num_out_ch=3, num_feat=64, num_block=6, num_grow_ch=32, scale=4)
half_size = RRDBNet(num_in_ch=3, num_out_ch=3, num_feat=16, num_block=1, num_grow_ch=32, scale=2)


def save(name, result):
    output, img_mode = result
    np.save(outputs / f'{name}, {img_mode}.npy', output)


upsampler = RealESRGANer(scale=4, model_path=str(weights / 'compact.pth'), model=compact, tile=0, half=False)
for path in sorted(inputs.glob('*.npy')):
    img = np.load(path)
    save(f'compact {path.stem}', upsampler.enhance(img))
    save(f'compact {path.stem} at 4', upsampler.enhance(img, outscale=4))
img = np.load(inputs / 'rgba.npy')
save('compact rgba at 2.5', upsampler.enhance(img, outscale=2.5))
save('compact rgba at 6', upsampler.enhance(img, 6))
save('compact alpha by bicubic', upsampler.enhance(img, alpha_upsampler='bicubic'))

both = [str(weights / 'compact.pth'), str(weights / 'other.pth')]
upsampler = RealESRGANer(4, both, dni_weight=[0.3, 0.7], model=compact, pre_pad=0)
save('mixed', upsampler.enhance(np.load(inputs / 'rgb.npy')))

upsampler = RealESRGANer(scale=4, model_path=str(weights / 'anime.pth'), model=small_rrdb)
for name in ('rgb', 'grey', 'rgba', 'rgb16'):
    save(f'anime {name}', upsampler.enhance(np.load(inputs / f'{name}.npy')))

upsampler = RealESRGANer(scale=2, model_path=str(weights / 'half.pth'), model=half_size, pre_pad=5)
save('half odd', upsampler.enhance(np.load(inputs / 'odd.npy')))
"""
SHIM = """
import sys, types
from torchvision.transforms.functional import rgb_to_grayscale
gone = types.ModuleType("torchvision.transforms.functional_tensor")
gone.rgb_to_grayscale = rgb_to_grayscale
sys.modules[gone.__name__] = gone
"""
"""basicsr imports a module that torchvision has dropped."""


def pictures() -> dict[str, Any]:
    """In OpenCV's order of channels."""
    rgb = photo("coffee", 66, 75)
    noise = np.random.default_rng(3)

    def deep(pixels: Bytes) -> Any:
        return (pixels.astype(np.uint16) << 8) + noise.integers(0, 256, pixels.shape, np.uint16)

    found = {
        "rgb": rgb,
        "grey": grey(rgb)[:, :, 0],
        "rgba": with_alpha(rgb),
        "rgb16": deep(rgb),
        "rgba16": deep(with_alpha(rgb)),
        "odd": photo("astronaut", 51, 47),
    }
    order = {2: slice(None), 3: [2, 1, 0], 4: [2, 1, 0, 3]}
    return {
        name: pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[:, :, order[pixels.shape[2]]])
        for name, pixels in found.items()
    }


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the script gives with our import, and with theirs; by the names that it gave."""
    folder = tmp_path_factory.mktemp("script")
    weights, inputs = folder / "weights", folder / "inputs"
    weights.mkdir()
    inputs.mkdir()
    official = torch.load(official_path(), weights_only=True)["params"]
    torch.save({"params": official}, weights / "compact.pth")
    other = {
        name: tensor * (0.9 + 0.1 * (index % 2)) for index, (name, tensor) in enumerate(official.items())
    }
    torch.save({"params": other}, weights / "other.pth")
    anime = official_path().with_name("RealESRGAN_x4plus_anime_6B.safetensors")
    state = {name: tensor.float() for name, tensor in safetensors.torch.load_file(anime).items()}
    torch.save({"params_ema": state}, weights / "anime.pth")
    for name, pixels in pictures().items():
        np.save(inputs / f"{name}.npy", pixels)
    torch.save({"params": random_half_size(folder)}, weights / "half.pth")

    def run(python: Path | str, head: str, name: str) -> dict[str, Any]:
        outputs = folder / name
        outputs.mkdir()
        arguments = [
            str(python),
            "-W",
            "ignore",
            "-c",
            head + SCRIPT,
            str(weights),
            str(inputs),
            str(outputs),
        ]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False, cwd=folder)
        assert done.returncode == 0, done.stderr
        return {path.stem: np.load(path) for path in sorted(outputs.glob("*.npy"))}

    return run(sys.executable, OURS, "ours"), run(reference_python(), SHIM + THEIRS, "theirs")


def random_half_size(folder: Path) -> Any:
    """Random weights of upstream's RRDBNet that takes pixels apart, 2 by 2; no official one is at hand."""
    path = folder / "half-state.pth"
    make = (
        "import torch\ntorch.manual_seed(5)\nfrom basicsr.archs.rrdbnet_arch import RRDBNet\n"
        "network = RRDBNet(3, 3, scale=2, num_feat=16, num_block=1, num_grow_ch=32)\n"
        f"torch.save(network.state_dict(), {str(path)!r})\n"
    )
    subprocess.run([str(reference_python()), "-W", "ignore", "-c", SHIM + make], check=True)
    state = torch.load(path, weights_only=True)
    state["conv_last.weight"] *= 20  # as it is made, all of its pictures are flat grey
    return state


def test_pictures_have_the_same_sizes_types_and_modes(results: tuple[dict[str, Any], dict[str, Any]]) -> None:
    ours, theirs = ({name: (r.shape, r.dtype) for name, r in side.items()} for side in results)
    assert ours == theirs
    assert len(ours) >= 20


def test_pictures_are_equal_to_one_step_of_eight_bits(results: tuple[dict[str, Any], dict[str, Any]]) -> None:
    apart = {}
    for name, ours in results[0].items():
        theirs = results[1][name]
        step, equal = difference(ours, theirs)
        of_eight = step / (1 if ours.dtype == np.uint8 else 257)
        print(f"{name}: greatest difference {of_eight:.3f}/255, {equal:.2%} equal")
        apart[name] = of_eight
        assert theirs.std() > 5, f"{name} shows nothing"
    assert max(apart.values()) <= 1, apart
