"""SPAN as it is trained here: it starts as bicubic, and spandrel and the product read what comes out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import safetensors
import spandrel
import torch
from safetensors.torch import load_file

from pixelmend.engine.backends.compact import Compact
from pixelmend.engine.weights.architecture import read_model
from pixelmend.engine.weights.compact import NetworkConfig
from pixelmend.models.catalog import load_catalog
from training import export, train
from training.networks import Network, build, config_of, from_state, start
from training.span import Span, SpanConfig, to_spandrel
from training.trainer import TrainConfig, Trainer

pytestmark = pytest.mark.full

SMALL = ["--shape", "span", "--features", "12", "--pool", "1", "--batch", "2", "--patch", "8", "--plain"]


def started(config: SpanConfig | NetworkConfig) -> Network:
    network = build(config)
    start(network, None, torch.Generator().manual_seed(1))
    return network.eval()


def disturbed(config: SpanConfig) -> Span:
    """With random weights everywhere, as after a training."""
    network = started(config)
    assert isinstance(network, Span)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))
    return network


def picture(side: int) -> torch.Tensor:
    return torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("scale", [2, 4])
def test_it_starts_as_compact_does_as_bicubic(scale: int) -> None:
    low = picture(20)
    with torch.inference_mode():
        result = started(SpanConfig(scale=scale))(low)
        bicubic = started(NetworkConfig(scale=scale))(low)
    inner = slice(3 * scale, -3 * scale)  # zeros pad the convolutions at the border
    torch.testing.assert_close(result[..., inner, inner], bicubic[..., inner, inner], atol=1e-5, rtol=0)


def test_hidden_channels_neither_die_nor_explode_at_the_start() -> None:
    network = build(SpanConfig())
    deviations: list[float] = []
    for convolution in network.convolutions():
        convolution.register_forward_hook(lambda _, __, result: deviations.append(float(result.std())))
    start(network, None, torch.Generator().manual_seed(1))
    deviations.clear()
    with torch.inference_mode():
        network(picture(32))
    assert len(deviations) == 21
    assert min(deviations[1:-1]) > 0.5
    assert max(deviations[1:-1]) < 8.0


def test_spandrel_reads_it_unfolded_and_computes_the_same() -> None:
    network = disturbed(SpanConfig(16, scale=2))
    low = picture(24)
    model = spandrel.ModelLoader().load_from_state_dict(to_spandrel(network.state_dict()))
    assert (model.architecture.id, model.scale, model.tags) == ("SPAN", 2, ["16nf"])
    with torch.inference_mode():
        torch.testing.assert_close(model.model(low), network(low), atol=1e-4, rtol=1e-4)
        again = from_state(to_spandrel(network.state_dict()))
        torch.testing.assert_close(again(low), network(low))


def test_it_starts_from_a_trained_network_of_its_scale_or_a_multiple() -> None:
    trained = disturbed(SpanConfig(12, scale=4))
    low = picture(12)
    for scale in (4, 2):
        network = build(SpanConfig(12, scale))
        start(network, to_spandrel(trained.state_dict()), torch.Generator())
        with torch.inference_mode():
            wanted = torch.nn.functional.avg_pool2d(trained(low), 4 // scale)
            torch.testing.assert_close(network(low), wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("config", [SpanConfig(16), SpanConfig(12, 3), NetworkConfig(12, 2)])
def test_a_start_of_another_shape_is_refused(config: SpanConfig | NetworkConfig) -> None:
    with pytest.raises(ValueError, match="cannot start from"):
        start(build(config), disturbed(SpanConfig(12)).state_dict(), torch.Generator())


def test_a_state_tells_its_configuration() -> None:
    for config in (SpanConfig(12, 2), SpanConfig(16, 4), NetworkConfig(12, 3, 2)):
        assert config_of(build(config).state_dict()) == config
        assert from_state(build(config).state_dict()).config == config
    with_norm = Span(SpanConfig(12)).state_dict()
    del with_norm["no_norm"]
    for state in (with_norm, {"x": torch.zeros(1)}):
        with pytest.raises(ValueError, match="no network that is trained here"):
            from_state(state)


def test_commands_train_resume_and_export_what_the_product_upscales_with(tmp_path: Path) -> None:
    train.main(["--steps", "2", "--out", str(tmp_path), *SMALL])
    train.main(["--steps", "3", "--out", str(tmp_path), "--resume", *SMALL])
    models = tmp_path / "models"
    export.main([str(tmp_path / "last.pt"), str(models / "own.safetensors")])
    with safetensors.safe_open(models / "own.safetensors", "pt") as file:
        about = file.metadata()
    assert (about["architecture"], about["scale"], about["steps"]) == ("SPAN", "4", "3")
    model = read_model(load_catalog(models), "own")
    assert (model.architecture.name, model.scale) == ("SPAN", 4)
    low = picture(16)
    with torch.inference_mode():
        wanted = from_state(load_file(models / "own.safetensors"))(low)
        torch.testing.assert_close(model.architecture.network.module()(low), wanted, atol=1e-4, rtol=1e-4)


def test_it_learns() -> None:
    subject = Trainer(TrainConfig(seed=3, network=SpanConfig(12), warm_up=4), torch.device("cpu"))
    rng = np.random.default_rng(0)
    high = np.kron(rng.integers(0, 256, (2, 16, 16, 3), np.uint8), np.ones((1, 4, 4, 1), np.uint8))
    low = high[:, ::4, ::4].copy()
    losses = [float(subject.train_step(low, high, step / 40)) for step in range(20)]
    assert losses[-1] < 0.9 * losses[0]
    assert all(np.isfinite(losses))


def test_only_the_faithful_variant_has_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        train.main(["--steps", "1", "--out", str(tmp_path), "--variant", "clean", *SMALL])
    assert "--shape span goes with --variant faithful" in capsys.readouterr().err


def test_compact_is_still_what_is_trained_if_nothing_is_said(tmp_path: Path) -> None:
    options = ["--features", "12", "--hidden", "1", "--pool", "1", "--batch", "1", "--patch", "8", "--plain"]
    train.main(["--steps", "1", "--out", str(tmp_path), *options])
    state = torch.load(tmp_path / "last.pt", weights_only=True)["average"]
    assert isinstance(from_state(state), Compact)
