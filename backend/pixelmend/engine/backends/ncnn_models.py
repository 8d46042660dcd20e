"""From a model to its network in ncnn: on a Vulkan device, or on the CPU in float32."""

from typing import TYPE_CHECKING

from pixelmend.core.errors import ModelUnusable
from pixelmend.engine.backends.ncnn_graph import Convolution, compact_graph, rrdb_graph
from pixelmend.engine.devices.device import Device
from pixelmend.engine.devices.precision import Precision
from pixelmend.engine.weights.architecture import LoadedModel
from pixelmend.engine.weights.compact import CompactNetwork
from pixelmend.engine.weights.rrdb import RrdbNetwork

if TYPE_CHECKING:
    from pixelmend.engine.backends.ncnn import NcnnNetwork


def open_in_ncnn(model: LoadedModel, device: Device, precision: Precision, threads: int = 1) -> "NcnnNetwork":
    """precision: float32, or float16 on a GPU. threads: on the CPU. Raises ModelUnusable if the network
    cannot be written as ncnn's graph, or ncnn is not there.
    """
    try:
        from pixelmend.engine.backends.ncnn import NcnnNetwork  # 26 MB that not every device needs
    except ImportError as error:
        raise ModelUnusable(f"ncnn cannot be loaded: {error}") from error
    architecture = model.architecture
    network = architecture.network
    if isinstance(network, CompactNetwork):
        layers = network.layers
        slopes = [layer.slopes for layer in layers if layer.slopes is not None]
        graph = compact_graph([Convolution(each.weight, each.bias) for each in layers], slopes, model.scale)
        return NcnnNetwork(graph, device, precision, model.scale, adds_input=True, threads=threads)
    if isinstance(network, RrdbNetwork):
        config = network.config
        rrdb = rrdb_graph([Convolution(*each) for each in network.convolutions()], config.doublings)
        return NcnnNetwork(
            rrdb,
            device,
            precision,
            model.scale,
            adds_input=False,
            unshuffle=config.unshuffle,
            threads=threads,
        )
    from pixelmend.engine.backends.pnnx_conversion import convert

    return NcnnNetwork(convert(architecture), device, precision, model.scale, adds_input=False)
