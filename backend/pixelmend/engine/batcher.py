"""Shares the device among jobs, tile by tile. One thread calls `step`; nothing here blocks."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from pixelmend.engine.planes import from_planes, planes_per_tile, read_window, to_planes
from pixelmend.engine.resilience import ResilientRunner
from pixelmend.imaging.canvas import Canvas, Pixels
from pixelmend.imaging.tiling import Tile, TilePlan

PATIENCE_BATCHES = 4
"""Every so many batches the job that has waited longest for the device goes first, however large it is. So a
poster keeps a quarter of a busy device, and a new thumbnail still waits for one of its batches at most."""


@dataclass
class TileJob:
    """An image on its way through the device. `canvas` writes to the encoder."""

    id: str
    runner: ResilientRunner
    plan: TilePlan
    pixels: Pixels
    canvas: Canvas
    on_progress: Callable[[int, int], None]
    on_finished: Callable[["TileJob"], None]
    on_failed: Callable[["TileJob", Exception], None]
    next_tile: int = 0
    device_s: float = 0.0
    notes: list[str] = field(default_factory=list)
    served_s: float = 0.0
    """When it last got the device, by the batcher's clock; set by the batcher."""

    @property
    def planes_per_tile(self) -> int:
        return planes_per_tile(self.pixels.shape[2])

    @property
    def remaining_pixels(self) -> int:
        return (len(self.plan) - self.next_tile) * self.plan.tile.pixels * self.planes_per_tile

    @property
    def batch_key(self) -> tuple[int, int, int, str]:
        """Tiles with equal keys can share a forward pass."""
        tile = self.plan.tile
        return id(self.runner), tile.width, tile.height, str(self.pixels.dtype)


_Batch = list[tuple[TileJob, Tile]]


class Batcher:
    """Least remaining work first, with a turn for whoever has waited longest; a batch is filled up with
    fitting tiles of other jobs.
    """

    def __init__(self, batch_tiles: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._batch_tiles = batch_tiles
        self._clock = clock
        self._jobs: dict[str, TileJob] = {}
        self._batches = 0

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, job: TileJob) -> None:
        job.served_s = self._clock()
        self._jobs[job.id] = job

    def remove(self, job_id: str) -> TileJob | None:
        """Take a cancelled job out. None where it is not here (any more)."""
        return self._jobs.pop(job_id, None)

    def step(self) -> bool:
        """Run one batch. False where there was nothing to do.

        A job whose tiles fail is taken out and told; the other jobs of that batch run again without it.
        """
        if not self._jobs:
            return False
        self._batches += 1
        batch = self._fill(self._in_order())
        try:
            self._run(batch)
        except Exception as error:
            jobs = {job.id: job for job, _ in batch}
            if len(jobs) == 1:
                self._give_up(batch[0][0], error)
                return True
            # Whose tile it was is not known; run each alone and let the guilty one fail by itself.
            for job, tile in reversed(batch):
                job.next_tile = min(job.next_tile, tile.index)
            for job in jobs.values():
                self._run_alone(job)
        return True

    def _in_order(self) -> list[TileJob]:
        jobs = sorted(self._jobs.values(), key=lambda job: job.remaining_pixels)
        if self._batches % PATIENCE_BATCHES == 0:
            patient = min(jobs, key=lambda job: job.served_s)
            jobs.remove(patient)
            jobs.insert(0, patient)
        return jobs

    def _fill(self, order: Iterable[TileJob]) -> _Batch:
        """Tiles of the first job and of those that can share its forward pass, up to a full batch."""
        batch: _Batch = []
        room = self._batch_tiles
        now_s = self._clock()
        for job in order:
            if batch and job.batch_key != batch[0][0].batch_key:
                continue
            while job.next_tile < len(job.plan) and (job.planes_per_tile <= room or not batch):
                batch.append((job, job.plan[job.next_tile]))
                job.next_tile += 1
                job.served_s = now_s
                room -= job.planes_per_tile
        return batch

    def _run(self, batch: _Batch) -> None:
        """Raises what the runner raises; a failing canvas fails its own job only."""
        windows = [read_window(job.pixels, tile.window) for job, tile in batch]
        planes = [to_planes(window) for window in windows]
        started_s = time.perf_counter()
        result = batch[0][0].runner.run(
            np.concatenate([tiles for tiles, _ in planes]), np.concatenate([grey for _, grey in planes])
        )
        share_s = (time.perf_counter() - started_s) / len(batch)
        start = 0
        for (job, tile), window, (tiles, _) in zip(batch, windows, planes, strict=True):
            own = slice(start, start + len(tiles))
            start = own.stop
            job.device_s += share_s
            job.notes.extend(note for note in result.notes[own] if note and note not in job.notes)
            if self._jobs.get(job.id) is job:  # it may have failed earlier in this batch
                self._deliver(job, tile, from_planes(window, result.pixels[own], job.runner.scale))

    def _deliver(self, job: TileJob, tile: Tile, output: Pixels) -> None:
        try:
            job.canvas.put(tile, output)
        except Exception as error:  # the encoder or the disk behind it
            self._give_up(job, error)
            return
        job.on_progress(tile.index + 1, len(job.plan))
        if tile.index + 1 == len(job.plan):
            self._jobs.pop(job.id, None)
            job.on_finished(job)

    def _run_alone(self, job: TileJob) -> None:
        if self._jobs.get(job.id) is not job:
            return
        try:
            self._run(self._fill([job]))
        except Exception as error:
            self._give_up(job, error)

    def _give_up(self, job: TileJob, error: Exception) -> None:
        self._jobs.pop(job.id, None)
        job.on_failed(job, error)
