"""Convolutions of 3x3 by Winograd's F(4x4, 3x3), in float32 on a CPU: a quarter of the multiplications.

PyTorch's direct convolution runs near the peak of a CPU without bfloat16, so that only fewer multiplications
help there (docs/adr/0033-eight-positions.md has the figures). The computing is in ``winograd.cpp``, which is
compiled when it is first needed.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

SOURCE = Path(__file__).with_suffix(".cpp")
# As many lanes as the inner loops hold at once.
CHANNELS_MULTIPLE = 16

# Lavin and Gray's G: three weights to six points.
G = torch.tensor(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ]
)


class Kernels:
    """``winograd.cpp``, compiled for this CPU. Raises RuntimeError if there is no compiler that can do it."""

    def __init__(self) -> None:
        compiler = os.environ.get("CXX", "c++")
        with tempfile.TemporaryDirectory() as folder:
            library = Path(folder) / "winograd.so"
            options = ["-O3", "-march=native", "-fopenmp", "-shared", "-fPIC", "-Wno-psabi"]
            command = [compiler, *options, str(SOURCE), "-o", str(library)]
            try:
                subprocess.run(command, check=True, capture_output=True, text=True)
            except (OSError, subprocess.CalledProcessError) as error:
                reason = getattr(error, "stderr", None) or str(error)
                raise RuntimeError(f"{' '.join(command)} failed: {reason}") from error
            self._library = ctypes.CDLL(str(library))

    def convolve(self, signal: Tensor, points: Tensor, bias: Tensor) -> Tensor:
        """(n, incoming, h, w) to (n, outgoing, h, w), both channels-last; ``points`` as of ``to_points``."""
        count, incoming, height, width = signal.shape
        outgoing = points.shape[2]
        result = torch.empty((count, outgoing, height, width), memory_format=torch.channels_last)
        sizes = (count, height, width, incoming, outgoing)
        self._call(self._library.convolve, (signal, points, bias, result), sizes)
        return result

    def convolve_backward(self, signal: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
        """The gradients of ``points`` and bias from that of the result; both arguments are channels-last."""
        count, incoming, height, width = signal.shape
        outgoing = gradient.shape[1]
        points, bias = torch.zeros(len(G) ** 2, incoming, outgoing), torch.zeros(outgoing)
        sizes = (count, height, width, incoming, outgoing)
        self._call(self._library.convolve_backward, (signal, gradient, points, bias), sizes)
        return points, bias

    def prelu(self, signal: Tensor, slopes: Tensor) -> Tensor:
        """``signal`` (n, c, h, w), channels-last, with each channel's slope (c) below 0."""
        result = torch.empty_like(signal)
        self._call(self._library.prelu, (signal, slopes, result), _pixels_and_channels(signal))
        return result

    def prelu_backward(self, signal: Tensor, slopes: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
        """The gradients of ``signal`` and slopes from that of the result."""
        result, of_slopes = torch.empty_like(signal), torch.zeros_like(slopes)
        tensors = (signal, slopes, gradient, result, of_slopes)
        self._call(self._library.prelu_backward, tensors, _pixels_and_channels(signal))
        return result, of_slopes

    def _call(
        self, function: Callable[..., Any], tensors: tuple[Tensor, ...], sizes: tuple[Any, ...]
    ) -> None:
        pointers = [ctypes.c_void_p(tensor.data_ptr()) for tensor in tensors]
        function(*pointers, *sizes, torch.get_num_threads())


def _pixels_and_channels(signal: Tensor) -> tuple[ctypes.c_long, int]:
    channels = signal.shape[1]
    return ctypes.c_long(signal.numel() // channels), channels


def to_points(weight: Tensor) -> Tensor:
    """Weights (outgoing, incoming, 3, 3) as the kernels take them: (36, incoming, outgoing)."""
    outgoing, incoming = weight.shape[:2]
    points = torch.einsum("pk,oik->pio", torch.kron(G, G), weight.reshape(outgoing, incoming, 9))
    return points.contiguous()


def from_points(gradient: Tensor) -> Tensor:
    """The gradient of the weights from that of ``to_points``."""
    _, incoming, outgoing = gradient.shape
    return torch.einsum("pk,pio->oik", torch.kron(G, G), gradient).reshape(outgoing, incoming, 3, 3)


class _Convolve(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, kernels: Kernels, signal: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        signal = signal.contiguous(memory_format=torch.channels_last)
        ctx.kernels = kernels
        ctx.save_for_backward(signal, weight)
        return kernels.convolve(signal, to_points(weight), bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor, Tensor, Tensor]:
        signal, weight = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        turned = to_points(weight.flip(2, 3).transpose(0, 1))
        of_signal = ctx.kernels.convolve(gradient, turned, torch.zeros(weight.shape[1]))
        of_points, of_bias = ctx.kernels.convolve_backward(signal, gradient)
        return None, of_signal, from_points(of_points), of_bias


class _PReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, kernels: Kernels, signal: Tensor, slopes: Tensor) -> Tensor:
        signal = signal.contiguous(memory_format=torch.channels_last)
        ctx.kernels = kernels
        ctx.save_for_backward(signal, slopes)
        return kernels.prelu(signal, slopes)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor, Tensor]:
        signal, slopes = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        return None, *ctx.kernels.prelu_backward(signal, slopes, gradient)


class WinogradConv2d(nn.Conv2d):
    """Computes what ``layer`` does, with the same parameters."""

    def __init__(self, layer: nn.Conv2d, kernels: Kernels) -> None:
        super().__init__(layer.in_channels, layer.out_channels, 3, padding=1, device="meta")
        self.weight, self.bias = layer.weight, layer.bias
        self._kernels = kernels

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - PyTorch's name
        """(n, incoming, h, w) to (n, outgoing, h, w), float32."""
        assert self.bias is not None
        result: Tensor = _Convolve.apply(self._kernels, input, self.weight, self.bias)
        return result


class WinogradPReLU(nn.PReLU):
    """Computes what ``layer`` does, with the same parameters; PyTorch's own takes long to differentiate."""

    def __init__(self, layer: nn.PReLU, kernels: Kernels) -> None:
        super().__init__(layer.num_parameters, device="meta")
        self.weight = layer.weight
        self._kernels = kernels

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - PyTorch's name
        """(n, c, h, w) to the same shape, float32."""
        result: Tensor = _PReLU.apply(self._kernels, input, self.weight)
        return result


def winograd_helps(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether ``use_winograd`` makes a network faster that computes in ``dtype`` there."""
    return device.type == "cpu" and dtype == torch.float32


def use_winograd(network: nn.Module) -> None:
    """Replace the layers of ``network``, in float32 on the CPU, that the kernels compute; parameters stay
    the same objects under the same names. Raises RuntimeError if there is no compiler.
    """
    kernels = Kernels()
    for parent in list(network.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, nn.Conv2d) and _is_computed(layer):
                setattr(parent, name, WinogradConv2d(layer, kernels))
            elif isinstance(layer, nn.PReLU) and layer.num_parameters % CHANNELS_MULTIPLE == 0:
                setattr(parent, name, WinogradPReLU(layer, kernels))


def _is_computed(layer: nn.Conv2d) -> bool:
    return (
        layer.kernel_size == (3, 3)
        and layer.padding == (1, 1)
        and layer.padding_mode == "zeros"
        and layer.stride == layer.dilation == (1, 1)
        and layer.groups == 1
        and layer.bias is not None
        and layer.in_channels % CHANNELS_MULTIPLE == layer.out_channels % CHANNELS_MULTIPLE == 0
    )
