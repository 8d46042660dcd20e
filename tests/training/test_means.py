"""Pictures keep their mean, greys stay exact, and next to nothing else changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file, save_file

from pixelmend.engine.backends.compact import from_state
from training.evaluate_vivid import everyday, gradient_energy, square
from training.judge import flat_deviation
from training.means import main
from training.methods import bicubic, read_network, upscale
from training.networks import Network
from training.photos import photo

pytestmark = pytest.mark.full

WEIGHTS = Path(__file__).parents[2] / "backend/pixelmend/models/weights/pixelmend-x4-vivid.safetensors"
BIAS, LAST = "body.34.bias", "body.34.weight"
# Red is to be shifted by so much.
SHIFT = 3.0
LEARNED = ("coffee", "chelsea", "rocket", "retina")


def low_of(name: str, seed: int) -> NDArray[np.uint8]:
    return everyday(square(photo(name), 256), 4, seed)


def write_photographs(folder: Path) -> None:
    """One subject of 24 would be kept apart: of four none is."""
    lines = ["file,licence,credit,repository"]
    for number, name in enumerate(LEARNED):
        Image.fromarray(photo(name)).save(folder / f"{number}-1.png")
        lines.append(f"{number}-1.png,CC0,{name},none")
    (folder / "MANIFEST.csv").write_text("\n".join(lines) + "\n")


def shift_of(network: Network, low: NDArray[np.uint8]) -> NDArray[np.float64]:
    difference = upscale(network, low).astype(np.float64) - bicubic(4).upscale(low)
    mean: NDArray[np.float64] = difference.mean(axis=(0, 1))
    return mean


def test_means_are_brought_back_on_pictures_never_seen(tmp_path: Path) -> None:
    state = load_file(WEIGHTS)
    state[BIAS] = state[BIAS].float()
    state[BIAS][:16] += SHIFT / 255.0
    with safetensors.safe_open(WEIGHTS, "pt") as file:
        about = file.metadata()
    save_file(state, tmp_path / "shifted.safetensors", about)
    write_photographs(tmp_path)
    main([str(tmp_path / name) for name in ("shifted.safetensors", "", "kept.safetensors")])
    before, after = from_state(state), read_network(tmp_path / "kept.safetensors")
    low = low_of("astronaut", 0)
    assert shift_of(before, low)[0] > SHIFT - 1.0
    assert np.abs(shift_of(after, low)).max() < 1.0
    assert flat_deviation(after, 20, (0, *range(16, 240, 16), 255)) == 0
    energies = [gradient_energy(upscale(network, low)) for network in (before, after)]
    assert energies[1] == pytest.approx(energies[0], rel=0.05)
    kept = load_file(tmp_path / "kept.safetensors")
    assert {name for name in state if not np.array_equal(state[name], kept[name])} == {LAST, BIAS}
    with safetensors.safe_open(tmp_path / "kept.safetensors", "pt") as file:
        assert file.metadata() == {**about, "means": file.metadata()["means"]}
