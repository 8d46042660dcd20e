"""From a model to its network in ncnn: on a Vulkan device, or on the CPU in float32."""

import math
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from pixelmend.core.errors import ModelUnusable
from pixelmend.engine.backends.ncnn_graph import Convolution, compact_graph, rrdb_graph
from pixelmend.engine.devices.device import Device
from pixelmend.engine.devices.precision import Precision
from pixelmend.engine.weights.architecture import LoadedModel
from pixelmend.engine.weights.compact import CompactNetwork
from pixelmend.engine.weights.converted import ConvertedNetwork

if TYPE_CHECKING:
    from pixelmend.engine.backends.ncnn import NcnnNetwork

RRDB = "ESRGAN"
"""spandrel's name of it."""


def open_in_ncnn(model: LoadedModel, device: Device, precision: Precision, threads: int = 1) -> "NcnnNetwork":
    """precision: float32, or float16 on a GPU. threads: on the CPU. Raises ModelUnusable if the network
    cannot be written as ncnn's graph, or ncnn is not there.
    """
    try:
        from pixelmend.engine.backends.ncnn import NcnnNetwork  # 26 MB that not every device needs
    except ImportError as error:
        raise ModelUnusable(f"ncnn cannot be loaded: {error}") from error
    architecture = model.architecture
    network: Any = architecture.network
    if isinstance(network, CompactNetwork):
        layers = network.layers
        slopes = [layer.slopes for layer in layers if layer.slopes is not None]
        graph = compact_graph([Convolution(each.weight, each.bias) for each in layers], slopes, model.scale)
        return NcnnNetwork(graph, device, precision, model.scale, adds_input=True, threads=threads)
    if architecture.name != RRDB:
        from pixelmend.engine.backends.pnnx_conversion import convert

        return NcnnNetwork(convert(architecture), device, precision, model.scale, adds_input=False)
    try:
        convolutions = [Convolution(weight, bias) for weight, bias in _convolutions_of(network)]
        graph = rrdb_graph(convolutions)
    except ValueError as error:
        raise ModelUnusable(f"{model.id}: {error}") from error
    return NcnnNetwork(
        graph,
        device,
        precision,
        model.scale,
        adds_input=False,
        unshuffle=math.isqrt(convolutions[0].weight.shape[1] // 3),
        threads=threads,
    )


def _convolutions_of(network: Any) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Weights and biases in the order of computing. Those of a converted network need no PyTorch."""
    if isinstance(network, ConvertedNetwork):
        from pixelmend.engine.backends.openvino_graphs import read_convolutions

        return read_convolutions(network.graph)
    found: list[tuple[NDArray[Any], NDArray[Any]]] = network.convolutions()
    return found
