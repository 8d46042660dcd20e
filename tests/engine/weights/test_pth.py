"""Archives of torch.save are read as PyTorch reads them, and what was made to do harm is not."""

import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pixelmend.core.errors import ModelUnusable
from pixelmend.engine.weights import pth, tensors
from pixelmend.engine.weights.pth import NotPlain, read_pth

KINDS = (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool)


def saved(folder: Path, content: Any, **options: Any) -> Path:
    torch.save(content, folder / "m.pth", **options)
    return folder / "m.pth"


def reads_all_of(state: Mapping[str, Tensor], path: Path) -> None:
    found, right = read_pth(path, path.name), tensors.as_arrays(state)
    assert list(found) == list(right)
    for name, values in right.items():
        assert (found[name].dtype, found[name].shape) == (values.dtype, values.shape)
        assert np.array_equal(found[name], values)


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_all_kinds_of_values(tmp_path: Path, protocol: int) -> None:
    state = {str(kind): (torch.arange(24).view(2, 3, 4) % 5).to(kind) for kind in KINDS}
    state |= {"scalar": torch.tensor(2.5), "none": torch.zeros(0, 3), "many": torch.zeros(300)}
    reads_all_of(state, saved(tmp_path, state, pickle_protocol=protocol))


def test_views_that_share_values(tmp_path: Path) -> None:
    whole = torch.arange(60, dtype=torch.float32).view(5, 12)
    state = {"part": whole[1:4, 2:9:3], "turned": whole.t(), "whole": whole, "last": whole[-1, -1:]}
    reads_all_of(state, saved(tmp_path, state))


def test_what_training_scripts_keep_beside_the_tensors(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    state = network.state_dict()
    assert isinstance(state, OrderedDict)  # with attributes that describe the modules
    parameters = dict(network.named_parameters())
    reads_all_of(state, saved(tmp_path, state))
    content = {"epoch": 3, "rate": 1e-4, "best": None, "params": parameters}
    reads_all_of(parameters, saved(tmp_path, content))


# --- made to do harm --------------------------------------------------------------------------------------


def archive(folder: Path, program: bytes, values: bytes = bytes(16)) -> Path:
    path = folder / "m.pth"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("m/data.pkl", program)
        file.writestr("m/data/0", values)
    return path


def tensor_program(
    shape: tuple[int, ...], strides: tuple[int, ...], offset: int = 0, count: int = 4
) -> bytes:
    """What torch.save writes of {"a": tensor}, with any figures."""

    class Storage:
        pass

    class Named(pickle._Pickler):
        def persistent_id(self, obj: Any) -> Any:
            return ("storage", torch.FloatStorage, "0", "cpu", count) if isinstance(obj, Storage) else None

    class Tensor4:
        def __reduce__(self) -> Any:
            rebuild = torch._utils._rebuild_tensor_v2
            return rebuild, (Storage(), offset, shape, strides, False, OrderedDict())

    file = io.BytesIO()
    Named(file, 2).dump({"a": Tensor4()})
    return file.getvalue()


def test_the_tensors_below_are_what_torch_save_writes(tmp_path: Path) -> None:
    path = archive(tmp_path, tensor_program((2, 2), (2, 1)), np.arange(4, dtype="<f4").tobytes())
    assert np.array_equal(read_pth(path, "m.pth")["a"], [[0, 1], [2, 3]])


@pytest.mark.parametrize(
    ("shape", "strides", "offset"),
    [
        ((2, 3), (2, 1), 0),  # one value too many
        ((4,), (1,), 1),
        ((2, 2), (3, 1), 0),
        ((10**12,), (0,), 0),  # one value again and again
        ((2**40, 2**40), (0, 0), 0),
        ((3,), (-1,), 2),
        ((-1, -4), (1, 1), 0),
        ((2,), (1,), -1),
    ],
)
def test_tensors_beyond_their_values_are_refused(
    tmp_path: Path, shape: tuple[int, ...], strides: tuple[int, ...], offset: int
) -> None:
    with pytest.raises(ModelUnusable, match=r"^m[.]pth: refused, its tensors claim more values"):
        read_pth(archive(tmp_path, tensor_program(shape, strides, offset)), "m.pth")


def test_a_storage_that_is_shorter_than_it_says_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EOFError):
        read_pth(archive(tmp_path, tensor_program((2, 2), (2, 1), count=5)), "m.pth")


@pytest.mark.parametrize(
    "program",
    [
        pickle.PROTO + b"\x05" + pickle.BYTEARRAY8 + struct.pack("<Q", 1 << 40),  # room for a terabyte
        pickle.PROTO + b"\x02" + pickle.LONG4 + struct.pack("<i", 2**31 - 1),
        pickle.dumps(print, 2),
        pickle.dumps(OrderedDict.fromkeys, 2),
        b"cos\nsystem\n(S'true'\ntR.",
        b"ctorch\nload\n.",
        b"(dp0\nS'a'\nI1\ns.",  # the oldest protocol, which torch.save does not write
    ],
)
def test_a_pickle_of_anything_but_tensors_is_not_obeyed(tmp_path: Path, program: bytes) -> None:
    with pytest.raises(NotPlain):
        read_pth(archive(tmp_path, program), "m.pth")


def test_a_memo_that_claims_two_billion_places_takes_no_room(tmp_path: Path) -> None:
    program = pickle.PROTO + b"\x02" + pickle.EMPTY_DICT + pickle.LONG_BINPUT + b"\xff\xff\xff\x7f" + b"."
    with pytest.raises(ModelUnusable, match="holds no state dict of tensors"):
        read_pth(archive(tmp_path, program), "m.pth")


def test_a_pickle_changes_nothing_that_it_can_name(tmp_path: Path) -> None:
    """BUILD sets attributes of what lies below its argument, which here is our own function."""
    named = b"ctorch._utils\n_rebuild_tensor_v2\n"
    attributes = (
        pickle.EMPTY_DICT + pickle.BINUNICODE + struct.pack("<I", 1) + b"a" + b"K\x01" + pickle.SETITEM
    )
    program = pickle.PROTO + b"\x02" + named + attributes + pickle.BUILD + b"."
    with pytest.raises(ModelUnusable, match="holds no state dict"):
        read_pth(archive(tmp_path, program), "m.pth")
    path = saved(tmp_path, {"a": torch.ones(2)})
    assert read_pth(path, "m.pth")["a"].sum() == 2
    assert not vars(pth._rebuilt)


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_torchscript_and_the_old_format_are_left_to_pytorch(tmp_path: Path) -> None:
    with pytest.raises(NotPlain):
        read_pth(saved(tmp_path, {"a": torch.ones(2)}, _use_new_zipfile_serialization=False), "m.pth")
    program = torch.jit.trace(nn.Conv2d(3, 4, 3), torch.zeros(1, 3, 8, 8))  # type: ignore[no-untyped-call]
    program.save(tmp_path / "m.pth")
    with pytest.raises(NotPlain):
        read_pth(tmp_path / "m.pth", "m.pth")


def test_values_are_those_of_pytorchs_tensors_without_a_copy_for_each(tmp_path: Path) -> None:
    state: dict[str, Tensor] = {}
    whole = torch.zeros(1000)
    for n in range(50):
        state[str(n)] = whole[n:]
    found = read_pth(saved(tmp_path, state), "m.pth")
    assert all(np.shares_memory(found["0"], each) for each in found.values())
