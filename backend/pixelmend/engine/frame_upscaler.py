"""Upscales the frames of a film, tile by tile on the device that all jobs share."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import cast

import numpy as np

from pixelmend.core.geometry import Size
from pixelmend.engine.device_loop import DeviceLoop
from pixelmend.engine.model_cache.open_models import OpenModel
from pixelmend.engine.tile_job import TileJob
from pixelmend.imaging.canvas import Canvas, Pixels
from pixelmend.imaging.edges import MarginCropWriter, read_mirrored
from pixelmend.imaging.tiling import Tile, TilePlan


class _TileOutputs:
    """Keeps what was computed of a frame; its rows are stitched when the frame before it is complete."""

    def __init__(self) -> None:
        self.by_tile: dict[int, Pixels] = {}

    def put(self, tile: Tile, output: Pixels) -> None:
        self.by_tile[tile.index] = output


@dataclass(frozen=True, slots=True)
class PendingFrame:
    """outputs: grows until `finished`. job: None if no tile of the frame has to be computed."""

    outputs: _TileOutputs
    finished: Future[None]
    job: TileJob | None


class FrameUpscaler:
    """Tiles whose input equals that of the frame before are not computed: a network gives equal outputs for
    equal inputs, so the result is the same. Belongs to one thread.

    task_id: by which the loop cancels all of its tiles. encoder: one thread, on which tiles are taken over.
    computed_tiles, reused_tiles, device_s: so far.
    """

    def __init__(
        self,
        loop: DeviceLoop,
        model: OpenModel,
        plan: TilePlan,
        margin_px: int,
        task_id: str,
        encoder: Executor,
        cancelled: Callable[[], bool],
    ) -> None:
        self._loop = loop
        self._model = model
        self._plan = plan
        self._margin_px = margin_px
        self._task_id = task_id
        self._encoder = encoder
        self._cancelled = cancelled
        self._begun: Pixels | None = None
        self._complete: Pixels | None = None
        self._outputs: dict[int, Pixels] = {}
        self._number = 0
        self.computed_tiles = 0
        self.reused_tiles = 0
        self.device_s = 0.0
        self.notes: list[str] = []

    def begin(self, pixels: Pixels) -> PendingFrame:
        """Send the tiles that have changed to the device. pixels: (H, W, C), of the plan's size."""
        changed = self._changed_tiles(pixels)
        self._begun = pixels
        self._number += 1
        self.computed_tiles += len(changed)
        self.reused_tiles += len(self._plan) - len(changed)
        outputs, finished = _TileOutputs(), Future[None]()
        if not changed:
            finished.set_result(None)
            return PendingFrame(outputs, finished, None)
        job = TileJob(
            id=f"{self._task_id}/{self._number}",
            runner=self._model.runner,
            plan=self._plan,
            pixels=pixels,
            canvas=outputs,
            encoder=self._encoder,
            on_progress=lambda done, total: None,
            on_finished=lambda job: finished.set_result(None),
            on_failed=lambda job, error: finished.set_exception(error),
            margin_px=self._margin_px,
            some_tiles=changed,
            task_id=self._task_id,
            is_background=True,
        )
        self._loop.add(job, self._cancelled)
        return PendingFrame(outputs, finished, job)

    def complete(self, pending: PendingFrame) -> Pixels:
        """The upscaled frame, (H * scale, W * scale, C). Frames are completed in the order they were begun.

        Raises what their tiles failed with.
        """
        pending.finished.result()
        job = pending.job
        if job is None:
            assert self._complete is not None, "the first frame's tiles are all computed"
            return self._complete
        self.device_s += job.device_s
        self.notes += [note for note in job.notes if note not in self.notes]
        self._outputs = {**self._outputs, **pending.outputs.by_tile}
        self._complete = self._stitched(job.pixels)
        return self._complete

    def _changed_tiles(self, pixels: Pixels) -> Sequence[Tile]:
        before = self._begun
        if before is None:
            return list(self._plan)
        return [
            tile
            for tile in self._plan
            if not np.array_equal(
                read_mirrored(before, tile.window, self._margin_px),
                read_mirrored(pixels, tile.window, self._margin_px),
            )
        ]

    def _stitched(self, pixels: Pixels) -> Pixels:
        scale, (height, width, channels) = self._model.model.scale, pixels.shape
        rows: list[Pixels] = []
        size = Size(width, height).scale(scale)
        cropped = MarginCropWriter(rows.append, size, self._margin_px * scale)
        canvas = Canvas(self._plan, scale, channels, pixels.dtype, cropped)
        for tile in self._plan:
            canvas.put(tile, self._outputs[tile.index])
        return cast("Pixels", np.concatenate(rows))
