"""OpenVINO graphs that take and give integer tiles (docs/adr/0006-openvino.md).

The ends of a graph are built here, so that one network serves tiles of every dtype.
"""

from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops

from pixelmend.engine.backends.network import LUMA
from pixelmend.engine.weights.architecture import Architecture
from pixelmend.engine.weights.compact import CompactNetwork
from pixelmend.engine.weights.rrdb import RrdbNetwork
from pixelmend.models.ncnn_state import DENSE_BLOCKS, DENSE_CONVOLUTIONS, LEAKY_SLOPE, RESIDUAL_SCALE

_NCHW_TO_NHWC = [0, 2, 3, 1]
_NHWC_TO_NCHW = [0, 3, 1, 2]


def export(architecture: Architecture) -> ov.Model:
    """The network as a graph: (N, 3, H, W) float32 to what `with_integer_ends` expects; N, H and W free."""
    network = architecture.network
    if isinstance(network, CompactNetwork):
        return _compact_graph(network)
    if isinstance(network, RrdbNetwork):
        return _rrdb_graph(network)
    from pixelmend.engine.backends.openvino_tracing import trace  # only PyTorch knows what such a network is

    return trace(architecture)


def _compact_graph(network: CompactNetwork) -> ov.Model:
    """A compact network without its last steps: to (N, scale * scale * 3, H, W), colours innermost.

    The last steps are done on integers at the input's resolution, and pixels are shuffled as bytes: together
    that takes a third of what the float tensors of the output's size take.
    """
    tiles = ops.parameter([-1, 3, -1, -1], ov.Type.f32, "unit")
    values: ov.Node = tiles
    *hidden, last = network.layers
    for layer in hidden:
        assert layer.slopes is not None
        values = ops.prelu(_convolved(values, layer.weight, layer.bias), _per_channel(layer.slopes))
    scale = network.config.scale
    # The file's order of the last channels is (colour, row, column).
    order = np.arange(len(last.bias)).reshape(3, scale, scale).transpose(1, 2, 0).ravel()
    values = _convolved(values, last.weight[order], last.bias[order])
    return ov.Model([ops.result(values)], [tiles], "compact")


def _rrdb_graph(network: RrdbNetwork) -> ov.Model:
    """An RRDBNet, to (N, 3, H*scale, W*scale)."""
    config, layers = network.config, iter(network.convolutions())
    tiles = ops.parameter([-1, 3, -1, -1], ov.Type.f32, "unit")

    def convolved(values: ov.Node) -> ov.Node:
        return _convolved(values, *next(layers))

    def active(values: ov.Node) -> ov.Node:
        return ops.prelu(convolved(values), _number(LEAKY_SLOPE))

    def added(values: ov.Node, entry: ov.Node) -> ov.Node:
        return ops.add(ops.multiply(values, _number(RESIDUAL_SCALE)), entry)

    unshuffled = ops.space_to_depth(tiles, "depth_first", config.unshuffle) if config.unshuffle > 1 else tiles
    shallow = values = convolved(unshuffled)
    for _ in range(config.blocks):
        entry = values
        for _ in range(DENSE_BLOCKS):
            seen = [values]
            for _ in range(DENSE_CONVOLUTIONS - 1):
                seen.append(active(seen[0] if len(seen) == 1 else ops.concat(seen, 1)))
            values = added(convolved(ops.concat(seen, 1)), values)
        values = added(values, entry)
    values = ops.add(convolved(values), shallow)
    for _ in range(config.doublings):
        values = active(_doubled(values))
    return ov.Model([ops.result(convolved(active(values)))], [tiles], "rrdb")


def _doubled(values: ov.Node) -> ov.Node:
    """Each pixel four times."""
    factors = ops.constant(np.array([2, 2], np.float32))
    return ops.interpolate(
        values,
        factors,
        "nearest",
        "scales",
        axes=ops.constant(np.array([2, 3])),
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )


