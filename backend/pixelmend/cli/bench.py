"""`pixelmend bench`: how fast this machine upscales, by size and device, cold and warm."""

import asyncio
import platform
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from pixelmend.cli.files import FileJob
from pixelmend.cli.local import LocalEngine, local_engine
from pixelmend.cli.outcomes import Made
from pixelmend.cli.request import Request
from pixelmend.core.config import Settings
from pixelmend.core.errors import InvalidParameter, PixelmendError
from pixelmend.core.telemetry import Logger
from pixelmend.core.version import VERSION
from pixelmend.imaging.codec import decode
from pixelmend.imaging.formats import PNG
from pixelmend.imaging.probe import input_limits
from pixelmend.models.catalog import load_catalog
from pixelmend.tasks.upscale import UpscaleTask

MIN_SIZE_PX, MAX_SIZE_PX = 16, 4096


@dataclass(frozen=True, slots=True)
class Plan:
    """devices: as the setting has them; empty for the usual one and the CPU. repeats: warm runs of a row."""

    image: Path
    sizes_px: tuple[int, ...]
    devices: tuple[str, ...]
    repeats: int


@dataclass(frozen=True, slots=True)
class Row:
    """A square of `size_px` on a device.

    start_s: from a new worker process until its model is open. cold_s: the same until the first result's file
    is complete. warm_s: the median of the next ones, each from file to file. megapixels_per_s: of the result,
    warm. speed_up: how many times as fast as this machine's CPU. error: why there are no values.
    """

    size_px: int
    device: str
    name: str
    precision: str = ""
    tiles: int = 0
    start_s: float = 0.0
    cold_s: float = 0.0
    warm_s: float = 0.0
    megapixels_per_s: float = 0.0
    speed_up: float | None = None
    error: str | None = None


def parse_sizes(text: str) -> tuple[int, ...]:
    """Raises InvalidParameter naming the part that is no size."""
    for part in text.split(","):
        if not part.strip().isdecimal() or not MIN_SIZE_PX <= int(part) <= MAX_SIZE_PX:
            raise InvalidParameter(
                f"--sizes {text}: {part!r} is not a number from {MIN_SIZE_PX} to {MAX_SIZE_PX}"
            )
    return tuple(dict.fromkeys(int(part) for part in text.split(",")))


def bench(plan: Plan, settings: Settings, console: Console) -> list[Row]:
    """settings: its default model is the one that is measured. console: for what is being done.

    Raises what is wrong with the image or the model, and NoWorker if a device does not start.
    """
    load_catalog(settings.models_dir).usable(settings.default_model)
    request = Request.here(UpscaleTask(), {"model": settings.default_model}, PNG, settings)
    square = _middle(plan.image, settings)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for size_px in plan.sizes_px:
            file = FileJob(Path(folder) / f"{size_px}.png", Path(folder) / f"{size_px}-result.png")
            _cut(square, size_px).save(file.source)
            files.append((size_px, file))
        todo = list(plan.devices or settings.device.split(","))
        measured = set()
        while todo:
            device = todo.pop(0)
            with console.status(f"measuring {device}"):
                own = settings.model_copy(update={"device": device})
                new = [asyncio.run(_measure(size, file, request, own, plan.repeats)) for size, file in files]
            if new[0].device not in measured:  # auto may be what was named as well
                rows += new
            measured.add(new[0].device)
            if not todo and not plan.devices and "cpu" not in measured:
                todo.append("cpu")
    return compared(rows)


async def _measure(size_px: int, file: FileJob, request: Request, settings: Settings, repeats: int) -> Row:
    """In a worker of its own, so that nothing is open or warm."""
    begun_s = time.perf_counter()
    async with local_engine(settings, Logger(process="cli")) as engine:
        status = await engine.wait_until_ready()
        start_s = time.perf_counter() - begun_s
        assert status.device is not None
        device, name = status.device.id or status.device.type, status.device.name
        try:
            report = await _once(engine, file, request)
            cold_s = time.perf_counter() - begun_s
            warm_s = statistics.median([await _timed(engine, file, request) for _ in range(repeats)])
        except PixelmendError as error:
            return Row(size_px, device, name, error=error.message)
    made_px = report.width_px * report.height_px
    speed = made_px / 1e6 / warm_s
    return Row(size_px, device, name, report.precision, report.tiles, start_s, cold_s, warm_s, speed)


