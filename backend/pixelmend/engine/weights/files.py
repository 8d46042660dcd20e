"""The tensors of a weight file, read safely: no pickled code runs, and nothing grows beyond the file."""

import errno
import pickle
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from pixelmend.core.errors import ModelUnusable
from pixelmend.models.catalog import ModelEntry
from pixelmend.models.integrity import checked_file
from pixelmend.models.ncnn import MAX_PARAM_BYTES, PARAM_SUFFIX, WEIGHTS_SUFFIX
from pixelmend.models.ncnn_state import read_state as read_ncnn_state

StateDict = Mapping[str, Tensor]
_SCRIPT_MARK = "constants.pkl"
"""An entry of TorchScript's archives that those of torch.save do not have."""
_MAX_INFLATION, _SPARED_BYTES = 4, 1 << 20
"""torch.save does not compress, so a file that unpacks to many times its size was made to do harm."""


def read_weights(entry: ModelEntry) -> tuple[StateDict, str]:
    """The tensors of a model's file, and its sha256. Raises ModelUnusable naming the file."""
    with checked_file(entry.path, entry.sha256) as checked:
        if entry.path.suffix.lower() == WEIGHTS_SUFFIX:
            return _ncnn_state(entry, checked.path), checked.sha256
        # A TorchScript file is a program, so it is only loaded if its checksum says which one it is.
        if entry.sha256 is not None and _is_torchscript(checked.path):
            return _script_state(checked.path, entry.path.name), checked.sha256
        return read_state(checked.path, entry.path.name), checked.sha256


def _ncnn_state(entry: ModelEntry, weights: Path) -> StateDict:
    """weights: leads to the weights that were checked. Raises ModelUnusable."""
    layers = entry.path.with_suffix(PARAM_SUFFIX)
    try:
        with layers.open("rb") as file:
            text = file.read(MAX_PARAM_BYTES + 1)
        if len(text) > MAX_PARAM_BYTES:
            raise ModelUnusable(f"{layers.name}: larger than {MAX_PARAM_BYTES} bytes, no text of layers")
        state = read_ncnn_state(text.decode("ascii"), weights.read_bytes(), entry.path.stem)
    except UnicodeDecodeError as error:
        raise ModelUnusable(f"{layers.name}: not a text of ncnn's layers") from error
    except OSError as error:
        raise ModelUnusable(f"{layers.name}: cannot be read: {error.strerror}") from error
    return {name: torch.from_numpy(array.copy()) for name, array in state.items()}


def read_state(path: Path, name: str | None = None) -> StateDict:
    """The tensors of a .safetensors or .pth file. name: of the file, if `path` is a copy of it.

    Raises ModelUnusable with that name.
    """
    name = name or path.name
    try:
        if name.lower().endswith(".safetensors"):
            return safetensors.torch.load_file(path)
        _refuse_inflation(path, name)
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except ModelUnusable:
        raise
    except Exception as error:  # parsers raise many kinds of errors for damaged files
        # The system's errors, such as a missing permission. EINVAL is caused by offsets in a damaged file.
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise ModelUnusable(f"{name}: cannot be read: {error.strerror or error}") from error
        raise ModelUnusable(f"{name}: {_why_unreadable(error)}") from error
    return _tensors(loaded, name)


def _refuse_inflation(path: Path, name: str) -> None:
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    size_bytes = path.stat().st_size
    if unpacked > _MAX_INFLATION * size_bytes + _SPARED_BYTES:
        raise ModelUnusable(f"{name}: refused, its {size_bytes} bytes would unpack to {unpacked}")


def _is_torchscript(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/" + _SCRIPT_MARK) for name in archive.namelist())


def _script_state(path: Path, name: str) -> StateDict:
    """The tensors of a TorchScript file that is trusted. Raises ModelUnusable."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the format is deprecated, but files in it exist
            program = torch.jit.load(path, map_location="cpu")  # type: ignore[no-untyped-call]
        return _tensors(dict(program.state_dict()), name)
    except RuntimeError as error:
        raise ModelUnusable(f"{name}: the TorchScript program cannot be read: {error}") from error


def _why_unreadable(error: Exception) -> str:
    """Not torch's own message, which advises to load the file unsafely."""
    text = str(error)
    if isinstance(error, pickle.UnpicklingError) and "GLOBAL" in text:
        return "refused, it holds more than plain tensors (a pickle could run code)"
    if "TorchScript" in text:
        return "a TorchScript program, not plain weights"
    if isinstance(error, OSError | zipfile.BadZipFile):
        return "damaged or truncated"
    if isinstance(error, (RuntimeError, EOFError, safetensors.SafetensorError)):
        return f"damaged or truncated: {text.partition('. ')[0] or type(error).__name__}"
    return "not a weight file: neither safetensors nor what torch.save writes"


def _tensors(loaded: Any, name: str) -> StateDict:
    """The state dict inside what training scripts save: plain, or under one of the usual keys."""
    for key in ("params_ema", "params", "state_dict", "model"):
        if isinstance(loaded, dict) and isinstance(loaded.get(key), dict):
            loaded = loaded[key]
    if not isinstance(loaded, dict) or not loaded or not all(isinstance(v, Tensor) for v in loaded.values()):
        raise ModelUnusable(f"{name}: holds no state dict of tensors")
    if not all(_has_its_values(tensor) for tensor in loaded.values()):
        raise ModelUnusable(f"{name}: refused, its tensors claim more values than the file has")
    return loaded


def _has_its_values(tensor: Tensor) -> bool:
    """False for a view that repeats itself, a sparse tensor and one without data.

    A copy of such a tensor could take more memory than there is.
    """
    plain = tensor.layout is torch.strided and tensor.device.type == "cpu"
    return plain and tensor.numel() * tensor.element_size() <= tensor.untyped_storage().nbytes()
