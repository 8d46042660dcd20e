"""Shares the device among jobs, tile by tile.

One thread calls `step`. The device has a thread of its own (or several, each with one batch), and so has
every job's encoder, so that finished tiles are stitched and encoded while the next ones are computed, and a
slow encoder holds up its own job only.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import numpy as np

from pixelmend.engine.backends.network import Tiles
from pixelmend.engine.backends.planes import from_planes, to_planes
from pixelmend.engine.recovery.runner import RunResult
from pixelmend.engine.tile_job import TileJob
from pixelmend.imaging.canvas import Pixels
from pixelmend.imaging.edges import read_mirrored
from pixelmend.imaging.tiling import Tile

AGING_SHARE = 0.25
"""The share of a busy device's time that goes to the job that has waited longest, however large it is. So a
poster always makes progress, and a new thumbnail waits for one of its batches at most."""
DEFAULT_BACKGROUND_SHARE = 0.25
"""The share of a busy device's time that goes to films."""

_Batch = list[tuple[TileJob, Tile]]


@dataclass(frozen=True, slots=True)
class _Computed:
    windows: list[Pixels]
    planes: list[int]
    """How many items of the result belong to each tile of the batch."""
    result: RunResult
    device_s: float


@dataclass(frozen=True, slots=True)
class _InFlightBatch:
    """A batch on the device. is_aged: it began with the job that had waited longest."""

    tiles: _Batch
    is_aged: bool
    computed: Future[_Computed]


