"""A Compact with residual blocks: it starts as a trained Compact, learns, and teaches by its pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import safetensors
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from pixelmend.engine.weights.compact import NetworkConfig
from training import ensemble, export, train
from training.data import read_pair
from training.deeper import DeeperConfig
from training.networks import Network, build, config_of, from_state, start
from training.trainer import TrainConfig, Trainer

pytestmark = pytest.mark.full

TRUNK = NetworkConfig(12, 4)
CONFIG = DeeperConfig(TRUNK)
SMALL = [
    "--shape",
    "deeper",
    "--features",
    "12",
    "--hidden",
    "4",
    "--pool",
    "1",
    "--batch",
    "2",
    "--patch",
    "8",
]


def trained_compact() -> Network:
    """With random weights, so that every layer matters."""
    torch.manual_seed(4)
    return build(TRUNK).eval()


def started(seed: int = 1) -> Network:
    network = build(CONFIG)
    start(network, trained_compact().state_dict(), torch.Generator().manual_seed(seed))
    return network.eval()


def low_picture() -> torch.Tensor:
    return torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(3))


def test_it_starts_as_the_trained_compact_exactly() -> None:
    network, low = started(), low_picture()
    with torch.inference_mode():
        assert torch.equal(network(low), trained_compact()(low))
    # Both halves of a block learn: what is zero is the second convolution alone.
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "second.weight" in name:
                parameter.add_(0.1)
    with torch.inference_mode():
        assert not torch.allclose(network(low), trained_compact()(low), atol=1e-3)
    assert len(network.convolutions()) == 4 + 2 + 2 * 2


def test_it_goes_on_from_what_it_was() -> None:
    network = started()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05)
    again = build(CONFIG)
    start(again, network.state_dict(), torch.Generator())
    with torch.inference_mode():
        assert torch.equal(again(low_picture()), network(low_picture()))


@pytest.mark.parametrize("other", [NetworkConfig(12, 6), NetworkConfig(16, 4), NetworkConfig(12, 4, 2)])
def test_a_start_of_another_shape_or_from_nothing_is_refused(other: NetworkConfig) -> None:
    with pytest.raises(ValueError, match="cannot start from"):
        start(build(CONFIG), build(other).state_dict(), torch.Generator())
    with pytest.raises(ValueError, match="starts from a trained Compact"):
        start(build(CONFIG), None, torch.Generator())


def test_a_state_tells_its_configuration() -> None:
    state = started().state_dict()
    assert config_of(state) == CONFIG
    assert from_state(state).config == CONFIG
    del state["blocks.1.second.weight"]
    with pytest.raises(ValueError, match="no network that is trained here"):
        from_state(state)


def test_it_learns() -> None:
    config = TrainConfig(seed=3, network=CONFIG, warm_up=4)
    subject = Trainer(config, torch.device("cpu"), start=trained_compact().state_dict())
    rng = np.random.default_rng(0)
    high = np.kron(rng.integers(0, 256, (2, 16, 16, 3), np.uint8), np.ones((1, 4, 4, 1), np.uint8))
    low = high[:, ::4, ::4].copy()
    losses = [float(subject.train_step(low, high, step / 40)) for step in range(20)]
    assert losses[-1] < 0.9 * losses[0]
    blocks = [tensor for name, tensor in subject.network.state_dict().items() if "second.weight" in name]
    assert all(float(block.abs().max()) > 0 for block in blocks)


def test_commands_train_it_and_write_its_pictures_as_an_aim(tmp_path: Path) -> None:
    compact = tmp_path / "compact.safetensors"
    save_file(trained_compact().state_dict(), compact)
    run = [*SMALL, "--plain", "--start", str(compact), "--out", str(tmp_path)]
    train.main(["--steps", "2", *run])
    train.main(["--steps", "3", "--resume", *run])
    teacher = tmp_path / "teacher.safetensors"
    export.main([str(tmp_path / "last.pt"), str(teacher)])
    with safetensors.safe_open(teacher, "pt") as file:
        assert file.metadata()["architecture"].startswith("Compact with residual blocks")
    ensemble.main([str(teacher), str(tmp_path / "pairs"), "--pictures", "1", "--side", "16"])
    pair = read_pair(tmp_path / "pairs" / "000000.npz", 4)
    assert pair.high.shape == (64, 64, 3)
    assert pair.lows[0].shape == (16, 16, 3)
    assert Image.fromarray(pair.high).getextrema() != ((0, 0), (0, 0), (0, 0))


def test_it_needs_a_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        train.main(["--steps", "1", "--out", str(tmp_path), *SMALL])
    assert "needs --start" in capsys.readouterr().err


def test_one_that_cleans_is_written_as_it_was_trained(tmp_path: Path) -> None:
    """Greys are kept by what ships, not by its teacher, whose last layer sees more than one convolution."""
    compact, teacher = tmp_path / "compact.safetensors", tmp_path / "teacher.safetensors"
    save_file(trained_compact().state_dict(), compact)
    run = [*SMALL, "--plain", "--variant", "clean", "--start", str(compact), "--out", str(tmp_path)]
    train.main(["--steps", "1", *run])
    export.main([str(tmp_path / "last.pt"), str(teacher)])
    trained = torch.load(tmp_path / "last.pt", weights_only=True)["average"]
    written = load_file(teacher)
    assert all(torch.equal(written[name], tensor.half()) for name, tensor in trained.items())
