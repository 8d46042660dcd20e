"""An image, or a frame of a film, on its way through the device."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Protocol

from pixelmend.engine.backends.planes import planes_per_tile
from pixelmend.engine.recovery.runner import ResilientRunner
from pixelmend.imaging.canvas import Pixels
from pixelmend.imaging.tiling import Tile, TilePlan

BACKLOG_TILES = 8
"""So many computed tiles of a job may wait for its encoder. More of them would only take memory."""


class TileSink(Protocol):
    """Takes the tiles of a job in their order: (window height * scale, window width * scale, C)."""

    def put(self, tile: Tile, output: Pixels) -> None: ...


@dataclass
class TileJob:
    """An image, or a frame of a film, on its way through the device. `canvas` writes to the encoder.

    task_id: of the task that it belongs to, if that has several jobs. some_tiles: those that are computed,
    None for all of the plan. is_background: other jobs come first, but for a share of the device's time.
    margin_px: by how much the plan's image is larger than `pixels` on each side. encoder: one thread; no
    other touches the canvas or calls `on_progress` and `on_finished`. `on_failed` is called on it or on the
    scheduler's thread.
    """

    id: str
    runner: ResilientRunner
    plan: TilePlan
    pixels: Pixels
    canvas: TileSink
    encoder: Executor
    on_progress: Callable[[int, int], None]
    on_finished: Callable[["TileJob"], None]
    on_failed: Callable[["TileJob", Exception], None]
    margin_px: int = 0
    task_id: str = ""
    some_tiles: Sequence[Tile] | None = None
    is_background: bool = False
    next_tile: int = 0
    computed: int = 0
    written: int = 0
    device_s: float = 0.0
    notes: list[str] = field(default_factory=list)
    served_s: float = 0.0
    """When it last got the device, by the scheduler's clock; set by the scheduler."""

    @property
    def planes_per_tile(self) -> int:
        return planes_per_tile(self.pixels.shape[2])

    @property
    def tiles(self) -> TilePlan | Sequence[Tile]:
        """Those that are computed, in the plan's order."""
        return self.plan if self.some_tiles is None else self.some_tiles

    @property
    def remaining_pixels(self) -> int:
        return (len(self.tiles) - self.next_tile) * self.plan.tile.pixels * self.planes_per_tile

    @property
    def wants_device(self) -> bool:
        return self.next_tile < len(self.tiles) and self.computed - self.written < BACKLOG_TILES

    @property
    def batch_key(self) -> tuple[int, int, int, str]:
        """Tiles with equal keys can share a forward pass."""
        tile = self.plan.tile
        return id(self.runner), tile.width, tile.height, str(self.pixels.dtype)