def _convolved(values: ov.Node, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> ov.Node:
    product = ops.convolution(values, ops.constant(weight), [1, 1], [1, 1], [1, 1], [1, 1])
    return ops.add(product, _per_channel(bias))


def _per_channel(values: NDArray[np.float32]) -> ov.Node:
    return ops.constant(values.reshape(1, -1, 1, 1))


def with_integer_ends(
    graph: ov.Model,
    architecture: Architecture,
    dtype: np.dtype[Any],
    *,
    takes_grey: bool,
    sum_factor: float = 1.0,
) -> ov.Model:
    """A copy of the graph that takes (N, H, W, 3) integers, and (N, 1, 1, 1, 1) booleans if `takes_grey`.

    It gives (N, H*scale, W*scale, 3) integers and (N,) sums of what the network gave times `sum_factor`,
    which are NaN or infinite if any of that is.
    """
    own = graph.clone()
    top = float(np.iinfo(dtype).max)
    tiles = ops.parameter([-1, -1, -1, 3], ov.Type(dtype), "tiles")
    parameters = [tiles]
    steps = ops.transpose(ops.convert(tiles, ov.Type.f32), ops.constant(_NHWC_TO_NCHW))
    (source,), (result,) = own.get_parameters(), own.get_results()
    source.output(0).replace(ops.divide(steps, _number(top)).output(0))
    raw = result.input_value(0)
    summed = raw if sum_factor == 1 else ops.multiply(raw, _number(sum_factor))
    sums = ops.reduce_sum(summed, ops.constant([1, 2, 3]))

    is_compact = isinstance(architecture.network, CompactNetwork)
    scale = architecture.scale if is_compact else 1
    # (N, scale * scale * 3, H', W'), in steps of the integer: the pixels that are shuffled last.
    values = ops.multiply(raw, _number(top))
    if is_compact:
        # The base is added as the integer that it is: nothing of it is lost to a reduced precision.
        values = ops.add(values, ops.tile(steps, ops.constant([1, scale * scale, 1, 1])))
    values = ops.clamp(values, 0.0, top)
    if takes_grey:
        is_grey = ops.parameter([-1, 1, 1, 1, 1], ov.Type.boolean, "is_grey")
        parameters.append(is_grey)
        values = _luma_where(is_grey, values, scale * scale)
    rounded = ops.convert(ops.round(values, "half_to_even"), ov.Type(dtype))
    pixels = ops.transpose(rounded, ops.constant(_NCHW_TO_NHWC))
    if scale > 1:
        pixels = _shuffled(pixels, scale)
    return ov.Model([ops.result(pixels), ops.result(sums)], parameters, "tiles")


def _luma_where(is_grey: ov.Node, values: ov.Output, groups: int) -> ov.Node:
    """Items that are grey get their luma in all three channels of each of the `groups`."""
    shape = ops.shape_of(values)
    grouped = ops.reshape(
        values,
        ops.concat(
            [
                ops.constant(np.array([-1, groups, 3])),
                ops.gather(shape, ops.constant([2, 3]), ops.constant(0)),
            ],
            0,
        ),
        special_zero=False,
    )
    weights = ops.constant(np.array(LUMA, np.float32).reshape(1, 1, 3, 1, 1))
    luma = ops.reduce_sum(ops.multiply(grouped, weights), ops.constant([2]), keep_dims=True)
    return ops.reshape(ops.select(is_grey, luma, grouped), shape, special_zero=False)


def _shuffled(pixels: ov.Node, scale: int) -> ov.Node:
    """(N, H, W, scale * scale * 3) to (N, H*scale, W*scale, 3)."""
    rows = ops.transpose(
        ops.reshape(pixels, ops.constant([0, 0, 0, scale, scale * 3]), special_zero=True),
        ops.constant([0, 1, 3, 2, 4]),
    )
    size = ops.multiply(ops.gather(ops.shape_of(pixels), ops.constant([1, 2]), ops.constant(0)), _int(scale))
    shape = ops.concat([ops.constant(np.array([-1])), size, ops.constant(np.array([3]))], 0)
    return ops.reshape(rows, shape, special_zero=False)


def _number(value: float) -> ov.Node:
    return ops.constant(np.float32(value))


def _int(value: int) -> ov.Node:
    return ops.constant(np.int64(value))
