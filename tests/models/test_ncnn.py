"""ncnn's files become what spandrel reads: values, names, and refusals that name what is wrong."""

import struct
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelmend.core.errors import ModelUnusable
from pixelmend.engine.weights.architecture import read_model
from pixelmend.models.catalog import load_catalog
from pixelmend.models.ncnn import HALF_TAG, INT8_TAG, read_layers, read_weights
from pixelmend.models.ncnn_state import read_state
from tests.models.ncnn_networks import compact, rrdb


@pytest.mark.parametrize(("param", "content", "state"), [rrdb(), rrdb(tag=0), compact(), compact(4, 3)])
def test_values_stay_as_stored(param: str, content: bytes, state: dict[str, np.ndarray]) -> None:
    read = read_state(param, content, "net")
    assert read.keys() == state.keys()
    for name, right in state.items():
        assert read[name].dtype == right.dtype
        np.testing.assert_array_equal(read[name], right)


def test_weights_of_an_odd_number_are_padded() -> None:
    values = np.arange(9, dtype="<f2")
    content = struct.pack("<I", HALF_TAG) + values.tobytes() + b"\0\0" + np.array([5.0], "<f4").tobytes()
    layers = read_layers("7767517\n1 1\nConvolution c 1 1 a b 0=1 1=3 4=1 5=1 6=9\n", "net")
    (found,) = read_weights(layers, content, "net")
    assert found.weight.ravel().tolist() == values.tolist()
    assert found.bias is not None
    assert found.bias.tolist() == [5.0]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("7767517", "7767518", "begins with 7767517"),
        ("Concat", "Pooling", "of the kind Pooling"),
        ("1=3 4=1 5=1", "1=5 4=2 5=1", "not 3x3"),
        ("1=3 4=1 5=1", "1=3 3=2 4=1 5=1", "not 3x3"),
        (" 9=2 -23310=1,0.2", "", "no activation"),
        ("-23310=1,0.2", "-23310=1,0.1", "other than leaky ReLU"),
        ("-23301=2,0.2,1.0", "-23301=2,1.0,1.0", "coefficients"),
        ("Interp twice 1 1 a b 0=1", "Interp twice 1 1 a b 0=2", "nearest neighbour"),
        ("Concat cat 2 1 a b c", "Concat cat", "no layer"),
        ("0=8 1=3", "0=7 1=3", "not those of 7 outputs"),
    ],
)
def test_other_networks_are_refused_by_what_differs(old: str, new: str, why: str) -> None:
    param, content, _ = rrdb()
    assert old in param
    with pytest.raises(ModelUnusable, match=why) as caught:
        read_state(param.replace(old, new), content, "net")
    assert caught.value.message.startswith("net: ")


def test_files_that_do_not_fit_are_refused() -> None:
    param, content, _ = rrdb()
    for weights, why in (
        (content[:-4], "inside Convolution 20"),
        (content + b"\0" * 4, "4 bytes are left"),
        (b"", "inside Convolution 0"),
        (struct.pack("<I", 7) + content[4:], "unknown tag 0x00000007"),
        (struct.pack("<I", INT8_TAG) + content[4:], "integers of 8 bits"),
    ):
        with pytest.raises(ModelUnusable, match=why):
            read_state(param, weights, "net")
    lines = param.splitlines()
    with pytest.raises(ModelUnusable, match="not 20 convolutions"):
        read_state("\n".join(lines[:3] + lines[4:]), content, "net")


def test_upstreams_smaller_scales_are_its_network_of_x4_reduced_afterwards() -> None:
    param, content, state = compact(4)
    assert read_state(param + "Interp half 1 1 a b 0=3 1=0.5 2=0.5\n", content, "net").keys() == state.keys()
    with pytest.raises(ModelUnusable, match="is PReLU in Compact"):
        read_state(param.replace("PReLU", "Convolution", 1), content, "net")


@given(st.data())
def test_damaged_files_end_in_the_documented_error(data: st.DataObject) -> None:
    param, content, _ = compact()
    text = bytearray(param.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(32, 126))
    cut = data.draw(st.integers(0, len(content)))
    with suppress(ModelUnusable):
        read_state(text.decode(), content[:cut] if data.draw(st.booleans()) else content, "net")


def test_a_pair_that_is_dropped_in_becomes_a_model(tmp_path: Path) -> None:
    for name, (param, content, state) in {"drawn": rrdb(), "small": compact()}.items():
        (tmp_path / f"{name}.bin").write_bytes(content)
        assert name not in {entry.id for entry in load_catalog(tmp_path).entries}
        (tmp_path / f"{name}.param").write_text(param)
        model = read_model(load_catalog(tmp_path), name)
        assert model.architecture.name == {"drawn": "ESRGAN", "small": "Compact"}[name]
        assert model.scale == {"drawn": 4, "small": 2}[name]
        assert model.architecture.network.value_count == sum(array.size for array in state.values())


@pytest.mark.parametrize(
    ("layers", "why"), [(b"\xff\xfe", "not a text"), (b"7767517\n" + b"#" * (4 << 20), "larger than 4194304")]
)
def test_a_pair_with_a_bad_text_is_unusable(tmp_path: Path, layers: bytes, why: str) -> None:
    (tmp_path / "odd.bin").write_bytes(rrdb()[1])
    (tmp_path / "odd.param").write_bytes(layers)
    with pytest.raises(ModelUnusable, match=rf"odd\.param: {why}"):
        read_model(load_catalog(tmp_path), "odd")
