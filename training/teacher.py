"""A large network that a small one is taught by: Real-ESRGAN's x4plus, or any other that spandrel reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import spandrel
import torch
from numpy.typing import NDArray

from pixelmend.engine.weights.files import read_state
from pixelmend.engine.weights.tensors import as_tensors
from training.precision import fast_dtype

Bytes = NDArray[np.uint8]


class Teacher:
    """It upscales batches, in the format that the device computes fastest."""

    def __init__(self, model: spandrel.ImageModelDescriptor[torch.nn.Module], device: torch.device) -> None:
        self.scale = model.scale
        self._device = device
        self._dtype = fast_dtype(device)
        network = model.model.eval().to(device, self._dtype)
        self._network = network.to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def upscale(self, lows: Bytes) -> Bytes:
        """(n, h, w, 3) to (n, s*h, s*w, 3), uint8 RGB."""
        tensor = torch.from_numpy(lows.copy()).to(self._device).permute(0, 3, 1, 2).float() / 255.0
        output = self._network(tensor.to(self._dtype, memory_format=torch.channels_last)).float()
        pixels = output.clamp(0.0, 1.0).mul(255.0).round().byte().permute(0, 2, 3, 1)
        return np.ascontiguousarray(pixels.cpu().numpy())


def read_teacher(path: Path, device: torch.device) -> Teacher:
    """From a PyTorch or safetensors file. Raises ValueError if it is no network for RGB pictures."""
    model = spandrel.ModelLoader().load_from_state_dict(as_tensors(read_state(path)))
    if not isinstance(model, spandrel.ImageModelDescriptor) or model.input_channels != 3:
        raise ValueError(f"{path} is not a network that upscales RGB pictures")
    return Teacher(model, device)