class TileScheduler:
    """Least remaining work first, with a turn now and then for the job that has waited longest. A batch is
    filled up with tiles of other jobs that can share its forward pass. Films (background jobs) come after all
    others, but for a share of the device's time: background_share, from 0 (only what nothing else uses) to 1.

    max_in_flight: batches that are on the device at one time. One keeps a new job's wait shortest; two let a
    device with memory of its own copy one batch while it computes the other. admit: called by `step` before
    it chooses a batch; it may `add` and `remove` jobs. wake: called from other threads when `has_work` may
    have become true.
    """

    def __init__(
        self,
        batch_tiles: int,
        clock: Callable[[], float] = time.monotonic,
        *,
        max_in_flight: int = 1,
        background_share: float = DEFAULT_BACKGROUND_SHARE,
        admit: Callable[[], None] = lambda: None,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self._batch_tiles = batch_tiles
        self._clock = clock
        self._admit = admit
        self._wake = wake
        self._jobs: dict[str, TileJob] = {}
        self._max_in_flight = max_in_flight
        self._in_flight: deque[_InFlightBatch] = deque()
        self._device = ThreadPoolExecutor(max_in_flight, thread_name_prefix="device")
        self._aging_budget_s = 0.0
        """Device time that other jobs may still have before the turn of the one that has waited longest."""
        self._background_share = background_share
        self._background_budget_s = 0.0
        """Device time that other jobs may still have before the turn of films."""

    def __len__(self) -> int:
        """Jobs that are not finished."""
        return len(self._jobs)

    @property
    def has_work(self) -> bool:
        """Whether `step` would do something."""
        return bool(self._in_flight or self._waiting())

    def add(self, job: TileJob) -> None:
        job.served_s = self._clock()
        self._jobs[job.id] = job

    def remove(self, task_id: str) -> list[TileJob]:
        """Remove what is here (any more) of a cancelled task: the job of that id, or its frames."""
        jobs = [job for job in list(self._jobs.values()) if task_id in (job.id, job.task_id)]
        return [job for job in jobs if self._jobs.pop(job.id, None) is job]

    def remove_all(self) -> list[TileJob]:
        jobs = [self._jobs.pop(job_id, None) for job_id in list(self._jobs)]
        return [job for job in jobs if job is not None]

    def step(self) -> bool:
        """Wait until the device has room, send the next batch there, and deliver the one that was computed.

        A job whose tiles fail is removed, and its `on_failed` called; the other jobs of that batch run again
        without it. Returns False if there was nothing to do.
        """
        completed = None
        if self._in_flight and (len(self._in_flight) == self._max_in_flight or not self._waiting()):
            completed = self._in_flight.popleft()
            wait([completed.computed])
            self._charge(completed)
            self._admit()  # a thumbnail that came meanwhile is computed before the poster's next tile
        waiting = self._waiting()
        if waiting:
            self._launch(waiting)
        if completed is not None:
            self._complete(completed)
        return completed is not None or bool(waiting)

    def run_on_device(self, work: Callable[[], RunResult]) -> RunResult:
        """Run other work on the device when it is free. Called from other threads, which wait for it."""
        return self._device.submit(work).result()

    def close(self) -> None:
        """End the device's threads once they have finished what they are computing."""
        self._device.shutdown(wait=True, cancel_futures=True)

    def _waiting(self) -> list[TileJob]:
        # A copy, because an encoder's thread may remove its job meanwhile.
        return [job for job in list(self._jobs.values()) if job.wants_device]

    def _launch(self, waiting: list[TileJob]) -> None:
        images = sorted(
            (job for job in waiting if not job.is_background), key=lambda job: job.remaining_pixels
        )
        # Frames in the order in which they came: within a film each needs the one before it.
        films = [job for job in waiting if job.is_background]
        # A batch of the only job counts as its turn, so that it has just had one when the next job comes.
        is_aged = len(images) == 1 or self._aging_budget_s <= 0
        if images and is_aged:
            longest = min(images, key=lambda job: job.served_s)
            images.remove(longest)
            images.insert(0, longest)
        is_films_turn = self._background_share > 0 and self._background_budget_s <= 0
        batch = self._fill([*films, *images] if is_films_turn else [*images, *films])
        self._in_flight.append(_InFlightBatch(batch, is_aged, self._device.submit(self._compute, batch)))

    def _charge(self, batch: _InFlightBatch) -> None:
        """Count the device time of a batch: the longest waiting job gets its turn after enough time of
        others.
        """
        if batch.computed.exception() is not None:
            return
        device_s = batch.computed.result().device_s
        if batch.tiles[0][0].is_background:
            share = max(self._background_share, 1e-3)
            self._background_budget_s = device_s * (1 / share - 1)
            return
        self._background_budget_s -= device_s
        self._aging_budget_s = (
            device_s * (1 / AGING_SHARE - 1) if batch.is_aged else self._aging_budget_s - device_s
        )

    def _fill(self, order: Iterable[TileJob]) -> _Batch:
        """A full batch of tiles: of the first job, then of jobs that can share its forward pass."""
        batch: _Batch = []
        room = self._batch_tiles
        now_s = self._clock()
        for job in order:
            if batch and job.batch_key != batch[0][0].batch_key:
                continue
            while job.wants_device and (job.planes_per_tile <= room or not batch):
                batch.append((job, job.tiles[job.next_tile]))
                job.next_tile += 1
                job.served_s = now_s
                room -= job.planes_per_tile
        return batch

    def _compute(self, batch: _Batch) -> _Computed:
        """Called on a thread of the device. Raises what the runner raises."""
        windows = [read_mirrored(job.pixels, tile.window, job.margin_px) for job, tile in batch]
        planes = [to_planes(window) for window in windows]
        started_s = self._clock()
        result = batch[0][0].runner.run(
            np.concatenate([tiles for tiles, _ in planes]), np.concatenate([grey for _, grey in planes])
        )
        return _Computed(windows, [len(tiles) for tiles, _ in planes], result, self._clock() - started_s)

    def _complete(self, batch: _InFlightBatch) -> None:
        error = batch.computed.exception()
        if error is None:
            self._deliver_batch(batch.tiles, batch.computed.result())
            return
        if not isinstance(error, Exception):
            raise error
        jobs = {job.id: job for job, _ in batch.tiles}
        if len(jobs) == 1:
            self._fail(batch.tiles[0][0], error)
            return
        # It is not known whose tile failed, so each job runs alone and only the faulty one fails. Batches are
        # completed in the order in which they were sent, so no later tile of these jobs was delivered yet.
        for job in jobs.values():
            own = [(j, tile) for j, tile in batch.tiles if j is job]
            if self._jobs.get(job.id) is job:
                try:
                    self._deliver_batch(own, self._compute(own))
                except Exception as reason:
                    self._fail(job, reason)

    def _deliver_batch(self, batch: _Batch, computed: _Computed) -> None:
        start = 0
        for (job, tile), window, planes in zip(batch, computed.windows, computed.planes, strict=True):
            own = slice(start, start + planes)
            start = own.stop
            job.device_s += computed.device_s / len(batch)
            job.notes.extend(note for note in computed.result.notes[own] if note and note not in job.notes)
            if self._jobs.get(job.id) is job:  # it may have been cancelled, or have failed earlier
                job.computed += 1
                job.encoder.submit(self._deliver, job, tile, window, computed.result.pixels[own])

    def _deliver(self, job: TileJob, tile: Tile, window: Pixels, planes: Tiles) -> None:
        """Called on the encoder's thread. A failing canvas fails its own job only."""
        if self._jobs.get(job.id) is not job:
            return
        try:
            job.canvas.put(tile, from_planes(window, planes, job.runner.scale))
        except Exception as error:  # from the encoder or the disk
            self._fail(job, error)
            return
        job.written += 1
        job.on_progress(job.written, len(job.tiles))
        if job.written < len(job.tiles):
            self._wake()
        elif self._jobs.pop(job.id, None) is job:
            job.on_finished(job)

    def _fail(self, job: TileJob, error: Exception) -> None:
        if self._jobs.pop(job.id, None) is job:  # true for one thread only
            job.on_failed(job, error)
