"""A task's steps are taken in their order, and a step of a test's own works beside the built-in ones."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from pixelmend.core.config import Settings
from pixelmend.core.errors import Cancelled, CorruptImage, InternalError, PixelmendError
from pixelmend.core.telemetry import Logger
from pixelmend.engine.devices.device import Device, cpu_device
from pixelmend.engine.devices.memory import HostMemory
from pixelmend.engine.factory import build_model_cache, build_pipeline
from pixelmend.engine.model_cache.cache import ModelCache
from pixelmend.engine.model_cache.eviction import MemoryLimits
from pixelmend.engine.model_cache.memory_profile import MemoryProfiles
from pixelmend.engine.model_cache.provider import CatalogProvider
from pixelmend.engine.pipeline import Pipeline
from pixelmend.engine.steps.work import Step, Work
from pixelmend.models.catalog import load_catalog
from pixelmend.tasks.image import ImageReport, ImageTask
from pixelmend.tasks.options import FILL, ImageOptions, InpaintOptions, UpscaleOptions
from tests.pictures import decoded, encoded, photo

UPSCALE = ("decode", "plan", "tiles", "encode")
INPAINT = ("decode", "mask", "inpaint")


class Log:
    """What the pipeline has reported, by task; `ended` is released for each end."""

    def __init__(self) -> None:
        self.ends: dict[str, list[ImageReport | Exception]] = {}
        self.parts: dict[str, list[tuple[int, int]]] = {}
        self.ended = threading.Semaphore(0)

    def progress(self, task_id: str, done_tiles: int, total_tiles: int) -> None:
        self.parts.setdefault(task_id, []).append((done_tiles, total_tiles))

    def done(self, task_id: str, report: ImageReport) -> None:
        self.ends.setdefault(task_id, []).append(report)
        self.ended.release()

    def failed(self, task_id: str, error: Exception) -> None:
        self.ends.setdefault(task_id, []).append(error)
        self.ended.release()

    def models_changed(self) -> None:
        pass

    def wait(self, count: int = 1) -> None:
        for _ in range(count):
            assert self.ended.acquire(timeout=120)


class Gate:
    """A step that waits until it is told to go on, and then fails with ``error`` if there is one."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.reached = threading.Semaphore(0)
        self.open = threading.Event()

    def __call__(self, work: Work) -> None:
        self.reached.release()
        assert self.open.wait(120)
        if self.error is not None:
            raise self.error


def negative(work: Work) -> None:
    image = work.decoded
    work.image = replace(image, pixels=255 - image.pixels)


@contextmanager
def running(
    folder: Path, log: Log, gate: Gate | None = None, cache: ModelCache | None = None
) -> Iterator[Pipeline]:
    """cache: None for one on the CPU."""
    settings = Settings(_env_file=None, data_dir=folder / "data", models_dir=folder / "models", device="cpu")
    cache = cache or build_model_cache(settings, cpu_device(), Logger())
    steps: dict[str, Step] = {"negative": negative, "wait": gate or Gate()}
    pipeline = build_pipeline(settings, cache, log, more_steps=steps)
    stop = threading.Event()
    loop = threading.Thread(target=pipeline.run, args=(stop,))
    loop.start()
    try:
        yield pipeline
    finally:
        stop.set()
        pipeline.wake()
        loop.join(120)
        assert not loop.is_alive()


def task(folder: Path, name: str, steps: tuple[str, ...], options: ImageOptions | None = None) -> ImageTask:
    source, mask = folder / f"{name}.in", folder / f"{name}.mask"
    source.write_bytes(encoded(photo(side_px=48)))
    hole = np.zeros((48, 48), np.uint8)
    hole[20:26, 20:30] = 255
    mask.write_bytes(encoded(hole))
    options = options or ImageOptions(UpscaleOptions("pixelmend-x2"), InpaintOptions.of(FILL, 2))
    return ImageTask(name, source, folder / f"{name}.png", options, steps, mask)


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.suffix in (".png", ".part")}


def test_a_step_of_the_tests_own_works_beside_the_built_in_ones(tmp_path: Path) -> None:
    log = Log()
    plain = task(tmp_path, "plain", ("decode", "negative", "encode"), ImageOptions())
    mixed = task(tmp_path, "mixed", (*INPAINT, "negative", "plan", "tiles", "encode"))
    with running(tmp_path, log) as pipeline:
        pipeline.submit(plain)
        pipeline.submit(mixed)
        log.wait(2)
    assert np.array_equal(decoded(plain.output_path.read_bytes()), 255 - photo(side_px=48))
    report = log.ends["plain"][0]
    assert isinstance(report, ImageReport)
    assert (report.model, report.tiles, report.width_px, report.inpainted_by) == ("", 0, 48, None)
    report = log.ends["mixed"][0]
    assert isinstance(report, ImageReport)
    assert (report.model, report.width_px, report.inpainted_by) == ("pixelmend-x2", 96, FILL)
    done, total = log.parts["mixed"][-1]
    assert done == total == 2 * report.tiles


