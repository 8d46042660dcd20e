"""Inpainting networks that come as ONNX files, run by ONNX Runtime on the CPU."""

from pathlib import Path
from typing import Any, Self

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from pixelmend.core.errors import ModelUnusable

_IMAGE, _MASK = "image", "mask"
_BYTES = "tensor(uint8)"


class OnnxInpainter(nn.Module):
    """The interface of MI-GAN's pipeline: `image` (1, 3, H, W) and `mask` (1, 1, H, W), uint8. The mask is
    0 in pixels to be removed and 255 in the others. Its one output is the image, (1, 3, H, W) uint8.

    It is an `nn.Module` like the other networks that inpaint, without tensors and on the CPU only. Raises
    ModelUnusable if the file is not ONNX or has another interface.
    """

    def __init__(self, path: Path, name: str | None = None, threads: int = 0) -> None:
        """name: of the file, if `path` is a copy of it. threads: 0 leaves their number to ONNX Runtime."""
        name = name or path.name
        super().__init__()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        try:
            self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its errors have no other common base
            raise ModelUnusable(f"{name}: ONNX Runtime cannot read it: {error}") from error
        inputs = {taken.name: taken.type for taken in self._session.get_inputs()}
        outputs = [made.type for made in self._session.get_outputs()]
        if inputs != {_IMAGE: _BYTES, _MASK: _BYTES} or outputs != [_BYTES]:
            raise ModelUnusable(
                f"{name}: takes {inputs} and makes {outputs}; "
                f"{_IMAGE!r} and {_MASK!r} of {_BYTES} and one output like it are needed"
            )

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # a session has no state, and any number of threads may run it

    def forward(self, unit: Tensor) -> Tensor:
        """(N, 4, H, W) in [0, 1], the last channel 1 in pixels to be removed, to (N, 3, H, W)."""
        images = []
        for one in unit.float().cpu().numpy():
            image = np.rint(one[None, :3] * 255).astype(np.uint8)
            kept = np.where(one[None, 3:] > 0.5, 0, 255).astype(np.uint8)
            (made,) = self._session.run(None, {_IMAGE: image, _MASK: kept})
            if made.shape != image.shape:
                raise RuntimeError(f"an image of {image.shape} became one of {made.shape}")
            images.append(made)
        return torch.from_numpy(np.concatenate(images)).to(unit.device, torch.float32) / 255
