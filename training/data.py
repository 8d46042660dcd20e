"""A stream of training batches cut from a slowly changing pool of photographs and procedural pictures.

What a batch holds depends on the seed and the step alone, so that a resumed run sees what the whole run would
have seen.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from training.ahead import ahead
from training.degrade import DegradeConfig, degrade
from training.leaves import LeafConfig, make_picture
from training.photographs import Photograph
from training.reduction import reduce_image

Bytes = NDArray[np.uint8]

# Streams of randomness derived from one seed.
PICTURES, BATCHES, DEGRADATIONS = 0, 1, 2


@dataclass(frozen=True, slots=True)
class DataConfig:
    """``patch`` is the side of a low-resolution patch.

    Every ``refresh`` steps the oldest of the ``pool`` pictures gives way to a new one. Without ``degrading``
    low pictures are reduced and nothing else; with it there are ``versions`` of each. With ``photographs``
    a share of ``drawn`` is still drawn, for text, line art and flat areas. A patch is the most detailed of
    ``candidates`` places in its picture, so that fewer are of skies. ``workers`` processes make pictures and
    ``cutters`` threads cut batches: a GPU takes a step in less time than one thread takes to cut a batch.
    With ``pairs``, files that ``training.ensemble`` wrote, nothing is drawn, read or reduced besides.
    """

    leaves: LeafConfig = field(default_factory=LeafConfig)
    batch: int = 16
    patch: int = 32
    scale: int = 4
    pool: int = 256
    refresh: int = 20
    workers: int = 2
    cutters: int = 1
    degrading: DegradeConfig | None = None
    versions: int = 6
    photographs: tuple[Photograph, ...] = ()
    drawn: float = 0.15
    candidates: int = 1
    pairs: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """One picture, uint8 RGB: ``high`` (s*h, s*w, 3), and ``lows``, each (h, w, 3), equally likely."""

    high: Bytes
    lows: tuple[Bytes, ...]


def make_pair(seed: int, index: int, config: DataConfig) -> Pair:
    """Picture number ``index`` of the run with ``seed``."""
    if config.pairs:
        rng = np.random.default_rng((seed, PICTURES, index))
        return read_pair(config.pairs[int(rng.integers(len(config.pairs)))], config.scale)
    high = make_high(np.random.default_rng((seed, PICTURES, index)), config)
    if config.degrading is None:
        return Pair(high, (reduce_image(high, config.scale),))
    rng = np.random.default_rng((seed, DEGRADATIONS, index))
    return Pair(
        high, tuple(degrade(rng, high, config.scale, config.degrading) for _ in range(config.versions))
    )


def write_pair(path: Path, pair: Pair) -> None:
    """A pair with one low picture, complete or not at all."""
    (low,) = pair.lows
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez(file, low=low, high=pair.high)
    part.replace(path)


def read_pair(path: Path, scale: int) -> Pair:
    """What ``write_pair`` wrote. Raises ValueError if it is of another scale."""
    with np.load(path) as content:
        low, high = content["low"], content["high"]
    if high.shape[:2] != (scale * low.shape[0], scale * low.shape[1]):
        sizes = f"{low.shape[1]}x{low.shape[0]} and {high.shape[1]}x{high.shape[0]} px"
        raise ValueError(f"{path} has {sizes}, not {scale} times as many a side")
    return Pair(high, (low,))


def make_high(rng: np.random.Generator, config: DataConfig) -> Bytes:
    """A photograph, its sides cut to multiples of the scale, or a drawn picture: (h, w, 3) uint8."""
    if not config.photographs or rng.random() < config.drawn:
        return make_picture(rng, config.leaves)
    image = config.photographs[int(rng.integers(len(config.photographs)))].read()
    height, width = (side // config.scale * config.scale for side in image.shape[:2])
    return image[:height, :width].copy()


def cut_batch(rng: np.random.Generator, pairs: Sequence[Pair], config: DataConfig) -> tuple[Bytes, Bytes]:
    """Random patches, flipped and turned: (n, patch, patch, 3) and (n, s*patch, s*patch, 3), uint8."""
    lows: list[Bytes] = []
    highs: list[Bytes] = []
    for _ in range(config.batch):
        pair = pairs[int(rng.integers(len(pairs)))]
        # No choice, no draw: the batches of the network that ships were drawn so.
        low = pair.lows[int(rng.integers(len(pair.lows))) if len(pair.lows) > 1 else 0]
        top, left = choose_place(rng, low, config)
        turn, mirror = int(rng.integers(4)), bool(rng.integers(2))
        for image, factor, patches in ((low, 1, lows), (pair.high, config.scale, highs)):
            y, x, side = top * factor, left * factor, config.patch * factor
            patch = np.rot90(image[y : y + side, x : x + side], turn)
            patches.append(patch[:, ::-1] if mirror else patch)
    return np.stack(lows), np.stack(highs)


def choose_place(rng: np.random.Generator, low: Bytes, config: DataConfig) -> tuple[int, int]:
    """Top and left of the most detailed of ``candidates`` random patches of ``low``, (h, w, 3) uint8."""
    limits = [side - config.patch + 1 for side in low.shape[:2]]
    places = [(int(rng.integers(limits[0])), int(rng.integers(limits[1]))) for _ in range(config.candidates)]
    if len(places) == 1:
        return places[0]
    side = config.patch
    return max(places, key=lambda place: detail(low[place[0] : place[0] + side, place[1] : place[1] + side]))


def detail(patch: Bytes) -> float:
    """The mean difference between neighbouring pixels of an (h, w, 3) uint8 picture, in green."""
    green = patch[:, :, 1].astype(np.int16)
    return float(np.abs(np.diff(green, axis=0)).mean() + np.abs(np.diff(green, axis=1)).mean())


class PatchStream:
    """Batches by step; pictures are made ahead of need by processes, batches by threads. A context manager.

    At step n the pool holds the pictures from number n // refresh on. Without workers
    they are made on demand.
    """

    def __init__(self, seed: int, config: DataConfig, first_step: int = 0) -> None:
        self._seed = seed
        self._config = config
        self._first_step = first_step
        self._pairs: deque[Pair] = deque(maxlen=config.pool)
        # Spawned, since a forked child inherits the locks of the parent's compute threads.
        context = multiprocessing.get_context("spawn")
        self._workers = ProcessPoolExecutor(config.workers, context) if config.workers else None
        makes = (partial(make_pair, seed, index, config) for index in count(first_step // config.refresh))
        # A drawn picture takes as long as many photographs: the others are not to wait for it.
        self._pictures = (
            ahead(makes, self._workers, 16 * config.workers) if self._workers else (make() for make in makes)
        )
        self._cutters = ThreadPoolExecutor(config.cutters)
        self._batches = ahead(self._cuts(), self._cutters, 2 * config.cutters)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cutters.shutdown(cancel_futures=True)
        if self._workers is not None:
            self._workers.shutdown(cancel_futures=True)

    def batch(self) -> tuple[Bytes, Bytes]:
        """The next step's patches; see ``cut_batch``. The first call waits for the pool to fill."""
        return next(self._batches)

    def _cuts(self) -> Iterator[Callable[[], tuple[Bytes, Bytes]]]:
        """What makes each step's batch, in the order of steps."""
        received = self._first_step // self._config.refresh
        for step in count(self._first_step):
            while received < step // self._config.refresh + self._config.pool:
                self._pairs.append(next(self._pictures))
                received += 1
            rng = np.random.default_rng((self._seed, BATCHES, step))
            yield partial(cut_batch, rng, tuple(self._pairs), self._config)
