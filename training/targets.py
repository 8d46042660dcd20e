"""A teacher's pictures on disk: ``python -m training.targets PHOTOGRAPHS TEACHER CACHE --patches 4000``.

Patches of photographs are degraded as phones and web pages do, and upscaled by the teacher, once. A stopped
run goes on when the command is repeated; what patch number n holds depends on the seed and n alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from training.degrade import EVERYDAY, degrade
from training.photographs import Photograph, read_manifest
from training.teacher import Teacher, read_teacher

Bytes = NDArray[np.uint8]

ABOUT, LOWS, HIGHS = "about.json", "lows.u8", "highs.u8"
# One of so many subjects is kept apart for judging.
HELD_OUT_OF = 24


@dataclass(frozen=True, slots=True)
class CacheConfig:
    """What a cache holds; ``patch`` is the side of a low patch, ``teacher`` the sha256 of its file."""

    teacher: str
    scale: int = 4
    patch: int = 64
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Targets:
    """Patches by number, mapped from disk: (n, p, p, 3) and (n, s*p, s*p, 3) uint8."""

    lows: Bytes
    highs: Bytes


def subject_of(photograph: Photograph) -> str:
    """What crops of one photograph share: the file's name up to the hyphen."""
    return photograph.path.stem.split("-")[0]


def split(photographs: Sequence[Photograph]) -> tuple[tuple[Photograph, ...], tuple[Photograph, ...]]:
    """Those to train on, and those kept apart; crops of one photograph stay together."""
    subjects = sorted({subject_of(photograph) for photograph in photographs})
    apart = set(subjects[HELD_OUT_OF // 2 :: HELD_OUT_OF])
    return (
        tuple(photograph for photograph in photographs if subject_of(photograph) not in apart),
        tuple(photograph for photograph in photographs if subject_of(photograph) in apart),
    )


def low_patch(photographs: Sequence[Photograph], index: int, config: CacheConfig) -> Bytes:
    """Patch number ``index``: (patch, patch, 3) uint8, of a crop twice as wide so that no border is in it."""
    rng = np.random.default_rng((config.seed, index))
    picture = photographs[int(rng.integers(len(photographs)))].read()
    height, width = (min(side // config.scale, 2 * config.patch) * config.scale for side in picture.shape[:2])
    if min(height, width) < config.patch * config.scale:
        raise ValueError(f"a photograph of {picture.shape[1]}x{picture.shape[0]} pixels is too small")
    top = int(rng.integers(picture.shape[0] - height + 1))
    left = int(rng.integers(picture.shape[1] - width + 1))
    low = degrade(rng, picture[top : top + height, left : left + width], config.scale, EVERYDAY)
    # Not always the middle: the blocks of JPEG then fall everywhere.
    y = int(rng.integers(low.shape[0] - config.patch + 1))
    x = int(rng.integers(low.shape[1] - config.patch + 1))
    return low[y : y + config.patch, x : x + config.patch].copy()


def open_targets(folder: Path) -> tuple[CacheConfig, Targets]:
    """What is in the cache so far. Raises ValueError if that is nothing."""
    config = CacheConfig(**json.loads((folder / ABOUT).read_text(encoding="ascii")))
    low_shape, high_shape = _shapes(config)
    count = _count(folder, config)
    if count == 0:
        raise ValueError(f"{folder} holds no patches yet")
    return config, Targets(
        np.memmap(folder / LOWS, np.uint8, "r", shape=(count, *low_shape)),
        np.memmap(folder / HIGHS, np.uint8, "r", shape=(count, *high_shape)),
    )


def cut_targets(rng: np.random.Generator, targets: Targets, batch: int, patch: int) -> tuple[Bytes, Bytes]:
    """Parts of patches, flipped and turned: (n, patch, patch, 3) and (n, s*patch, s*patch, 3) uint8."""
    scale = targets.highs.shape[1] // targets.lows.shape[1]
    room = targets.lows.shape[1] - patch + 1
    lows: list[Bytes] = []
    highs: list[Bytes] = []
    for _ in range(batch):
        index = int(rng.integers(len(targets.lows)))
        top, left = int(rng.integers(room)), int(rng.integers(room))
        turn, mirror = int(rng.integers(4)), bool(rng.integers(2))
        for pictures, factor, parts in ((targets.lows, 1, lows), (targets.highs, scale, highs)):
            y, x, side = top * factor, left * factor, patch * factor
            part = np.rot90(pictures[index, y : y + side, x : x + side], turn)
            parts.append(part[:, ::-1] if mirror else part)
    return np.stack(lows), np.stack(highs)


def fill(
    folder: Path,
    config: CacheConfig,
    photographs: Sequence[Photograph],
    upscale: Callable[[Bytes], Bytes],
    patches: int,
    batch: int = 4,
    report: Callable[[int], None] = lambda count: None,
) -> None:
    """Add to the cache until it holds ``patches``.

    Raises ValueError if it was begun with another ``config``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    about = folder / ABOUT
    if about.exists() and (found := json.loads(about.read_text(encoding="ascii"))) != asdict(config):
        raise ValueError(f"{folder} was begun with {found}, not {asdict(config)}")
    about.write_text(json.dumps(asdict(config)), encoding="ascii")
    count = _count(folder, config)
    with (folder / LOWS).open("ab") as lows, (folder / HIGHS).open("ab") as highs:
        # A stopped run may have left a part of a patch.
        for file, shape in zip((lows, highs), _shapes(config), strict=True):
            file.truncate(count * int(np.prod(shape)))
        while count < patches:
            indices = range(count, min(count + batch, patches))
            low = np.stack([low_patch(photographs, index, config) for index in indices])
            high = upscale(low)
            for file, pixels in ((lows, low), (highs, high)):
                file.write(pixels.tobytes())
                file.flush()
            count += len(indices)
            report(count)


def _shapes(config: CacheConfig) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    side = config.patch * config.scale
    return (config.patch, config.patch, 3), (side, side, 3)


def _count(folder: Path, config: CacheConfig) -> int:
    """How many patches are complete in both files."""
    sizes = [path.stat().st_size if path.exists() else 0 for path in (folder / LOWS, folder / HIGHS)]
    return min(size // int(np.prod(shape)) for size, shape in zip(sizes, _shapes(config), strict=True))


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("photographs", type=Path, help="folder with a MANIFEST.csv")
    parser.add_argument("teacher", type=Path, help="weights that spandrel reads")
    parser.add_argument("cache", type=Path, help="folder to fill")
    parser.add_argument("--patches", type=int, required=True, help="how many the cache is to hold")
    parser.add_argument("--patch", type=int, default=CacheConfig("").patch)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args(arguments)
    teacher: Teacher = read_teacher(options.teacher, torch.device(options.device))
    digest = hashlib.sha256(options.teacher.read_bytes()).hexdigest()
    config = CacheConfig(digest, teacher.scale, options.patch, options.seed)
    training, _ = split(read_manifest(options.photographs))
    began = time.monotonic()

    def report(count: int) -> None:
        if count % (25 * options.batch) == 0:
            print(f"{count} patches after {time.monotonic() - began:.0f} s", flush=True)

    fill(options.cache, config, training, teacher.upscale, options.patches, options.batch, report)


if __name__ == "__main__":
    main()
