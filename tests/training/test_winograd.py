"""Winograd's convolution in training: the results and gradients are those of PyTorch's layers."""

from __future__ import annotations

import re

import pytest
import torch
from torch import Tensor, nn

from pixelmend.engine.backends.compact import Compact
from pixelmend.engine.weights.compact import NetworkConfig
from training.span import Span, SpanConfig
from training.trainer import TrainConfig, Trainer
from training.winograd import Kernels, WinogradConv2d, WinogradPReLU, use_winograd

pytestmark = pytest.mark.full


def relative_error(result: Tensor | None, truth: Tensor | None) -> float:
    assert result is not None
    assert truth is not None
    return float((result.double() - truth.double()).norm() / truth.double().norm())


@pytest.fixture(scope="module")
def kernels() -> Kernels:
    return Kernels()


@pytest.mark.parametrize(
    ("incoming", "outgoing", "shape"),
    [
        (64, 64, (3, 48, 48)),
        (64, 48, (2, 16, 20)),
        (16, 64, (1, 4, 4)),
        (32, 16, (2, 7, 9)),
        (16, 16, (1, 1, 1)),
    ],
)
def test_a_convolution_and_its_gradients(
    kernels: Kernels, incoming: int, outgoing: int, shape: tuple[int, int, int]
) -> None:
    """Against PyTorch's in float64; tiles that are cut, and one that is all border."""
    generator = torch.Generator().manual_seed(incoming + outgoing)
    count, height, width = shape
    layer = nn.Conv2d(incoming, outgoing, 3, padding=1)
    signal = torch.randn(count, incoming, height, width, generator=generator)
    gradient = torch.randn(count, outgoing, height, width, generator=generator)

    def computed(layer: nn.Module, signal: Tensor, gradient: Tensor) -> list[Tensor | None]:
        layer.zero_grad()
        signal = signal.clone().requires_grad_()
        result = layer(signal)
        result.backward(gradient)
        return [result.detach(), signal.grad, *(each.grad for each in layer.parameters())]

    results = computed(WinogradConv2d(layer, kernels), signal, gradient)
    truths = computed(layer.double(), signal.double(), gradient.double())
    for result, truth in zip(results, truths, strict=True):
        assert relative_error(result, truth) < 5e-6


def test_prelu_and_its_gradients(kernels: Kernels) -> None:
    generator = torch.Generator().manual_seed(5)
    layer = nn.PReLU(48)
    with torch.no_grad():
        layer.weight.copy_(torch.linspace(-0.2, 1.2, 48))
    first, second = (torch.randn(2, 48, 5, 7, generator=generator).requires_grad_() for _ in range(2))
    with torch.no_grad():
        second.copy_(first)
    layer(first).pow(3).sum().backward()
    truth = layer.weight.grad
    layer.zero_grad()
    WinogradPReLU(layer, kernels)(second).pow(3).sum().backward()
    assert relative_error(second.grad, first.grad) < 1e-6
    assert relative_error(layer.weight.grad, truth) < 1e-6


def test_the_layers_that_are_replaced_keep_their_parameters() -> None:
    """The first and, at a scale of 2, the last convolution have too few channels and stay."""
    network = Compact(NetworkConfig(16, 2, 2))
    before = dict(network.named_parameters())
    use_winograd(network)
    assert [type(each) for each in network.convolutions()] == [
        nn.Conv2d,
        WinogradConv2d,
        WinogradConv2d,
        nn.Conv2d,
    ]
    assert all(isinstance(each, WinogradPReLU) for each in network.activations())
    after = dict(network.named_parameters())
    assert before.keys() == after.keys()
    assert all(after[name] is parameter for name, parameter in before.items())


def test_span_computes_the_same() -> None:
    network = Span(SpanConfig(48, 4)).eval()
    low = torch.rand(1, 3, 13, 10)
    with torch.no_grad():
        truth = network(low)
        use_winograd(network)
        result = network(low)
    assert sum(isinstance(each, WinogradConv2d) for each in network.modules()) == 20
    assert relative_error(result, truth) < 1e-5


def test_a_trainer_learns_the_same_by_winograd(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever numbers this CPU is fast in: float32 is asked for."""
    monkeypatch.setattr("training.trainer.fast_dtype", lambda device: torch.float32)
    config = TrainConfig(seed=3, network=NetworkConfig(32, 3, 4), warm_up=1)
    plain, quick = (Trainer(config, torch.device("cpu"), compiled=compiled) for compiled in (False, True))
    assert any(isinstance(each, WinogradConv2d) for each in quick.network.modules())
    generator = torch.Generator().manual_seed(1)
    low = torch.randint(0, 256, (2, 16, 16, 3), generator=generator, dtype=torch.uint8).numpy()
    high = torch.randint(0, 256, (2, 64, 64, 3), generator=generator, dtype=torch.uint8).numpy()
    losses = [[float(each.train_step(low, high, 0.5)) for _ in range(5)] for each in (plain, quick)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert losses[0][-1] < losses[0][0]
    assert quick.averaged().state_dict().keys() == plain.averaged().state_dict().keys()


def test_a_compiler_that_fails_is_named_with_its_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(RuntimeError, match=re.escape("no-such-compiler -O3")):
        Kernels()
