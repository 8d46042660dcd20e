"""Look at the training data: ``python -m training.preview SHEET.png [--variant clean] [--scale 2]``.

Each row is a corner of one picture and, scaled up by nearest neighbour, of the low pictures made of it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.data import DataConfig, Pair, make_pair
from training.degrade import EVERYDAY, DegradeConfig
from training.trainer import Variant

Bytes = NDArray[np.uint8]


def row_of(pair: Pair, scale: int, side: int) -> Bytes:
    """The upper left corner of each, ``side`` pixels of the high picture: (side, n * side, 3) uint8."""
    square = np.ones((scale, scale, 1), np.uint8)
    lows = [np.kron(low[: side // scale, : side // scale], square) for low in pair.lows]
    return np.concatenate([pair.high[:side, :side], *lows], axis=1)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("sheet", type=Path, help="PNG to write")
    parser.add_argument("--pictures", type=int, default=6)
    parser.add_argument("--side", type=int, default=256, help="of each corner, px")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scale", type=int, default=DataConfig().scale)
    parser.add_argument("--variant", choices=get_args(Variant), default="faithful")
    options = parser.parse_args(arguments)
    degrading = {"faithful": None, "clean": DegradeConfig(), "vivid": EVERYDAY}[options.variant]
    config = DataConfig(scale=options.scale, degrading=degrading)
    pairs = (make_pair(options.seed, index, config) for index in range(options.pictures))
    rows = [row_of(pair, options.scale, options.side // options.scale * options.scale) for pair in pairs]
    Image.fromarray(np.concatenate(rows)).save(options.sheet)
    print(options.sheet)


if __name__ == "__main__":
    main()
