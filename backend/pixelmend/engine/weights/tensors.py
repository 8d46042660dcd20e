"""Weights as PyTorch has them. Imported for files that only PyTorch reads, and for networks that it runs."""

import copy
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pixelmend.core.errors import ModelUnusable
from pixelmend.engine.weights.pth import state_in


class ModuleNetwork:
    """A network that PyTorch alone can compute. original: on the CPU, in FP32; left as it is."""

    def __init__(self, original: nn.Module) -> None:
        self.original = original

    @property
    def value_count(self) -> int:
        """The number of its weights."""
        return sum(tensor.numel() for tensor in self.original.state_dict().values())

    def module(self) -> nn.Module:
        """A copy, which the caller may move and convert."""
        return copy.deepcopy(self.original)


def as_tensors(state: Mapping[str, NDArray[Any]]) -> dict[str, Tensor]:
    """The same values, without a copy."""
    return {name: torch.from_numpy(array) for name, array in state.items()}


def as_arrays(state: Mapping[str, Tensor]) -> dict[str, NDArray[Any]]:
    """The same values, without a copy; in float32 if numpy has no such type."""
    return {name: _array(tensor) for name, tensor in state.items()}


def _array(tensor: Tensor) -> NDArray[Any]:
    try:
        array: NDArray[Any] = tensor.numpy(force=True)
    except TypeError:  # bfloat16, and the types of 8 bits
        array = tensor.float().numpy(force=True)
    return array


def read_safetensors(path: Path) -> dict[str, NDArray[Any]]:
    """A .safetensors file with types that numpy does not have."""
    return as_arrays(safetensors.torch.load_file(path))


def read_pth(path: Path, name: str) -> dict[str, NDArray[Any]]:
    """The tensors of what torch.save wrote and `pth.read_pth` does not read.

    name: of the file, if `path` is a copy of it. Raises ModelUnusable with that name, and what PyTorch raises
    for files that it cannot read.
    """
    return _arrays_of(torch.load(path, map_location="cpu", weights_only=True), name)


def read_torchscript(path: Path, name: str) -> dict[str, NDArray[Any]]:
    """The tensors of a TorchScript file that is trusted. Raises ModelUnusable."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the format is deprecated, but files in it exist
            program = torch.jit.load(path, map_location="cpu")  # type: ignore[no-untyped-call]
        return _arrays_of(dict(program.state_dict()), name)
    except RuntimeError as error:
        raise ModelUnusable(f"{name}: the TorchScript program cannot be read: {error}") from error


def _arrays_of(loaded: Any, name: str) -> dict[str, NDArray[Any]]:
    state = state_in(loaded, Tensor, name)
    if not all(_has_its_values(tensor) for tensor in state.values()):
        raise ModelUnusable(f"{name}: refused, its tensors claim more values than the file has")
    return as_arrays(state)


def _has_its_values(tensor: Tensor) -> bool:
    """False for a view that repeats itself, a sparse tensor and one without data.

    A copy of such a tensor could take more memory than there is.
    """
    plain = tensor.layout is torch.strided and tensor.device.type == "cpu"
    return plain and tensor.numel() * tensor.element_size() <= tensor.untyped_storage().nbytes()
