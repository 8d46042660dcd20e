"""Pictures keep their mean: ``python -m training.means WEIGHTS PHOTOGRAPHS OUT``.

A network that learns to draw makes pictures a little darker or lighter, some more than others. What it adds
to the mean of a picture is linear in the mean of what its last layer sees. So that layer is changed by as
little as will do, and by the same amount in all pixels that one pixel becomes: edges and textures stay.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import safetensors
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from pixelmend.engine.backends.compact import from_state
from training.degrade import EVERYDAY, degrade
from training.evaluate_vivid import square
from training.export import write
from training.flats import keep_flats
from training.last_layer import columns_of, matrix_of, moment_of, with_matrix, with_ridge
from training.photographs import read_manifest
from training.targets import split

Bytes = NDArray[np.uint8]

# How much the mean square of the change counts against the mean square of what is left of the shifts.
CAUTION = 0.01
# Zeros pad the convolutions, so this many pixels at each border are left out of the means.
BORDER_PX = 4
SEED, SIDE_PX = 91, 512


@torch.inference_mode()
def keep_means(state: Mapping[str, Tensor], lows: Iterable[Bytes]) -> dict[str, Tensor]:
    """The same network, its last layer changed so that the means of ``lows``, (h, w, 3) uint8, stay.

    Each of the four quarters of a picture counts as one. Flat greys stay exact: left to itself ``keep_flats``
    brings most of the shift back, so it is told what that costs. Returns float32 tensors.
    """
    network = from_state(state)
    means, moments = [], []
    for low in lows:
        columns = columns_of(network, low)
        moments.append(moment_of(columns))
        means += quarter_means(columns.reshape(-1, *low.shape[:2]))
    seen = torch.stack(means).double()
    moment = with_ridge(torch.stack(moments).mean(dim=0))
    before = matrix_of(network)
    channels = network.config.channels
    # Nearest neighbour, to which the last layer adds, keeps means.
    shifts = (seen @ before.T).reshape(len(seen), channels, -1).mean(dim=2)
    cost = seen.T @ seen / len(seen) + CAUTION * moment
    change = torch.linalg.solve(cost, -seen.T @ shifts / len(seen))
    kept = with_matrix(network, before + change.T.repeat_interleave(len(before) // channels, dim=0))
    # Rounded as it will be read again: that moves grey as well.
    return keep_flats({name: tensor.half().float() for name, tensor in kept.items()}, cost)


def quarter_means(planes: Tensor) -> list[Tensor]:
    """The mean of each of (n, h, w) planes over each quarter: four of (n,)."""
    height, width = planes.shape[1:]
    down = (slice(BORDER_PX, height // 2), slice(height // 2, height - BORDER_PX))
    across = (slice(BORDER_PX, width // 2), slice(width // 2, width - BORDER_PX))
    return [planes[:, y, x].mean(dim=(1, 2)) for y in down for x in across]


def spoilt_squares(folder: Path, count: int, scale: int) -> Iterable[Bytes]:
    """Middles of ``count`` photographs that are not kept apart, spoilt as phones and web pages do."""
    photographs, _ = split(read_manifest(folder))
    chosen = np.random.default_rng(SEED).permutation(len(photographs))[:count]
    for index in chosen.tolist():
        rng = np.random.default_rng((SEED, index))
        yield degrade(rng, square(photographs[index].read(), SIDE_PX), scale, EVERYDAY)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("weights", type=Path, help="as training.export writes them")
    parser.add_argument("photographs", type=Path, help="folder with a MANIFEST.csv")
    parser.add_argument("out", type=Path)
    parser.add_argument("--pictures", type=int, default=400)
    options = parser.parse_args(arguments)
    with safetensors.safe_open(options.weights, "pt") as file:
        about = file.metadata()
    lows = spoilt_squares(options.photographs, options.pictures, int(about["scale"]))
    state = keep_means(load_file(options.weights), lows)
    write(options.out, state, {**about, "means": "kept by the last layer (training/means.py)"})


if __name__ == "__main__":
    main()
