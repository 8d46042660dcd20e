"""The judge of crispness: a U-Net that tells, pixel by pixel, a teacher's pictures from a student's.

After Schonfeld et al. 2020, "A U-Net based discriminator for generative adversarial networks", with spectral
normalisation (Miyato et al. 2018), as in Wang et al. 2021. Squares of 2x2 pixels are its channels: nothing is
lost and a step takes a quarter of the time.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

SQUARE = 2
LEVELS = 3
SLOPE = 0.2


class Discriminator(nn.Module):
    """(n, 3, h, w) in [0, 1] to (n, 1, h/2, w/2): large at places that look like the teacher's.

    Sides are multiples of 16.
    """

    def __init__(self, features: int = 64) -> None:
        super().__init__()
        widths = [features * 2**level for level in range(LEVELS + 1)]
        self.first = nn.Conv2d(3 * SQUARE**2, features, 3, padding=1)
        self.downs = nn.ModuleList(
            _normal(nn.Conv2d(near, far, 4, stride=2, padding=1, bias=False))
            for near, far in pairwise(widths)
        )
        self.ups = nn.ModuleList(
            _normal(nn.Conv2d(far, near, 3, padding=1, bias=False))
            for near, far in reversed(list(pairwise(widths)))
        )
        self.mix = _normal(nn.Conv2d(features, features, 3, padding=1, bias=False))
        self.last = nn.Conv2d(features, 1, 3, padding=1)

    def forward(self, pictures: Tensor) -> Tensor:
        """See the class."""
        value = _bent(self.first(functional.pixel_unshuffle(pictures - 0.5, SQUARE)))
        kept = []
        for down in self.downs:
            kept.append(value)
            value = _bent(down(value))
        for up in self.ups:
            wide = functional.interpolate(value, scale_factor=2.0, mode="bilinear", align_corners=False)
            value = _bent(up(wide)) + kept.pop()
        logits: Tensor = self.last(_bent(self.mix(value)))
        return logits


def _bent(value: Tensor) -> Tensor:
    return functional.leaky_relu(value, SLOPE)


def _normal(convolution: nn.Conv2d) -> nn.Module:
    return spectral_norm(convolution)
