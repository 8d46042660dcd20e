"""The tensors of a weight file, read safely: no pickled code runs, and nothing grows beyond the file."""

import errno
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
from numpy.typing import NDArray

from pixelmend.core.errors import ModelUnusable
from pixelmend.engine.weights import pth
from pixelmend.models.catalog import PARAM_SUFFIX, WEIGHTS_SUFFIX, ModelEntry
from pixelmend.models.integrity import checked_file
from pixelmend.models.missing_libraries import library_missing
from pixelmend.models.ncnn import MAX_PARAM_BYTES
from pixelmend.models.ncnn_state import read_state as read_ncnn_state

State = Mapping[str, NDArray[Any]]
"""Tensors by their names, in the types of the file; in float32 if numpy does not have the type."""
_SCRIPT_MARK = "constants.pkl"
"""An entry of TorchScript's archives that those of torch.save do not have."""
_TYPES_OF_NUMPY = ("F64", "F32", "F16", "I64", "U64", "I32", "U32", "I16", "U16", "I8", "U8", "BOOL")


def read_weights(entry: ModelEntry) -> tuple[State, str]:
    """The tensors of a model's file, and its sha256. Raises ModelUnusable naming the file."""
    with checked_file(entry.path, entry.sha256) as checked:
        if entry.path.suffix.lower() == WEIGHTS_SUFFIX:
            return _ncnn_state(entry, checked.path), checked.sha256
        # A TorchScript file is a program, so it is only loaded if its checksum says which one it is.
        if entry.sha256 is not None and _is_torchscript(checked.path):
            from pixelmend.engine.weights.tensors import read_torchscript

            return read_torchscript(checked.path, entry.path.name), checked.sha256
        return read_state(checked.path, entry.path.name), checked.sha256


def _ncnn_state(entry: ModelEntry, weights: Path) -> State:
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
    return {name: array.copy() for name, array in state.items()}  # views of the file's bytes, which go


def read_state(path: Path, name: str | None = None) -> State:
    """The tensors of a .safetensors or .pth file. name: of the file, if `path` is a copy of it.

    Raises ModelUnusable with that name.
    """
    name = name or path.name
    try:
        if name.lower().endswith(".safetensors"):
            return _read_safetensors(path)
        return _read_pth(path, name)
    except ModelUnusable:
        raise
    except ImportError as error:
        raise ModelUnusable(library_missing(name, error)) from error
    except Exception as error:  # parsers raise many kinds of errors for damaged files
        # The system's errors, such as a missing permission. EINVAL is caused by offsets in a damaged file.
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise ModelUnusable(f"{name}: cannot be read: {error.strerror or error}") from error
        raise ModelUnusable(f"{name}: {_why_unreadable(error)}") from error


def _read_pth(path: Path, name: str) -> State:
    try:
        return pth.read_pth(path, name)
    except pth.NotPlain:
        from pixelmend.engine.weights import tensors  # imports PyTorch, which refuses code as well

        return tensors.read_pth(path, name)


def _read_safetensors(path: Path) -> State:
    with safetensors.safe_open(path, "np") as file:
        names = list(file.keys())
        if all(file.get_slice(name).get_dtype() in _TYPES_OF_NUMPY for name in names):
            return {name: file.get_tensor(name) for name in names}
    from pixelmend.engine.weights.tensors import read_safetensors

    return read_safetensors(path)


def _is_torchscript(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/" + _SCRIPT_MARK) for name in archive.namelist())


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
