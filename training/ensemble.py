"""What a network makes of pictures in eight positions, on disk, to be learnt from.

``python -m training.ensemble WEIGHTS FOLDER --pictures 1600``. Flipped and turned, a picture gives eight
results that are as good as one another but not equal. Their mean is better than each of them, and a network
can learn it without the noise of what no network can know (docs/adr/0033-eight-positions.md). A stopped run
goes on when the command is repeated; what pair number n holds depends on the seed and n alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.ahead import ahead
from training.data import DataConfig, Pair, make_pair, write_pair
from training.degrade import DegradeConfig
from training.methods import read_network
from training.photographs import read_manifest
from training.precision import autocast, fast_dtype
from training.winograd import use_winograd, winograd_helps

Bytes = NDArray[np.uint8]

ABOUT = "about.json"
# A stream of randomness beside those of training/data.py.
PARTS = 3


@torch.no_grad()
def mean_of_positions(upscale: Callable[[Tensor], Tensor], low: Bytes) -> Bytes:
    """(h, w, 3) to (s*h, s*w, 3), uint8.

    ``upscale`` takes (n, 3, h, w) and gives (n, 3, s*h, s*w), RGB in [0, 1].
    """
    upright = torch.from_numpy(low.copy()).permute(2, 0, 1)[None].float() / 255.0
    total = torch.zeros(())
    for turn in range(4):
        turned = torch.rot90(upright, turn, (2, 3))
        both = torch.cat([turned, turned.flip(3)]).contiguous(memory_format=torch.channels_last)
        result, mirrored = upscale(both).float().cpu().chunk(2)
        total = total + torch.rot90(result + mirrored.flip(3), -turn, (2, 3))
    pixels = (total[0] / 8.0).clamp(0.0, 1.0).mul(255.0).round().byte().permute(1, 2, 0)
    return np.ascontiguousarray(pixels.numpy())


def part_of(rng: np.random.Generator, low: Bytes, side: int) -> Bytes:
    """A random part of (h, w, 3), at most ``side`` high and wide."""
    room = [max(length - side, 0) for length in low.shape[:2]]
    top, left = (int(rng.integers(each + 1)) for each in room)
    return low[top : top + side, left : left + side]


def fill(
    folder: Path, about: dict[str, object], pictures: int, pairs: Callable[[Sequence[int]], Iterator[Pair]]
) -> Iterator[int]:
    """Write the pairs up to number ``pictures`` that are not there; yields each number that has been written.

    ``pairs`` makes those of some numbers. Raises ValueError if the folder was begun with another ``about``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / ABOUT
    if note.exists() and (found := json.loads(note.read_text(encoding="ascii"))) != about:
        raise ValueError(f"{folder} was begun with {found}, not {about}")
    note.write_text(json.dumps(about), encoding="ascii")
    missing = [number for number in range(pictures) if not _path(folder, number).exists()]
    for number, pair in zip(missing, pairs(missing), strict=True):
        write_pair(_path(folder, number), pair)
        yield number


def _path(folder: Path, number: int) -> Path:
    return folder / f"{number:06}.npz"


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("weights", type=Path, help="a network that is trained here")
    parser.add_argument("folder", type=Path, help="to fill; training.train takes it as --pairs")
    parser.add_argument(
        "--beside", type=Path, nargs="+", default=[], help="further networks, whose results count as much"
    )
    parser.add_argument("--pictures", type=int, required=True, help="how many the folder is to hold")
    parser.add_argument("--variant", choices=("faithful", "clean"), default="faithful")
    parser.add_argument("--photographs", type=Path, help="folder with a MANIFEST.csv; else all is drawn")
    parser.add_argument("--drawn", type=float, default=DataConfig().drawn, help="share of drawn pictures")
    parser.add_argument(
        "--side", type=int, default=160, help="low pixels of a picture that are used, at most"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--compile", action="store_true", help="faster in float32 on a CPU; needs a C++ compiler"
    )
    options = parser.parse_args(arguments)
    device = torch.device(options.device)
    files = [options.weights, *options.beside]
    networks = [read_network(path).to(device) for path in files]
    scales = {network.config.scale for network in networks}
    if len(scales) > 1:
        parser.error("the networks have not one scale")
    dtype = fast_dtype(device)
    if options.compile and winograd_helps(device, dtype):
        for network in networks:
            use_winograd(network)
    data = DataConfig(
        scale=scales.pop(),
        degrading=DegradeConfig() if options.variant == "clean" else None,
        versions=1,
        photographs=read_manifest(options.photographs) if options.photographs else (),
        drawn=options.drawn,
    )
    about: dict[str, object] = {
        "weights": [hashlib.sha256(path.read_bytes()).hexdigest() for path in files],
        "variant": options.variant,
        "photographs": len(data.photographs),
        "drawn": options.drawn,
        "side": options.side,
        "seed": options.seed,
    }

    def upscale(low: Tensor) -> Tensor:
        with autocast(device, dtype):
            results = [network(low.to(device)).float() for network in networks]
        return torch.stack(results).mean(dim=0)

    # Spawned, since a forked child inherits the locks of the parent's compute threads.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as worker:

        def pairs(numbers: Sequence[int]) -> Iterator[Pair]:
            makes = (partial(make_pair, options.seed, number, data) for number in numbers)
            for number, pair in zip(numbers, ahead(makes, worker, 4), strict=True):
                rng = np.random.default_rng((options.seed, PARTS, number))
                low = part_of(rng, pair.lows[0], options.side)
                yield Pair(mean_of_positions(upscale, low), (low,))

        began = time.monotonic()
        for done, number in enumerate(fill(options.folder, about, options.pictures, pairs), 1):
            if done % 100 == 0:
                print(f"{number + 1} pairs after {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
