"""Sharing the device among jobs. The clock is a number that the tests advance."""

import threading
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pixelmend.core.errors import StorageFull, WrongResult
from pixelmend.core.geometry import Size
from pixelmend.engine.backends.network import NetworkOutput, TileNetwork, Tiles
from pixelmend.engine.recovery.runner import ResilientRunner
from pixelmend.engine.recovery.tiling import Tiling
from pixelmend.engine.tile_job import BACKLOG_TILES, TileJob
from pixelmend.engine.tile_scheduler import AGING_SHARE, TileScheduler
from pixelmend.imaging.canvas import Canvas
from pixelmend.imaging.tiling import plan_tiles
from tests.engine.networks import AtOnce, Faulty, Repeater
from tests.imaging.samples import noise

TILE = 32


class Clock:
    """Goes on by as much with every look at it; `Busy` networks let it go on while they compute."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        self.now_s += 0.001
        return self.now_s


class Busy(Repeater):
    """Takes as long as its tiles have pixels, by the test's clock, and remembers how long in all."""

    def __init__(self, clock: Clock, second_per_pixel: float) -> None:
        super().__init__()
        self._clock = clock
        self._second_per_pixel = second_per_pixel
        self.busy_s = 0.0

    def run(self, tiles: Tiles, grey: NDArray[np.bool_]) -> NetworkOutput:
        spent_s = tiles[..., 0].size * self._second_per_pixel
        self._clock.now_s += spent_s
        self.busy_s += spent_s
        return super().run(tiles, grey)


