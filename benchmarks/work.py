"""How much arithmetic the networks are: the convolutions alone, a multiplication and an addition each."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Convolution:
    """3x3. sites: pixels it is computed for per pixel of the input image."""

    channels_in: int
    channels_out: int
    sites: int = 1

    @property
    def flop_per_pixel(self) -> int:
        return 2 * 9 * self.channels_in * self.channels_out * self.sites


def compact_convolutions(features: int = 64, hidden: int = 16, scale: int = 4) -> list[Convolution]:
    """SRVGGNetCompact."""
    return [
        Convolution(3, features),
        *[Convolution(features, features)] * hidden,
        Convolution(features, 3 * scale**2),
    ]


def rrdb_convolutions(features: int = 64, growth: int = 32, blocks: int = 23) -> list[Convolution]:
    """RRDBNet x4."""
    dense = [Convolution(features + i * growth, growth) for i in range(4)]
    dense.append(Convolution(features + 4 * growth, features))
    return [
        Convolution(3, features),
        *dense * (3 * blocks),
        Convolution(features, features),
        Convolution(features, features, 4),
        Convolution(features, features, 16),
        Convolution(features, features, 16),
        Convolution(features, 3, 16),
    ]


def flop_per_pixel(convolutions: Iterable[Convolution]) -> int:
    """Operations per pixel of the input image."""
    return sum(convolution.flop_per_pixel for convolution in convolutions)


def matmul_flop(side: int) -> int:
    """Operations of the product of two square matrices."""
    return 2 * side**3
