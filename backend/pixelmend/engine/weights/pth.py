"""What torch.save writes, read without PyTorch: a ZIP of values and a pickle that names the tensors.

The pickle may name nothing but tensors and containers, so that no code runs.
"""

import pickle
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pixelmend.core.errors import ModelUnusable

_MAX_INFLATION, _SPARED_BYTES = 4, 1 << 20
"""torch.save does not compress, so a file that unpacks to many times its size was made to do harm."""
_TYPES = MappingProxyType(
    {
        "DoubleStorage": "f8",
        "FloatStorage": "f4",
        "HalfStorage": "f2",
        "BFloat16Storage": "u2",
        "LongStorage": "i8",
        "IntStorage": "i4",
        "ShortStorage": "i2",
        "CharStorage": "i1",
        "ByteStorage": "u1",
        "BoolStorage": "?",
    }
)


class NotPlain(Exception):
    """The file holds what this does not read; PyTorch may."""


@dataclass(frozen=True, slots=True)
class _Storage:
    key: str
    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A view of a storage: its values are read when it is known which tensors are wanted."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_pth(path: Path, name: str) -> dict[str, NDArray[Any]]:
    """The tensors of a state dictionary, bfloat16 as float32. name: of the file, if `path` is a copy of it.

    Raises ModelUnusable with that name, NotPlain, and what damaged archives and pickles raise.
    """
    if not zipfile.is_zipfile(path):
        raise NotPlain("no archive")
    with zipfile.ZipFile(path) as archive:
        _refuse_inflation(archive, path.stat().st_size, name)
        return _read(archive, name)


def _refuse_inflation(archive: zipfile.ZipFile, size_bytes: int, name: str) -> None:
    unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > _MAX_INFLATION * size_bytes + _SPARED_BYTES:
        raise ModelUnusable(f"{name}: refused, its {size_bytes} bytes would unpack to {unpacked}")


def _read(archive: zipfile.ZipFile, name: str) -> dict[str, NDArray[Any]]:
    names = archive.namelist()
    folder = next((each.removesuffix("data.pkl") for each in names if each.endswith("/data.pkl")), None)
    if folder is None or f"{folder}constants.pkl" in names:  # the latter is TorchScript's
        raise NotPlain("no tensors")
    order = archive.read(f"{folder}byteorder") if f"{folder}byteorder" in names else b"little"
    if order.strip() != sys.byteorder.encode():
        raise NotPlain("another order of bytes")
    try:
        loaded = _Unpickler(BytesIO(archive.read(f"{folder}data.pkl"))).load()
    except KeyError as error:
        raise NotPlain(f"opcode {error}") from error
    tensors = state_in(loaded, _Tensor, name)
    storages = {tensor.storage for tensor in tensors.values()}
    values = {each: _values_of(each, archive.read(f"{folder}data/{each.key}")) for each in storages}
    return {each: _view(tensor, values[tensor.storage], name) for each, tensor in tensors.items()}


def state_in(loaded: Any, kind: type, name: str) -> Mapping[str, Any]:
    """The state dict inside what training scripts save: plain, or under one of the usual keys.

    kind: of its values. Raises ModelUnusable with `name`, that of the file.
    """
    for key in ("params_ema", "params", "state_dict", "model"):
        if isinstance(loaded, dict) and isinstance(loaded.get(key), dict):
            loaded = loaded[key]
    if not isinstance(loaded, dict) or not loaded or not all(isinstance(v, kind) for v in loaded.values()):
        raise ModelUnusable(f"{name}: holds no state dict of tensors")
    return loaded


def _values_of(storage: _Storage, content: bytes) -> NDArray[Any]:
    values: NDArray[Any] = np.frombuffer(content, _TYPES[storage.kind]).copy()
    if len(values) < storage.count:
        raise EOFError(f"{len(values)} values of {storage.count}")
    if storage.kind == "BFloat16Storage":  # the upper half of a float32
        return (values.astype(np.uint32) << 16).view(np.float32)
    return values


def _view(tensor: _Tensor, values: NDArray[Any], name: str) -> NDArray[Any]:
    """Not a copy. A view that repeats values is refused: a copy could take more memory than there is."""
    last = tensor.offset + sum((n - 1) * step for n, step in zip(tensor.shape, tensor.strides, strict=True))
    count = int(np.prod(tensor.shape, dtype=object))
    fits = min((*tensor.shape, *tensor.strides, tensor.offset), default=0) >= 0
    if not fits or count > len(values) or (count and last >= len(values)):
        raise ModelUnusable(f"{name}: refused, its tensors claim more values than the file has")
    strides = [step * values.itemsize for step in tensor.strides]
    return np.lib.stride_tricks.as_strided(values[tensor.offset :], tensor.shape, strides)


def _rebuilt(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> _Tensor:
    """Stands in for torch._utils._rebuild_tensor_v2; what follows is for training."""
    if not isinstance(storage, _Storage) or len(shape) != len(strides):
        raise NotPlain("no tensor")
    if not all(type(number) is int for number in (offset, *shape, *strides)):
        raise NotPlain("no tensor")
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


def _parameter(tensor: Any, *_: Any) -> Any:
    return tensor


_OPCODES = (
    *(pickle.PROTO, pickle.FRAME, pickle.STOP, pickle.MARK, pickle.GLOBAL, pickle.STACK_GLOBAL),
    *(pickle.NONE, pickle.NEWTRUE, pickle.NEWFALSE, pickle.BINFLOAT),
    *(pickle.BININT, pickle.BININT1, pickle.BININT2, pickle.LONG1),
    *(pickle.BINUNICODE, pickle.SHORT_BINUNICODE),
    *(pickle.EMPTY_TUPLE, pickle.TUPLE, pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3),
    *(pickle.EMPTY_LIST, pickle.APPEND, pickle.APPENDS),
    *(pickle.EMPTY_DICT, pickle.SETITEM, pickle.SETITEMS),
    *(pickle.BINPUT, pickle.LONG_BINPUT, pickle.MEMOIZE, pickle.BINGET, pickle.LONG_BINGET),
    *(pickle.BINPERSID, pickle.REDUCE),
)
"""What torch.save writes, and nothing that makes room for as much as the pickle claims to hold."""


class _Unpickler(pickle._Unpickler):
    """Python's own, because the one in C makes room for the largest number that a memo claims."""

    dispatch: ClassVar[dict[int, Any]] = {code[0]: pickle._Unpickler.dispatch[code[0]] for code in _OPCODES}

    def load_build(self) -> None:
        """The attributes of a dictionary, which describe modules, are left out."""
        self.stack.pop()  # type: ignore[attr-defined]

    dispatch[pickle.BUILD[0]] = load_build

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in _TYPES:
            return name
        known = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _rebuilt,
            ("torch._utils", "_rebuild_parameter"): _parameter,
        }
        if (module, name) not in known:
            raise NotPlain(f"GLOBAL {module}.{name}")
        return known[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        if not isinstance(pid, tuple) or len(pid) != 5 or pid[0] != "storage":
            raise NotPlain("no storage")
        _, kind, key, _, count = pid
        if kind not in _TYPES or not isinstance(key, str) or type(count) is not int:
            raise NotPlain("no storage")
        return _Storage(key, kind, count)