class Gated(Repeater):
    """Waits inside the device until the test lets it go on."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Semaphore(0)
        self.gate = threading.Semaphore(0)

    def run(self, tiles: Tiles, grey: NDArray[np.bool_]) -> NetworkOutput:
        self.entered.release()
        assert self.gate.acquire(timeout=30)
        return super().run(tiles, grey)


class Log:
    """What the jobs of a test reported, and the pictures they wrote."""

    def __init__(self) -> None:
        self.finished: list[str] = []
        self.failed: dict[str, Exception] = {}
        self.progress: dict[str, list[tuple[int, int]]] = {}
        self.rows: dict[str, list[NDArray[Any]]] = {}

    def picture(self, job_id: str) -> NDArray[Any]:
        return np.concatenate(self.rows[job_id])


def runner_of(*fallback_chain: TileNetwork) -> ResilientRunner:
    def opener(network: TileNetwork) -> Callable[[], TileNetwork]:
        return lambda: network

    return ResilientRunner(Tiling(4, 0, 1, 1), [opener(network) for network in fallback_chain])


def job(
    log: Log,
    runner: ResilientRunner,
    job_id: str,
    pixels: NDArray[Any],
    write_rows: Callable[[Any], None] | None = None,
    encoder: Executor | None = None,
) -> TileJob:
    plan = plan_tiles(Size(pixels.shape[1], pixels.shape[0]), tile_px=TILE, overlap_px=4)
    log.rows[job_id] = []
    log.progress[job_id] = []
    return TileJob(
        id=job_id,
        runner=runner,
        plan=plan,
        pixels=pixels,
        canvas=Canvas(plan, 2, pixels.shape[2], pixels.dtype, write_rows or log.rows[job_id].append),
        encoder=encoder or AtOnce(),
        on_progress=lambda done, total: log.progress[job_id].append((done, total)),
        on_finished=lambda finished: log.finished.append(finished.id),
        on_failed=lambda failed, error: log.failed.update({failed.id: error}),
    )


def big(seed: int = 0) -> NDArray[Any]:
    return noise(150, 150, 3, seed=seed)


def small(seed: int = 0, channels: int = 3) -> NDArray[Any]:
    return noise(TILE, TILE, channels, seed=seed)


def doubled(pixels: NDArray[Any]) -> NDArray[Any]:
    return pixels.repeat(2, axis=0).repeat(2, axis=1)


def drain(scheduler: TileScheduler, limit: int = 1000) -> int:
    """Steps until nothing is left; how many."""
    for count in range(limit):
        if not scheduler.step():
            return count
    raise AssertionError("the scheduler does not come to an end")


def test_an_idle_batcher_says_so() -> None:
    assert not TileScheduler(4).step()


@pytest.mark.parametrize("in_flight", [1, 2])
@pytest.mark.parametrize("batch_tiles", [1, 2, 3, 8])
def test_jobs_that_share_batches_keep_their_pictures(batch_tiles: int, in_flight: int) -> None:
    log, runner, scheduler = (
        Log(),
        runner_of(Repeater()),
        TileScheduler(batch_tiles, Clock(), max_in_flight=in_flight),
    )
    pictures = {
        f"{channels}-{seed}": noise(70, 50 + 9 * seed, channels, seed=seed)
        for channels in (1, 2, 3, 4)
        for seed in (0, 1)
    }
    for name, pixels in pictures.items():
        if pixels.shape[2] in (2, 4):
            pixels[:, :, -1] = pixels[:, :, -1] // 2 + 60  # nothing solid for snap_alpha
        scheduler.add(job(log, runner, name, pixels))
    drain(scheduler)
    assert sorted(log.finished) == sorted(pictures)
    for name, pixels in pictures.items():
        np.testing.assert_array_equal(log.picture(name), doubled(pixels))
        total = log.progress[name][-1][1]
        assert log.progress[name] == [(i + 1, total) for i in range(total)]


def test_tiles_of_several_jobs_fill_one_batch() -> None:
    log, network, scheduler = Log(), Repeater(), TileScheduler(8, Clock())
    runner = runner_of(network)
    for i in range(5):
        scheduler.add(job(log, runner, str(i), small(i)))
    scheduler.add(job(log, runner, "alpha", small(9, channels=4)))
    drain(scheduler)
    assert network.shapes == [(7, TILE, TILE)]


def test_only_equal_models_shapes_and_depths_share_a_batch() -> None:
    log, scheduler = Log(), TileScheduler(8, Clock())
    networks = [Repeater(), Repeater()]
    runners = [runner_of(network) for network in networks]
    scheduler.add(job(log, runners[0], "a", small()))
    scheduler.add(job(log, runners[1], "other model", small()))
    scheduler.add(job(log, runners[0], "other shape", noise(20, 20, 3)))
    scheduler.add(job(log, runners[0], "other depth", noise(TILE, TILE, 3, bits=16)))
    drain(scheduler)
    assert [len(network.shapes) for network in networks] == [3, 1]
    assert len(log.finished) == 4


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5])
def test_films_get_their_share_of_a_busy_device_and_no_more(share: float) -> None:
    log, clock = Log(), Clock()
    film, images = Busy(clock, 3.0), Busy(clock, 1.0)
    scheduler = TileScheduler(1, clock, background_share=share)
    of_film, of_images = runner_of(film), runner_of(images)
    for number in range(400):
        frame = job(log, of_film, f"frame {number}", small())
        frame.is_background = True
        scheduler.add(frame)
        scheduler.add(job(log, of_images, f"thumbnail {number}", small()))
        scheduler.step()
    assert film.busy_s / (film.busy_s + images.busy_s) == pytest.approx(share, abs=0.05)
    # Frames are computed in the order in which they came.
    frames = [name for name in log.finished if name.startswith("frame")]
    assert frames == [f"frame {number}" for number in range(len(frames))]


def test_an_idle_device_belongs_to_the_film() -> None:
    log, network, scheduler = Log(), Repeater(), TileScheduler(4, Clock(), background_share=0.0)
    frame = job(log, runner_of(network), "frame", small())
    frame.is_background = True
    scheduler.add(frame)
    scheduler.step()
    scheduler.step()
    assert log.finished == ["frame"]


def test_a_cancelled_task_takes_all_of_its_frames_along() -> None:
    log, runner, scheduler = Log(), runner_of(Repeater()), TileScheduler(1, Clock())
    for number in range(3):
        frame = job(log, runner, f"film/{number}", small())
        frame.task_id = "film"
        scheduler.add(frame)
    scheduler.add(job(log, runner, "photo", small()))
    assert [each.id for each in scheduler.remove("film")] == ["film/0", "film/1", "film/2"]
    drain(scheduler)
    assert log.finished == ["photo"]


def test_the_shortest_goes_first() -> None:
    log, network, scheduler = Log(), Repeater(), TileScheduler(1, Clock())
    runner = runner_of(network)
    scheduler.add(job(log, runner, "poster", big()))
    scheduler.step()  # the poster's first tile is on its way
    scheduler.add(job(log, runner, "thumbnail", small()))
    scheduler.step()
    scheduler.step()
    assert log.finished == ["thumbnail"]
    assert len(network.shapes) <= 3
    drain(scheduler)
    assert log.finished == ["thumbnail", "poster"]


def test_a_thumbnail_that_comes_while_the_device_is_busy_waits_for_that_tile_alone() -> None:
    log, network = Log(), Gated()
    thumbnails = [job(log, runner_of(network), "thumbnail", small())]

    def admit() -> None:
        while thumbnails:
            scheduler.add(thumbnails.pop())

    scheduler = TileScheduler(1, admit=admit)
    scheduler.add(job(log, runner_of(network), "poster", big()))
    scheduler.step()
    network.gate.release(2)  # for the tile that is there already, and one more
    scheduler.step()
    scheduler.remove("poster")
    scheduler.step()
    assert log.finished == ["thumbnail"]


def test_a_thumbnail_passes_a_poster_however_long_that_has_waited() -> None:
    clock = Clock()
    log, runner, scheduler = Log(), runner_of(Repeater()), TileScheduler(1, clock)
    scheduler.add(job(log, runner, "poster", big()))
    scheduler.step()
    clock.now_s += 3600
    scheduler.add(job(log, runner, "thumbnail", small()))
    for _ in range(3):
        scheduler.step()
    assert log.finished == ["thumbnail"]


def test_posters_finish_although_thumbnails_never_cease() -> None:
    log, runner, scheduler = Log(), runner_of(Repeater()), TileScheduler(1, Clock())
    posters = [job(log, runner, f"poster {i}", big(i)) for i in range(2)]
    for poster in posters:
        scheduler.add(poster)
    steps = 0
    while not {"poster 0", "poster 1"} <= set(log.finished):
        while len(scheduler) < 4:
            scheduler.add(job(log, runner, f"thumbnail {len(log.rows)}", small()))
        scheduler.step()
        steps += 1
        assert steps <= 1.2 / AGING_SHARE * sum(len(p.plan) for p in posters)
    assert len(log.finished) > steps // 2


def test_a_slow_networks_poster_has_its_share_of_the_time_and_no_more() -> None:
    """Were slots counted instead of time, a deep network's tiles would leave nothing to a small one's."""
    clock = Clock()
    log, scheduler = Log(), TileScheduler(1, clock)
    deep, shallow = Busy(clock, 50.0), Busy(clock, 1.0)
    scheduler.add(job(log, runner_of(deep), "poster", noise(600, 600, 3)))
    quick = runner_of(shallow)
    for i in range(400):
        scheduler.add(job(log, quick, f"thumbnail {i}", small()))
        scheduler.step()
    assert deep.busy_s / (deep.busy_s + shallow.busy_s) == pytest.approx(AGING_SHARE, abs=0.15)


def test_a_cancelled_job_vanishes() -> None:
    log, runner, scheduler = Log(), runner_of(Repeater()), TileScheduler(1, Clock())
    scheduler.add(job(log, runner, "poster", big()))
    scheduler.step()
    scheduler.step()
    removed = scheduler.remove("poster")
    assert [each.id for each in removed] == ["poster"]
    assert scheduler.remove("poster") == []
    drain(scheduler)
    assert len(scheduler) == 0
    assert len(log.progress["poster"]) == 1  # what was on the device is not delivered any more
    assert not log.finished
    assert not log.failed


def test_finished_tiles_are_delivered_while_the_next_are_computed() -> None:
    log, network = Log(), Gated()
    scheduler = TileScheduler(1)
    wide = noise(TILE, 2 * TILE, 3)
    delivered_while_busy: list[int] = []

    def observe(done: int, total: int) -> None:
        if done == 1:  # the second tile has to be inside the device by now, and is not let out before
            assert network.entered.acquire(timeout=30)
            delivered_while_busy.append(done)
            network.gate.release(total)

    one = job(log, runner_of(network), "one", wide)
    one.on_progress = observe
    scheduler.add(one)
    network.gate.release()
    scheduler.step()
    assert network.entered.acquire(timeout=30)
    drain(scheduler)
    assert delivered_while_busy == [1]
    assert log.finished == ["one"]
    np.testing.assert_array_equal(log.picture("one"), doubled(wide))


def test_a_slow_encoder_holds_up_its_own_job_only() -> None:
    log, network = Log(), Repeater()
    woken = threading.Event()
    scheduler = TileScheduler(1, wake=woken.set)
    entered, gate = threading.Event(), threading.Event()
    rows: list[NDArray[Any]] = []

    def write_slowly(some: NDArray[Any]) -> None:
        entered.set()
        assert gate.wait(timeout=30)
        rows.append(some)

    wide = noise(3 * TILE, 3 * TILE, 3)
    with ThreadPoolExecutor(1) as encoder:
        slow = job(log, runner_of(network), "slow", wide, write_slowly, encoder)
        scheduler.add(slow)
        while not entered.is_set():
            scheduler.step()
        while scheduler.step():
            pass
        # It got as far as it may, with what was on the device, and that is free for others.
        assert BACKLOG_TILES <= slow.computed - slow.written <= BACKLOG_TILES + 1
        assert slow.computed < len(slow.plan)
        assert not scheduler.has_work
        scheduler.add(job(log, runner_of(network), "quick", small()))
        while scheduler.step():
            pass
        assert log.finished == ["quick"]
        woken.clear()
        gate.set()
        assert woken.wait(timeout=30)  # there is room again, and anyone who waits for work hears of it
        while "slow" not in log.finished:
            scheduler.step()
            encoder.submit(lambda: None).result(30)
    np.testing.assert_array_equal(np.concatenate(rows), doubled(wide))


def test_an_encoder_that_fails_in_its_thread_fails_its_job_once() -> None:
    log, scheduler = Log(), TileScheduler(4)

    def full(rows: Any) -> None:
        raise StorageFull("no room")

    with ThreadPoolExecutor(1) as encoder:
        scheduler.add(job(log, runner_of(Repeater()), "full", noise(200, 40, 3), full, encoder))
        while scheduler.step():
            pass
        encoder.shutdown(wait=True)
    assert isinstance(log.failed["full"], StorageFull)
    assert len(scheduler) == 0


def test_two_batches_may_be_on_the_device_at_once() -> None:
    log, network = Log(), Gated()
    scheduler = TileScheduler(1, max_in_flight=2)
    scheduler.add(job(log, runner_of(network), "poster", big()))
    scheduler.step()
    scheduler.step()
    for _ in range(2):
        assert network.entered.acquire(timeout=30)
    network.gate.release(1000)
    drain(scheduler)
    assert log.finished == ["poster"]
    np.testing.assert_array_equal(log.picture("poster"), doubled(big()))


def bright(tile: Tiles) -> bool:
    return bool(tile.min() == 255)


def test_a_failing_job_does_not_sink_the_others() -> None:
    log, scheduler = Log(), TileScheduler(8, Clock())
    runner = runner_of(Faulty("only", "not finite", bright))
    pictures = [small(1), np.full((TILE, TILE, 3), 255, np.uint8), small(2)]
    for i, pixels in enumerate(pictures):
        scheduler.add(job(log, runner, str(i), pixels))
    drain(scheduler)
    assert log.finished == ["0", "2"]
    assert list(log.failed) == ["1"]
    assert isinstance(log.failed["1"], WrongResult)
    for i in (0, 2):
        np.testing.assert_array_equal(log.picture(str(i)), doubled(pictures[i]))


class Crashing(Repeater):
    """Has a bug that white tiles bring out."""

    def run(self, tiles: Tiles, grey: NDArray[np.bool_]) -> NetworkOutput:
        if any(bright(tile) for tile in tiles):
            raise ZeroDivisionError
        return super().run(tiles, grey)


@pytest.mark.parametrize("in_flight", [1, 2])
def test_a_bug_that_one_job_brings_out_fails_that_job_only(in_flight: int) -> None:
    log, runner, scheduler = Log(), runner_of(Crashing()), TileScheduler(8, Clock(), max_in_flight=in_flight)
    white = noise(70, 70, 3)
    white[:32, :32] = 255
    scheduler.add(job(log, runner, "white", white))
    scheduler.add(job(log, runner, "good", noise(70, 70, 3, seed=1)))
    drain(scheduler)
    assert log.finished == ["good"]
    assert isinstance(log.failed["white"], ZeroDivisionError)
    np.testing.assert_array_equal(log.picture("good"), doubled(noise(70, 70, 3, seed=1)))


def test_a_disk_that_is_full_for_one_job_is_not_full_for_the_others() -> None:
    def full(rows: Any) -> None:
        raise StorageFull("no room")

    log, runner, scheduler = Log(), runner_of(Repeater()), TileScheduler(8, Clock())
    scheduler.add(job(log, runner, "full", noise(70, 40, 3), full))
    scheduler.add(job(log, runner, "good", noise(70, 40, 3, seed=1)))
    drain(scheduler)
    assert log.finished == ["good"]
    assert isinstance(log.failed["full"], StorageFull)


def test_a_note_goes_to_the_job_whose_tile_it_was() -> None:
    log, scheduler = Log(), TileScheduler(8, Clock())
    runner = runner_of(Faulty("float16 on GPU", "not finite", bright), Repeater(label="float32 on CPU"))
    jobs = [
        job(log, runner, "redone", np.full((70, 70, 3), 255, np.uint8)),
        job(log, runner, "clean", noise(70, 70, 3)),
    ]
    for one in jobs:
        scheduler.add(one)
    drain(scheduler)
    assert jobs[0].notes == ["tile redone in float32 on CPU: not finite in float16 on GPU"]
    assert jobs[1].notes == []
    assert (log.picture("redone") == 255).all()


def test_the_devices_time_is_shared_out() -> None:
    log, runner, scheduler = Log(), runner_of(Repeater()), TileScheduler(2, Clock())
    jobs = [job(log, runner, str(i), small(i)) for i in range(2)]
    for one in jobs:
        scheduler.add(one)
    drain(scheduler)
    assert jobs[0].device_s == jobs[1].device_s > 0
