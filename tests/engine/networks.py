"""Small networks and pictures for the engine's tests. Everything is real; only the sizes are small."""

import os
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from numpy.typing import NDArray
from skimage import data
from torch import Tensor, nn

from pixelmend.core.errors import DeviceMemoryError
from pixelmend.engine.backends.compact import Compact
from pixelmend.engine.backends.network import NetworkOutput, TileNetwork, Tiles
from pixelmend.engine.weights.architecture import LoadedModel, read_model
from pixelmend.engine.weights.compact import CompactNetwork, NetworkConfig
from pixelmend.engine.weights.tensors import ModuleNetwork
from pixelmend.models.catalog import Catalog, ModelEntry, load_catalog, wrong_task
from pixelmend.models.dials import UNTURNED, Dials

ROOT = Path(__file__).parents[2]
OFFICIAL = "realesr-animevideov3-x4"


def load_model(catalog: Catalog, model_id: str, dials: Dials = UNTURNED) -> LoadedModel:
    """A model that upscales, as the model cache reads it."""
    catalog.for_task(model_id, "upscale")
    model = read_model(catalog, model_id, dials)
    if model.architecture.task != "upscale":
        raise wrong_task(model_id, model.architecture.task)
    return model


def compact_state(
    features: int = 8, hidden: int = 2, scale: int = 2, channels: int = 3, seed: int = 0
) -> dict[str, Tensor]:
    """A Compact network of random weights that change the picture visibly."""
    torch.manual_seed(seed)
    return dict(Compact(NetworkConfig(features, hidden, scale, channels)).state_dict())


def model_from(state: dict[str, Tensor], folder: Path, name: str = "small") -> LoadedModel:
    """The model of `state`, through a file like any other."""
    path = folder / f"{name}.safetensors"
    safetensors.torch.save_file(state, path)
    return load_model(Catalog((ModelEntry(name, name, "upscale", path, "dropped-in"),)), name)


def broken(model: LoadedModel, change: Callable[[Tensor], None]) -> LoadedModel:
    """`model` with its last weights changed after the loader has checked them."""
    network = model.architecture.network
    assert isinstance(network, CompactNetwork)
    change(torch.from_numpy(network.layers[-1].bias))  # they share memory
    return model


def in_torch(model: LoadedModel) -> LoadedModel:
    """`model` as one that PyTorch alone can compute."""
    network = ModuleNetwork(model.architecture.network.module())
    return replace(model, architecture=replace(model.architecture, name="Other", network=network))


def module_of(model: LoadedModel) -> nn.Module:
    """What `model` computes, if `in_torch` made it; changes are seen by networks that are opened later."""
    network = model.architecture.network
    assert isinstance(network, ModuleNetwork)
    return network.original


def embedded_model() -> LoadedModel:
    return load_model(load_catalog(ROOT / "no-such-folder"), "pixelmend-x4")


def official_path() -> Path:
    """Upstream's weights, or a skip that names the place where they belong."""
    folder = Path(os.environ.get("PIXELMEND_TEST_WEIGHTS", ROOT.parent / "shared" / "weights"))
    path = folder / f"{OFFICIAL}.pth"
    if not path.is_file():
        pytest.skip(f"{path.name} is not in the folder that PIXELMEND_TEST_WEIGHTS names")
    return path


def named_model(name: str) -> LoadedModel:
    """`embedded` or `official`."""
    return (
        embedded_model() if name == "embedded" else load_model(load_catalog(official_path().parent), OFFICIAL)
    )


def photo(name: str, height: int, width: int, top: int = 60, left: int = 120) -> NDArray[np.uint8]:
    """A crop of one of scikit-image's photographs, (H, W, 3)."""
    whole = np.asarray(getattr(data, name)(), np.uint8)
    return np.ascontiguousarray(whole[top : top + height, left : left + width, :3])


def colour(count: int = 1) -> NDArray[np.bool_]:
    return np.zeros(count, np.bool_)


class AtOnce(Executor):
    """An encoder's thread for tests that need none: what is submitted is done before `submit` returns."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


class Repeater:
    """A network that repeats every pixel `scale` times and remembers what it was asked."""

    def __init__(self, scale: int = 2, label: str = "repeater") -> None:
        self.scale = scale
        self.label = label
        self.shapes: list[tuple[int, ...]] = []

    def run(self, tiles: Tiles, grey: NDArray[np.bool_]) -> NetworkOutput:
        self.shapes.append(tiles.shape[:3])
        pixels = tiles.repeat(self.scale, axis=1).repeat(self.scale, axis=2)
        return NetworkOutput(pixels, (None,) * len(tiles))


class Faulty(Repeater):
    """Reports its output as faulty, and paints it black, wherever `is_bad` says so of an input tile."""

    def __init__(self, label: str, fault: str, is_bad: Callable[[Tiles], bool] = lambda tile: True) -> None:
        super().__init__(label=label)
        self._fault = fault
        self._is_bad = is_bad

    def run(self, tiles: Tiles, grey: NDArray[np.bool_]) -> NetworkOutput:
        right = super().run(tiles, grey)
        bad = [self._is_bad(tile) for tile in tiles]
        right.pixels[bad] = 0
        return NetworkOutput(right.pixels, tuple(self._fault if b else None for b in bad))


class SmallDevice:
    """A network on a device with room for `budget_px` input pixels in one call."""

    def __init__(self, network: TileNetwork, budget_px: int) -> None:
        self._network = network
        self.budget_px = budget_px
        self.scale = network.scale
        self.label = network.label
        self.served: list[tuple[int, ...]] = []
        self.refused: list[tuple[int, ...]] = []

    def run(self, tiles: Tiles, grey: NDArray[np.bool_]) -> NetworkOutput:
        count, height, width, _ = tiles.shape
        if count * height * width > self.budget_px:
            self.refused.append((count, height, width))
            raise DeviceMemoryError(f"{count * height * width} px exceed {self.budget_px}")
        self.served.append((count, height, width))
        return self._network.run(tiles, grey)
