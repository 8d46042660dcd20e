"""RRDBNet (Wang et al. 2018, ESRGAN; Real-ESRGAN's x4plus) as arrays of numpy; no other library is needed.

A convolution, blocks of dense blocks, a convolution whose result is added to that of the first, one after
each doubling of the pixels, and two more; all of 3x3 pixels.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pixelmend.engine.weights.compact import KERNEL_PX, Shaped
from pixelmend.models.ncnn_state import DENSE_BLOCKS, DENSE_CONVOLUTIONS

if TYPE_CHECKING:
    from torch import nn

GROWTH = 32
"""Channels that each convolution of a dense block adds."""
COLOURS = 3
_PER_BLOCK = DENSE_BLOCKS * DENSE_CONVOLUTIONS
_MAX_DOUBLINGS = 3
_AROUND = 4
"""Convolutions that are neither in a block nor after a doubling."""


@dataclass(frozen=True, slots=True)
class RrdbConfig:
    """doublings: of the pixels of each side. unshuffle: at first, so many pixels a side become channels."""

    features: int
    blocks: int
    doublings: int
    unshuffle: int

    @property
    def scale(self) -> int:
        return int(2**self.doublings) // self.unshuffle


@dataclass(frozen=True, slots=True)
class _Dialect:
    """How a program names the convolutions. doubled: those after a doubling. tail: the last two."""

    first: str
    dense: str
    after_blocks: str
    doubled: str
    tail: tuple[str, str]

    def names(self, blocks: int, doublings: int) -> list[str]:
        """In the order of computing."""
        dense = [
            self.dense.format(block=block, dense=dense, n=n)
            for block in range(blocks)
            for dense in range(1, DENSE_BLOCKS + 1)
            for n in range(1, DENSE_CONVOLUTIONS + 1)
        ]
        # The first ESRGAN numbers the steps of its program, of which a doubling has three.
        doubled = [self.doubled.format(n=n, step=3 * n) for n in range(1, doublings + 1)]
        steps = {"high": 3 * doublings + 2, "last": 3 * doublings + 4}
        tail = [name.format(**steps) for name in self.tail]
        return [self.first, *dense, self.after_blocks.format(blocks=blocks), *doubled, *tail]


_DIALECTS = (
    # BasicSR
    _Dialect(
        "conv_first",
        "body.{block}.rdb{dense}.conv{n}",
        "conv_body",
        "conv_up{n}",
        ("conv_hr", "conv_last"),
    ),
    # BSRGAN
    _Dialect(
        "conv_first",
        "RRDB_trunk.{block}.RDB{dense}.conv{n}",
        "trunk_conv",
        "upconv{n}",
        ("HRconv", "conv_last"),
    ),
    # the first ESRGAN
    _Dialect(
        "model.0",
        "model.1.sub.{block}.RDB{dense}.conv{n}.0",
        "model.1.sub.{blocks}",
        "model.{step}",
        ("model.{high}", "model.{last}"),
    ),
)


class RrdbNetwork:
    """An RRDBNet that nothing computes with yet. All of its arrays are float32."""

    def __init__(self, config: RrdbConfig, state: Mapping[str, NDArray[Any]]) -> None:
        """state: one for which `config_of` gives `config`; in any float type."""
        self.config = config
        found = _names_in(state)
        assert found is not None
        # Copies: the caller's arrays stay the caller's.
        self._layers = [
            (np.array(state[f"{name}.weight"], np.float32), np.array(state[f"{name}.bias"], np.float32))
            for name in found[0]
        ]

    @property
    def value_count(self) -> int:
        """The number of its weights."""
        return sum(weight.size + bias.size for weight, bias in self._layers)

    def convolutions(self) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Weights and biases in the order of computing."""
        return list(self._layers)

    def module(self) -> "nn.Module":
        """The same for PyTorch, which is imported; with tensors of its own."""
        from pixelmend.engine.weights.spandrel import build

        state: dict[str, NDArray[Any]] = {}
        names = _DIALECTS[-1].names(self.config.blocks, self.config.doublings)
        for name, (weight, bias) in zip(names, self._layers, strict=True):
            state |= {f"{name}.weight": weight, f"{name}.bias": bias}
        return build("RRDBNet", state).network.module()


def config_of(state: Mapping[str, Shaped]) -> RrdbConfig | None:
    """The configuration that a state dictionary was made with; None if it is not one of an RRDBNet."""
    found = _names_in(state)
    if found is None:
        return None
    names, blocks, doublings = found
    first = tuple(state[f"{names[0]}.weight"].shape)
    if len(first) != 4 or not first[0] or first[1] % COLOURS:
        return None
    unshuffle = math.isqrt(first[1] // COLOURS)
    if unshuffle not in (1, 2, 4) or COLOURS * unshuffle**2 != first[1] or 2**doublings < unshuffle:
        return None
    config = RrdbConfig(first[0], blocks, doublings, unshuffle)
    for name, (outgoing, incoming) in zip(names, _channels(config), strict=True):
        weight, bias = state[f"{name}.weight"].shape, state[f"{name}.bias"].shape
        if tuple(weight) != (outgoing, incoming, KERNEL_PX, KERNEL_PX) or tuple(bias) != (outgoing,):
            return None
    return config


def _names_in(state: Mapping[str, Shaped]) -> tuple[Sequence[str], int, int] | None:
    """The convolutions in the order of computing, the number of blocks, and that of doublings."""
    if len(state) % 2:
        return None
    for doublings in range(_MAX_DOUBLINGS + 1):
        # Names may claim millions of blocks: a state has two tensors for each convolution.
        blocks, rest = divmod(len(state) // 2 - _AROUND - doublings, _PER_BLOCK)
        if rest or blocks < 1:
            continue
        for dialect in _DIALECTS:
            names = dialect.names(blocks, doublings)
            if {f"{name}.{part}" for name in names for part in ("weight", "bias")} == state.keys():
                return names, blocks, doublings
    return None


def _channels(config: RrdbConfig) -> list[tuple[int, int]]:
    """Outgoing and incoming channels of each convolution, in the order of computing."""
    features = config.features
    dense = [
        (GROWTH if n < DENSE_CONVOLUTIONS - 1 else features, features + n * GROWTH)
        for n in range(DENSE_CONVOLUTIONS)
    ]
    return [
        (features, COLOURS * config.unshuffle**2),
        *(dense * DENSE_BLOCKS * config.blocks),
        *([(features, features)] * (config.doublings + 2)),
        (COLOURS, features),
    ]
