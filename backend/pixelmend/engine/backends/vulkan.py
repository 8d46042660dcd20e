"""From a model to its network on a Vulkan device."""

from typing import TYPE_CHECKING, Any

from pixelmend.core.errors import ModelUnusable
from pixelmend.engine.backends.ncnn_graph import Convolution, compact_graph, rrdb_graph
from pixelmend.engine.devices.device import Device
from pixelmend.engine.devices.precision import Precision
from pixelmend.engine.weights.architecture import LoadedModel
from pixelmend.engine.weights.compact import CompactNetwork

if TYPE_CHECKING:
    from pixelmend.engine.backends.ncnn import NcnnNetwork

RRDB = "ESRGAN"
"""spandrel's name of it."""


def open_in_vulkan(model: LoadedModel, device: Device, precision: Precision) -> "NcnnNetwork":
    """precision: float32 or float16. Raises ModelUnusable if the network cannot be written as ncnn's graph,
    or ncnn is not there.
    """
    try:
        from pixelmend.engine.backends.ncnn import NcnnNetwork  # 26 MB that other devices do not need
    except ImportError as error:
        raise ModelUnusable(f"ncnn cannot be loaded: {error}") from error
    architecture = model.architecture
    network: Any = architecture.network
    if isinstance(network, CompactNetwork):
        layers = network.layers
        slopes = [layer.slopes for layer in layers if layer.slopes is not None]
        graph = compact_graph([Convolution(each.weight, each.bias) for each in layers], slopes, model.scale)
        return NcnnNetwork(graph, device, precision, model.scale, adds_input=True)
    if architecture.name != RRDB:
        raise ModelUnusable(f"{architecture.name} is not one of the networks for Vulkan: Compact, {RRDB}")
    try:
        graph = rrdb_graph([Convolution(weight, bias) for weight, bias in network.convolutions()])
    except ValueError as error:
        raise ModelUnusable(f"{model.id}: {error}") from error
    return NcnnNetwork(
        graph, device, precision, model.scale, adds_input=False, unshuffle=architecture.multiple_of
    )
