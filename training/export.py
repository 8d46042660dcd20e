"""Turn a training checkpoint into the file that ships: ``python -m training.export CHECKPOINT WEIGHTS``."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from pixelmend.engine.compact import config_of, from_state
from training.trainer import Variant

METADATA = {
    "format": "pt",
    "architecture": "Compact (SRVGGNetCompact)",
    "license": "Apache-2.0",
    "author": "Pixelmend contributors",
    "data": "procedural pictures only (training/leaves.py)",
}
LOW_PICTURES: dict[Variant, str] = {
    "faithful": "bicubic reductions",
    "clean": "with blur, noise and JPEG (training/degrade.py)",
}


def pack(state: Mapping[str, Tensor], variant: Variant, extra: Mapping[str, str]) -> bytes:
    """A safetensors file of ``state`` in float16, with ``METADATA``, title and ``extra`` in its header.

    Raises ValueError where ``state`` is not that of a Compact network.
    """
    config = config_of(state)
    if config is None:
        raise ValueError("these tensors are not those of a Compact network with PReLU activations")
    half = {name: tensor.detach().cpu().to(torch.float16).contiguous() for name, tensor in state.items()}
    about = {
        "title": f"Pixelmend x{config.scale}, {variant}",
        "scale": str(config.scale),
        "low_pictures": LOW_PICTURES[variant],
    }
    packed: bytes = save(half, {**METADATA, **about, **extra})
    return packed


@torch.inference_mode()
def centred(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same network with its last biases moved so that middle grey comes out exactly as it went in.

    What a restoring network has learned of grey is off by half a step of 1/255 here and there, which rounding
    shows as a pattern. Black and white are kept by the clamp on either side of them.
    """
    network = from_state(dict(state))
    grey = torch.full((1, network.config.channels, 48, 48), 128 / 255)
    error = torch.nn.functional.pixel_unshuffle(network(grey) - 128 / 255, network.config.scale)
    last = max((name for name in state if name.endswith(".bias")), key=lambda name: int(name.split(".")[1]))
    return {**state, last: state[last] - error[0, :, 24, 24].to(state[last].dtype)}


def main(arguments: Sequence[str] | None = None) -> None:
    """The command: writes the averaged weights and prints the file's size and sha256."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("weights", type=Path)
    options = parser.parse_args(arguments)
    checkpoint = torch.load(options.checkpoint, map_location="cpu", weights_only=True)
    extra = {"steps": str(checkpoint["step"]), "seed": str(checkpoint["seed"])}
    # As it will be read again: rounding moves grey as well.
    state = {name: tensor.half().float() for name, tensor in checkpoint["average"].items()}
    if checkpoint["variant"] == "clean":
        state = centred(state)
    content = pack(state, checkpoint["variant"], extra)
    options.weights.parent.mkdir(parents=True, exist_ok=True)
    options.weights.write_bytes(content)
    print(f"{options.weights}: {len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
