"""Turn a training checkpoint into the file that ships: ``python -m training.export CHECKPOINT WEIGHTS``."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

METADATA = {
    "format": "pt",
    "title": "Pixelmend x4",
    "architecture": "Compact (SRVGGNetCompact)",
    "scale": "4",
    "license": "Apache-2.0",
    "author": "Pixelmend contributors",
    "data": "procedural pictures only (training/leaves.py)",
}


def pack(state: Mapping[str, Tensor], extra: Mapping[str, str]) -> bytes:
    """A safetensors file of ``state`` in float16, with ``METADATA`` and ``extra`` in its header."""
    half = {name: tensor.detach().cpu().to(torch.float16).contiguous() for name, tensor in state.items()}
    packed: bytes = save(half, {**METADATA, **extra})
    return packed


def main(arguments: Sequence[str] | None = None) -> None:
    """The command: writes the averaged weights and prints the file's size and sha256."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("weights", type=Path)
    options = parser.parse_args(arguments)
    checkpoint = torch.load(options.checkpoint, map_location="cpu", weights_only=True)
    extra = {"steps": str(checkpoint["step"]), "seed": str(checkpoint["seed"])}
    content = pack(checkpoint["average"], extra)
    options.weights.parent.mkdir(parents=True, exist_ok=True)
    options.weights.write_bytes(content)
    print(f"{options.weights}: {len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
