"""The tensors of an ncnn network under PyTorch's names, if it is one of the networks that are known.

ncnn keeps no names, only an order. So the kinds of the layers, their activations and the coefficients of
their sums are compared with what the network has: weights in a network of another shape would compute
nonsense.
"""

from collections.abc import Iterator, Mapping, Sequence

from pixelmend.core.errors import ModelUnusable
from pixelmend.models.ncnn import Layer, WeightedLayer, Weights, read_layers, read_weights

State = Mapping[str, Weights]
"""By the names that spandrel knows; values and precision as stored."""

DENSE_BLOCKS, DENSE_CONVOLUTIONS = 3, 5
TAIL = ("conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last")
LEAKY_SLOPE, RESIDUAL_SCALE = 0.2, 0.2
"""Both constants are RRDBNet's (Wang et al. 2018, ESRGAN)."""
NEAREST = 1
_LEAKY_RELU = 2
_WITHOUT_WEIGHTS = (
    "Input",
    "Split",
    "Concat",
    "Eltwise",
    "BinaryOp",
    "Interp",
    "ReLU",
    "PixelShuffle",
    "Noop",
)


def read_state(param: str, weights: bytes, name: str) -> State:
    """The tensors of a Compact network or an RRDBNet of x4. name: of the files, for errors.

    Raises ModelUnusable, naming the first layer that is not as it is in these.
    """
    layers = read_layers(param, name)
    try:
        for layer in layers:
            if layer.kind not in ("Convolution", "PReLU", *_WITHOUT_WEIGHTS):
                raise ValueError(f"a layer of the kind {layer.kind} is not known")
        require = _require_compact if any(layer.kind == "PReLU" for layer in layers) else _require_rrdb
        require(layers)
        weighted = read_weights(layers, weights, name)
        names = _compact_names if require is _require_compact else _rrdb_names
        return dict(_named(names(len(weighted)), weighted))
    except ValueError as error:
        raise ModelUnusable(f"{name}: neither Compact nor RRDBNet: {error}") from error


def _named(names: Sequence[str], weighted: Sequence[WeightedLayer]) -> Iterator[tuple[str, Weights]]:
    for name, found in zip(names, weighted, strict=True):
        yield f"{name}.weight", found.weight
        if found.bias is not None:
            yield f"{name}.bias", found.bias


def _compact_names(count: int) -> list[str]:
    return [f"body.{index}" for index in range(count)]


def _require_compact(layers: Sequence[Layer]) -> None:
    """Convolutions and PReLUs in turn, a convolution, pixels shuffled, and the picture itself added.

    A last change of size is passed over: upstream's x2 and x3 are its x4 network, reduced afterwards.
    """
    kinds = [layer.kind for layer in layers if layer.kind not in ("Input", "Split", "Noop")]
    if kinds[-1:] == ["Interp"]:
        kinds.pop()
    hidden = kinds.count("PReLU")
    expected = ["Convolution", "PReLU"] * hidden + ["Convolution", "PixelShuffle", "Interp", "BinaryOp"]
    for index, (kind, right) in enumerate(zip(kinds, expected, strict=False)):
        if kind != right:
            raise ValueError(f"layer {index} is {kind}, it is {right} in Compact")
    if len(kinds) != len(expected):
        raise ValueError(f"{len(kinds)} layers, they are {len(expected)} in Compact")
    for layer in layers:
        if layer.kind == "Convolution" and layer.number(9):
            raise ValueError("a convolution of Compact has no activation in it")
        if layer.kind == "BinaryOp" and layer.number(0):
            raise ValueError("the picture is not added at the end")
    if next(layer for layer in layers if layer.kind == "Interp").number(0) != NEAREST:
        raise ValueError("the picture is not upscaled by nearest neighbour")


def _rrdb_names(count: int) -> list[str]:
    """PyTorch's names of `count` convolutions, first to last. Raises ValueError for other counts."""
    per_block = DENSE_BLOCKS * DENSE_CONVOLUTIONS
    blocks, rest = divmod(count - 1 - len(TAIL), per_block)
    if rest or blocks < 1:
        raise ValueError(f"an RRDBNet of x4 has not {count} convolutions")
    body = [
        f"body.{block}.rdb{dense}.conv{index}"
        for block in range(blocks)
        for dense in range(1, DENSE_BLOCKS + 1)
        for index in range(1, DENSE_CONVOLUTIONS + 1)
    ]
    return ["conv_first", *body, *TAIL]


def _require_rrdb(layers: Sequence[Layer]) -> None:
    """Activations follow the convolutions that have one, sums are scaled by 0.2, pixels are doubled twice."""
    if any(layer.kind == "PixelShuffle" for layer in layers):
        raise ValueError("an RRDBNet of x4 shuffles no pixels")
    names = _rrdb_names(sum(layer.kind == "Convolution" for layer in layers))
    plain = {"conv_first", "conv_body", "conv_last"}
    for name, active in zip(names, _activations(layers), strict=True):
        if active == (name in plain or name.endswith(f"conv{DENSE_CONVOLUTIONS}")):
            raise ValueError(f"{name} has {'an' if active else 'no'} activation")
    doubled = [layer for layer in layers if layer.kind == "Interp"]
    if len(doubled) != 2 or any(layer.number(0) != NEAREST for layer in doubled):
        raise ValueError("pixels are not doubled twice, by nearest neighbour")
    for layer in layers:
        if layer.kind == "Eltwise" and layer.numbers(1) not in ((), (RESIDUAL_SCALE, 1.0)):
            raise ValueError(f"a sum has the coefficients {layer.numbers(1)}")


def _activations(layers: Sequence[Layer]) -> list[bool]:
    """Whether a leaky ReLU follows each convolution, as a part of it or as the next layer."""
    found: list[bool] = []
    for layer in layers:
        if layer.kind == "Convolution":
            kind = layer.number(9)
            if kind and (kind != _LEAKY_RELU or layer.numbers(10) != (LEAKY_SLOPE,)):
                raise ValueError(f"convolution {len(found)} has an activation other than leaky ReLU of 0.2")
            found.append(bool(kind))
        elif layer.kind == "ReLU":
            if not found or float(layer.options.get(0, "0")) != LEAKY_SLOPE:
                raise ValueError(f"the activation after convolution {len(found) - 1} is no leaky ReLU of 0.2")
            found[-1] = True
    return found
