"""Ways to upscale a picture, to be compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from pixelmend.engine.weights.files import read_state
from pixelmend.engine.weights.tensors import as_tensors
from training.networks import Network, from_state
from training.precision import autocast

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Method:
    """``upscale``: (h, w, 3) to (s*h, s*w, 3), uint8 RGB."""

    name: str
    upscale: Callable[[Bytes], Bytes]


def interpolation(name: str, scale: int, kind: Image.Resampling) -> Method:
    """One of Pillow's."""

    def upscale_picture(low: Bytes) -> Bytes:
        height, width = low.shape[:2]
        return np.asarray(Image.fromarray(low).resize((width * scale, height * scale), kind))

    return Method(name, upscale_picture)


def bicubic(scale: int) -> Method:
    """With a = -0.5."""
    return interpolation("bicubic", scale, Image.Resampling.BICUBIC)


def lanczos(scale: int) -> Method:
    """With three lobes."""
    return interpolation("Lanczos", scale, Image.Resampling.LANCZOS)


def network_method(name: str, network: Network, precision: torch.dtype = torch.float32) -> Method:
    """A network on its device."""
    return Method(name, lambda low: upscale(network, low, precision))


def read_network(path: Path) -> Network:
    """A network of a kind that is trained here, ready to run. Raises ModelUnusable or ValueError."""
    network = from_state(as_tensors(read_state(path)))
    return network.to(memory_format=torch.channels_last)


@torch.inference_mode()
def upscale(network: Network, low: Bytes, precision: torch.dtype = torch.float32) -> Bytes:
    """(h, w, 3) to (s*h, s*w, 3), uint8, computed in ``precision`` on the device of ``network``."""
    device = next(network.parameters()).device
    tensor = torch.from_numpy(low.copy()).to(device).permute(2, 0, 1)[None].float() / 255.0
    with autocast(device, precision):
        output = network(tensor.contiguous(memory_format=torch.channels_last))
    pixels = output[0].clamp(0.0, 1.0).mul(255.0).round().byte().permute(1, 2, 0)
    return np.asarray(pixels.cpu().numpy())