def test_a_task_that_is_to_compute_on_the_cpu_does_not_touch_the_device_and_says_why(tmp_path: Path) -> None:
    absent = Device("vulkan", 7, "a GPU with a driver that crashes", 10**9)
    models = partial(load_catalog, tmp_path / "models")
    provider = CatalogProvider(models, absent, None, MemoryProfiles(None, Logger()), threads=1)
    cache = ModelCache(provider, absent, HostMemory(), MemoryLimits())
    log = Log()
    mixed = task(tmp_path, "mixed", (*INPAINT, "plan", "tiles", "encode"))
    with running(tmp_path, log, cache=cache) as pipeline:
        pipeline.submit(replace(mixed, on_cpu_because="its worker ended by SIGSEGV"))
        log.wait()
    report = log.ends["mixed"][0]
    assert isinstance(report, ImageReport), report
    assert report.device_type == "cpu"
    assert report.notes == ("computed on the CPU: its worker ended by SIGSEGV",)
    assert cache.read()[2] == ()  # for this task alone


def test_each_task_ends_exactly_once_whatever_fails(tmp_path: Path) -> None:
    log = Log()
    unknown = task(tmp_path, "unknown", ("decode", "paint", "encode"))
    broken = task(tmp_path, "broken", UPSCALE)
    broken.input_path.write_bytes(broken.input_path.read_bytes()[:200])
    with running(tmp_path, log) as pipeline:
        for each in (unknown, broken, task(tmp_path, "good", UPSCALE)):
            pipeline.submit(each)
        log.wait(3)
    errors = {name: type(ends[0]) for name, ends in log.ends.items()}
    assert errors == {"unknown": InternalError, "broken": CorruptImage, "good": ImageReport}
    assert all(len(ends) == 1 for ends in log.ends.values())
    assert left_in(tmp_path) == {"good.png"}


@pytest.mark.parametrize("steps", [("wait", *UPSCALE), ("decode", "plan", "tiles", "wait", "encode")])
def test_a_cancelled_task_leaves_nothing(tmp_path: Path, steps: tuple[str, ...]) -> None:
    log, gate = Log(), Gate()
    with running(tmp_path, log, gate) as pipeline:
        pipeline.submit(task(tmp_path, "a", steps))
        assert gate.reached.acquire(timeout=120)
        pipeline.cancel("a")
        gate.open.set()
        log.wait()
        pipeline.submit(task(tmp_path, "a", UPSCALE))  # the same name is free again
        log.wait()
    assert [type(end) for end in log.ends["a"]] == [Cancelled, ImageReport]
    assert left_in(tmp_path) == {"a.png"}


def test_cancelling_what_has_ended_cancels_no_later_task_of_its_name(tmp_path: Path) -> None:
    log = Log()
    with running(tmp_path, log) as pipeline:
        pipeline.submit(task(tmp_path, "a", UPSCALE))
        log.wait()
        pipeline.cancel("a")
        pipeline.submit(task(tmp_path, "a", UPSCALE))
        log.wait()
    assert [type(end) for end in log.ends["a"]] == [ImageReport, ImageReport]


@pytest.mark.parametrize("error", [CorruptImage("a part is missing"), OSError("no such file")])
def test_what_a_cancelled_task_fails_with_is_that_it_was_cancelled(tmp_path: Path, error: Exception) -> None:
    """Its files may be gone by then."""
    log, gate = Log(), Gate(error)
    with running(tmp_path, log, gate) as pipeline:
        pipeline.submit(task(tmp_path, "a", ("wait", *UPSCALE)))
        assert gate.reached.acquire(timeout=120)
        pipeline.cancel("a")
        gate.open.set()
        log.wait()
    assert [type(end) for end in log.ends["a"]] == [Cancelled]


def test_stopping_ends_tasks_in_every_step_and_leaves_no_part(tmp_path: Path) -> None:
    log, gate = Log(), Gate()
    with running(tmp_path, log, gate) as pipeline:
        names = ("decode", "wait", "plan", "tiles", "encode"), ("decode", "plan", "tiles", "wait", "encode")
        for index, steps in enumerate(names):
            pipeline.submit(task(tmp_path, str(index), steps))
            assert gate.reached.acquire(timeout=120)
        threading.Timer(0.2, gate.open.set).start()  # after the loop was told to stop
    assert not {name for name in left_in(tmp_path) if name.endswith(".part")}
    assert not [end for ends in log.ends.values() for end in ends if not isinstance(end, ImageReport)]


def test_execute_raises_what_a_step_raises(tmp_path: Path) -> None:
    log = Log()
    with running(tmp_path, log) as pipeline, pytest.raises(PixelmendError, match="has no step 'paint'"):
        pipeline.execute(task(tmp_path, "a", ("paint",)), 0.0, threading.Event())
    assert not log.ends
