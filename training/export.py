"""Turn a training checkpoint into the file that ships: ``python -m training.export CHECKPOINT WEIGHTS``."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save
from torch import Tensor

from pixelmend.engine.backends.compact import from_state
from pixelmend.engine.weights.compact import NetworkConfig
from training.data import DataConfig, make_pair
from training.deeper import DeeperConfig
from training.degrade import DegradeConfig
from training.flats import keep_flats
from training.last_layer import columns_of, moment_of
from training.leaves import LeafConfig
from training.networks import Config, config_of
from training.span import SpanConfig, to_spandrel
from training.trainer import Variant

Bytes = NDArray[np.uint8]

METADATA = {
    "format": "pt",
    "license": "Apache-2.0",
    "author": "Pixelmend contributors",
    "data": "procedural pictures only (training/leaves.py)",
}
ARCHITECTURES: dict[type[Config], str] = {
    NetworkConfig: "Compact (SRVGGNetCompact)",
    SpanConfig: "SPAN",
    DeeperConfig: "Compact with residual blocks (training/deeper.py)",
}
LOW_PICTURES: dict[Variant, str] = {
    "faithful": "bicubic reductions",
    "clean": "with blur, noise and JPEG (training/degrade.py)",
    "vivid": "with blur, noise and JPEG (training/degrade.py)",
}

# Seed and number of the pictures on which the change that keeps greys is kept small.
FLATS_SEED, FLATS_PICTURES = 77, 16


def header(state: Mapping[str, Tensor], variant: Variant, extra: Mapping[str, str]) -> dict[str, str]:
    """``METADATA``, architecture, title, scale, low pictures and ``extra``, for a safetensors file.

    Raises ValueError if ``state`` is not that of a network that is trained here.
    """
    config = config_of(state)
    about = {
        "architecture": ARCHITECTURES[type(config)],
        "title": f"Pixelmend x{config.scale}, {variant}",
        "scale": str(config.scale),
        "low_pictures": LOW_PICTURES[variant],
    }
    return {**METADATA, **about, **extra}


def write(path: Path, state: Mapping[str, Tensor], about: Mapping[str, str]) -> None:
    """A safetensors file of ``state`` in float16 with ``about`` at its head; prints its size and sha256."""
    half = {name: tensor.detach().cpu().to(torch.float16).contiguous() for name, tensor in state.items()}
    content = save(half, dict(about))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    print(f"{path}: {len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()}")


def some_lows() -> list[Bytes]:
    """A few low pictures such as the clean variant is trained on, of a seed of their own."""
    config = DataConfig(LeafConfig(size=192), degrading=DegradeConfig(), versions=1)
    return [make_pair(FLATS_SEED, index, config).lows[0] for index in range(FLATS_PICTURES)]


def cost_of_changes(state: Mapping[str, Tensor]) -> Tensor:
    """What a change of the last layer changes on ``some_lows``: a mean square; see ``moment_of``."""
    network = from_state(state)
    return torch.stack([moment_of(columns_of(network, low)) for low in some_lows()]).mean(dim=0)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command: writes the averaged weights and prints the file's size and sha256."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument(
        "--data", default=METADATA["data"], help="what it was trained on, for the file's header"
    )
    parser.add_argument("--share", type=float, default=1.0, help="of the run; the rest is of --other")
    parser.add_argument("--other", type=Path, help="weights that the run began with")
    options = parser.parse_args(arguments)
    if (options.other is None) != (options.share == 1.0):
        parser.error("--share and --other belong together")
    checkpoint = torch.load(options.checkpoint, map_location="cpu", weights_only=True)
    extra = {"data": options.data, "steps": str(checkpoint["step"]), "seed": str(checkpoint["seed"])}
    state = checkpoint["average"]
    if options.other is not None:
        other = load_file(options.other)
        state = {name: options.share * own + (1 - options.share) * other[name] for name, own in state.items()}
        extra["share"] = f"{options.share:g} of this run, the rest of the network that it began with"
    if checkpoint["variant"] != "faithful" and isinstance(config_of(state), NetworkConfig):
        # As it will be read again: rounding moves grey as well.
        state = {name: tensor.half().float() for name, tensor in state.items()}
        state = keep_flats(state, cost_of_changes(state))
    about = header(state, checkpoint["variant"], extra)
    write(options.weights, to_spandrel(state) if isinstance(config_of(state), SpanConfig) else state, about)


if __name__ == "__main__":
    main()