async def _timed(engine: LocalEngine, file: FileJob, request: Request) -> float:
    begun_s = time.perf_counter()
    await _once(engine, file, request)
    return time.perf_counter() - begun_s


async def _once(engine: LocalEngine, file: FileJob, request: Request) -> Made:
    """Computed each time: results are kept and shared by a service, and there is none here."""
    outcome = await engine.process(file, request, lambda _, __: None)
    if outcome.report is None:
        raise outcome.error or PixelmendError("no result")
    return outcome.report


def _middle(path: Path, settings: Settings) -> Image.Image:
    """The largest square in the middle of the image, 8-bit RGB."""
    decoded = decode(path, input_limits(settings), first_frame=True)
    pixels = decoded.pixels if decoded.bits == 8 else (decoded.pixels >> 8).astype(np.uint8)
    colours = pixels[:, :, :3] if decoded.channels >= 3 else np.repeat(pixels[:, :, :1], 3, axis=2)
    height_px, width_px = colours.shape[:2]
    side_px = min(height_px, width_px)
    top, left = (height_px - side_px) // 2, (width_px - side_px) // 2
    return Image.fromarray(np.ascontiguousarray(colours[top : top + side_px, left : left + side_px]))


def _cut(square: Image.Image, size_px: int) -> Image.Image:
    """Its middle; all of it, resized, if it is smaller than that."""
    margin_px = (square.width - size_px) // 2
    if margin_px < 0:
        return square.resize((size_px, size_px), Image.Resampling.BICUBIC)
    return square.crop((margin_px, margin_px, margin_px + size_px, margin_px + size_px))


def compared(rows: Sequence[Row]) -> list[Row]:
    """The same with their speed-ups, if the CPU was measured as well."""
    on_cpu = {row.size_px: row.warm_s for row in rows if row.device == "cpu" and row.error is None}
    compared = []
    for row in rows:
        cpu_s = on_cpu.get(row.size_px)
        speed_up = cpu_s / row.warm_s if cpu_s is not None and row.error is None else None
        compared.append(Row(**(asdict(row) | {"speed_up": speed_up})))
    return compared


def show(rows: Sequence[Row], console: Console) -> None:
    """The table for this machine."""
    numbers = ("cold s", "warm s", "Mpx/s", "speed-up")
    table = Table(
        "size", "device", "precision", caption="cold: a new process, its model opened; Mpx of results"
    )
    for title in numbers:
        table.add_column(title, justify="right")
    for row in rows:
        size, device = f"{row.size_px}x{row.size_px}", f"{row.device} ({row.name})"
        if row.error is not None:
            table.add_row(size, device, "failed", *["-"] * len(numbers))
            continue
        speed_up = "-" if row.speed_up is None else f"{row.speed_up:.1f}"
        values = (f"{row.cold_s:.2f}", f"{row.warm_s:.3f}", f"{row.megapixels_per_s:.2f}", speed_up)
        table.add_row(size, device, row.precision, *values)
    console.print(table)
    for row in rows:
        if row.error is not None:
            failed = f"{row.size_px}x{row.size_px} on {row.device}: {row.error}"
            console.print(failed, soft_wrap=True)


def as_json(plan: Plan, settings: Settings, rows: Sequence[Row]) -> dict[str, Any]:
    """For programs."""
    return {
        "version": VERSION,
        "machine": platform.platform(),
        "image": str(plan.image),
        "model": settings.default_model,
        "repeats": plan.repeats,
        "rows": [asdict(row) for row in rows],
    }
