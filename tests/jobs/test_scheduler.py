"""Admission and order, with a worker that does what the test says."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from pixelmend.core.config import Settings
from pixelmend.core.errors import Draining, InputQuarantined, NoWorker, QueueFull
from pixelmend.core.management import Management
from pixelmend.core.profile import Profile
from pixelmend.core.telemetry import Logger
from pixelmend.jobs.model import Job, JobRecord, JobState
from pixelmend.jobs.scheduler import MAX_LOST_WORKERS, Scheduler
from pixelmend.jobs.throughput import ThroughputEstimator
from pixelmend.models.description import ModelDescription
from pixelmend.tasks.image import ImageReport, ImageTask
from pixelmend.tasks.options import ImageOptions, UpscaleOptions
from pixelmend.worker.memory import WorkerMemory
from pixelmend.worker.pool import WorkerPool
from pixelmend.worker.protocol import Cancel, Done, Failed, Manage, Progress, Returned, Submit, ToWorker
from pixelmend.worker.state import WorkerEvents
from pixelmend.worker.status import WorkerStatus, merged

REPORT = ImageReport("m", "0" * 64, "cpu", "CPU", "float32", 4, 4, 1, "64x64", 0.1, 0.1, 0.1, 0.3, (), ())


class ScriptedWorker:
    """Remembers what it is sent; says only what a test makes it say."""

    def __init__(self) -> None:
        self.alive = True
        self.sent: list[ToWorker] = []
        self.memory = WorkerMemory(self.send, lambda _: None)
        self.model_loads = Counter[str]()
        self.device = "cpu"
        self.state = WorkerStatus(True, 0.0, 0.0, None, (), None, 0, 0)

    def start(self, events: WorkerEvents, index: int) -> None:
        self.events, self.index = events, index

    def status(self) -> WorkerStatus:
        return self.state

    def send(self, message: ToWorker) -> bool:
        if self.alive:
            self.sent.append(message)
        return self.alive

    async def stop(self) -> None:
        self.alive = False

    def manage(self, management: Management) -> None:
        self.send(Manage(management))

    def use_profiles(self, profiles: Mapping[str, Profile]) -> None:
        pass

    def given_on_cpu(self) -> dict[str, str | None]:
        """Why, by job."""
        return {m.task.id: m.task.on_cpu_because for m in self.sent if isinstance(m, Submit)}

    def given(self) -> list[str]:
        return [m.task.id for m in self.sent if isinstance(m, Submit)]

    def die(self, *, by_itself: bool = True, crashed: bool = False) -> None:
        self.alive = False
        self.events.on_worker_lost(self.index, "killed by the test", by_itself=by_itself, crashed=crashed)

    def revive(self) -> None:
        self.alive = True
        self.sent.clear()
        self.events.on_worker_ready(self.index)


class ToldPool(WorkerPool):
    long_jobs_waiting = 0

    def expect_long_jobs(self, waiting: int) -> None:
        self.long_jobs_waiting = waiting


class Bench:
    def __init__(self, workers: int = 1, **settings: object) -> None:
        self.workers = [ScriptedWorker() for _ in range(workers)]
        self.worker = self.workers[0]
        self.discarded: list[str] = []
        chosen = Settings(_env_file=None).model_copy(update=settings)
        self.pool = ToldPool(self.workers)
        self.scheduler = Scheduler(
            chosen,
            self.pool,
            ThroughputEstimator(),
            Logger(),
            discard=lambda job: self.discarded.append(job.id),
        )
        self.scheduler.start()

    def submit(self, name: str, pixels: int = 100, *, durable: bool = False, is_long: bool = False) -> Job:
        task = ImageTask(name, Path(name), Path(name + ".out"), ImageOptions(UpscaleOptions("m")), ())
        record = JobRecord(
            name, "upscale", "", name, f"digest of {name}", task.options, pixels, 0.0, is_async=durable
        )
        job = Job.of(record, task, is_long=is_long)
        self.scheduler.submit(job)
        return job


def on_a_loop(body: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(_call(body), 30))


async def _call(body: Callable[[], Awaitable[None]]) -> None:
    await body()


def test_jobs_start_in_order_and_no_more_than_the_worker_holds() -> None:
    async def body() -> None:
        bench = Bench(worker_jobs=2)
        jobs = [bench.submit(name) for name in "abc"]
        assert bench.worker.given() == ["a", "b"]
        bench.worker.events.on_worker_message(0, Progress("a", 3, 9))
        assert (jobs[0].done_tiles, jobs[0].total_tiles) == (3, 9)
        bench.worker.events.on_worker_message(0, Done("b", REPORT))
        assert bench.worker.given() == ["a", "b", "c"]
        assert [job.state for job in jobs] == [JobState.RUNNING, JobState.DONE, JobState.RUNNING]

    on_a_loop(body)


def test_job_that_a_worker_gives_back_is_the_next_to_start_and_counts_as_never_begun() -> None:
    async def body() -> None:
        bench = Bench(worker_jobs=1)
        first, second = bench.submit("a"), bench.submit("b")
        bench.worker.alive = False
        bench.worker.events.on_worker_message(0, Returned("a"))
        assert [first.state, second.state] == [JobState.QUEUED, JobState.QUEUED]
        assert first.lost_workers == 0
        bench.worker.revive()
        assert bench.worker.given() == ["a"]
        bench.scheduler.cancel(first)
        bench.worker.events.on_worker_message(0, Returned("a"))
        assert bench.worker.given() == ["a", "b"]
        assert second.state is JobState.RUNNING

    on_a_loop(body)


def test_posters_do_not_keep_thumbnails_out_of_the_worker() -> None:
    async def body() -> None:
        bench = Bench(worker_jobs=2)
        for name in ("poster 1", "poster 2", "poster 3"):
            bench.submit(name, pixels=200_000_000)
        for name in ("thumbnail 1", "thumbnail 2", "thumbnail 3"):
            bench.submit(name, pixels=1_000_000)
        assert bench.worker.given() == ["poster 1", "poster 2", "thumbnail 1", "thumbnail 2"]
        # Nor the other way round: thumbnails that never cease do not keep the next poster out.
        bench.worker.events.on_worker_message(0, Done("poster 1", REPORT))
        assert bench.worker.given()[-1] == "poster 3"
        bench.worker.events.on_worker_message(0, Done("thumbnail 2", REPORT))
        assert bench.worker.given()[-1] == "thumbnail 3"

    on_a_loop(body)


def test_nothing_overtakes_a_suspect() -> None:
    async def body() -> None:
        bench = Bench(worker_jobs=2)
        bench.submit("suspect", pixels=200_000_000)
        bench.worker.die()
        bench.worker.revive()
        bench.submit("thumbnail", pixels=1_000_000)
        assert bench.worker.given() == ["suspect"]

    on_a_loop(body)


def test_films_have_a_lane_of_their_own() -> None:
    async def body() -> None:
        bench = Bench(worker_jobs=2, max_queue_pixels=1000)
        for name in ("film 1", "film 2"):
            bench.submit(name, pixels=10**12, is_long=True)
        assert bench.pool.long_jobs_waiting == 1
        jobs = [bench.submit(name) for name in "abc"]
        assert bench.worker.given() == ["film 1", "a", "b"]
        # What a film has left is nothing that an image waits for.
        bench.scheduler._throughput.job_ended(1.0, 100)
        assert (bench.scheduler.eta_s(jobs[0]) or 0) < 60
        assert (bench.scheduler.forecast_s(100) or 0) < 60
        bench.worker.events.on_worker_message(0, Done("film 1", REPORT))
        assert bench.worker.given() == ["film 1", "a", "b", "film 2"]
        assert bench.pool.long_jobs_waiting == 0

    on_a_loop(body)


def test_a_film_in_a_lost_worker_runs_alone_until_it_is_past_that_place() -> None:
    async def body() -> None:
        bench = Bench(worker_jobs=2)
        film = bench.submit("film", pixels=10**12, is_long=True)
        bench.worker.events.on_worker_message(0, Progress("film", 70, 900))
        bench.worker.die()
        bench.worker.revive()
        bench.submit("thumbnail")
        assert bench.worker.given() == ["film"]
        bench.worker.events.on_worker_message(0, Progress("film", 50, 900))  # from its last segment
        bench.worker.events.on_worker_message(0, Progress("film", 70, 900))
        assert bench.worker.given() == ["film"]
        bench.worker.events.on_worker_message(0, Progress("film", 71, 900))
        assert bench.worker.given() == ["film", "thumbnail"]
        assert film.crashes == 0
        # The same place twice is the film's fault.
        for _ in range(2):
            bench.worker.die()
            bench.worker.revive()
            bench.worker.events.on_worker_message(0, Progress("film", 60, 900))
        assert film.state is JobState.FAILED
        assert isinstance(film.error, InputQuarantined)

    on_a_loop(body)


def test_a_suspect_does_not_wait_for_a_film() -> None:
    async def body() -> None:
        bench = Bench(worker_jobs=2)
        bench.submit("suspect")
        bench.worker.die()
        bench.submit("film", pixels=10**12, is_long=True)
        bench.worker.revive()
        assert bench.worker.given() == ["suspect"]
        bench.worker.events.on_worker_message(0, Done("suspect", REPORT))
        assert bench.worker.given() == ["suspect", "film"]
        bench.submit("photo")
        bench.worker.die()
        bench.worker.revive()
        assert bench.worker.given() == ["film"]
        bench.worker.events.on_worker_message(0, Progress("film", 1, 900))
        assert bench.worker.given() == ["film", "photo"]

    on_a_loop(body)


def test_queue_is_bounded_by_jobs_and_by_pixels() -> None:
    async def body() -> None:
        bench = Bench(max_queue_jobs=3, max_queue_pixels=1000)
        bench.submit("huge", pixels=5000)  # one job is always accepted
        with pytest.raises(QueueFull, match=r"5000 .* 10; max_queue_pixels=1000"):
            bench.submit("small", pixels=10)
        bench.worker.events.on_worker_message(0, Done("huge", REPORT))
        for name in "abc":
            bench.submit(name, pixels=300)
        with pytest.raises(QueueFull, match="max_queue_jobs=3"):
            bench.submit("d", pixels=1)
        assert 1 <= bench.scheduler.retry_after_s() <= 900

    on_a_loop(body)


def test_failure_is_rebuilt_from_its_code() -> None:
    async def body() -> None:
        bench = Bench()
        job = bench.submit("a")
        bench.worker.events.on_worker_message(0, Failed("a", "corrupt-image", "it is damaged"))
        assert job.error is not None
        assert (type(job.error).__name__, job.error.message) == ("CorruptImage", "it is damaged")

    on_a_loop(body)


def test_jobs_of_a_lost_worker_run_again_one_at_a_time_and_only_the_guilty_one_is_quarantined() -> None:
    async def body() -> None:
        bench = Bench(worker_jobs=3)
        innocent, deadly, third = (bench.submit(name) for name in ("innocent", "deadly", "third"))
        bench.worker.die()
        bench.worker.revive()
        assert bench.worker.given() == ["innocent"]
        bench.worker.events.on_worker_message(0, Done("innocent", REPORT))
        assert bench.worker.given() == ["innocent", "deadly"]
        bench.worker.die()
        assert isinstance(deadly.error, InputQuarantined)
        bench.worker.revive()
        assert bench.worker.given() == ["third"]
        bench.worker.events.on_worker_message(0, Done("third", REPORT))
        assert (innocent.state, third.state) == (JobState.DONE, JobState.DONE)
        with pytest.raises(InputQuarantined):
            bench.submit("deadly")

    on_a_loop(body)


def test_cancelled_job_keeps_its_place_until_it_is_gone_and_its_late_result_is_thrown_away() -> None:
    async def body() -> None:
        bench = Bench(worker_jobs=1)
        running, waiting = bench.submit("running"), bench.submit("waiting")
        bench.scheduler.cancel(running)
        assert Cancel("running") in bench.worker.sent
        assert running.state is JobState.CANCELLED
        assert running.ended.is_set()  # nothing waits for what cannot be interrupted
        assert bench.worker.given() == ["running"]
        bench.worker.events.on_worker_message(0, Done("running", REPORT))
        assert bench.discarded == ["running"]
        assert running.state is JobState.CANCELLED
        assert bench.worker.given() == ["running", "waiting"]
        bench.scheduler.cancel(waiting)
        assert bench.scheduler.status().running == 0
        last = bench.submit("last")
        bench.worker.events.on_worker_message(0, Failed("waiting", "cancelled", "it was"))
        assert bench.worker.given()[-1] == "last"
        bench.scheduler.cancel(last)
        bench.submit("after")
        bench.worker.die()
        # "waiting" failed once it was told to stop, and what it had begun to write may be there still.
        assert bench.discarded == ["running", "waiting", "last"]
        bench.worker.revive()
        assert bench.worker.given() == ["after"]

    on_a_loop(body)


def test_jobs_wait_for_a_lost_worker_but_not_for_one_that_never_starts() -> None:
    async def body() -> None:
        bench = Bench()
        bench.worker.alive = False
        waiting = bench.submit("a")
        assert waiting.state is JobState.QUEUED
        bench.worker.state = replace(
            bench.worker.state, ready=False, failed_starts=2, problem="no such device"
        )
        bench.worker.events.on_worker_lost(0, "ended with status 3", by_itself=True)
        assert isinstance(waiting.error, NoWorker)
        with pytest.raises(NoWorker, match="no such device"):
            bench.submit("b")

    on_a_loop(body)


def test_workers_that_were_ended_from_here_say_nothing_against_an_input() -> None:
    async def body() -> None:
        bench = Bench()
        job = bench.submit("a")
        for _ in range(MAX_LOST_WORKERS - 1):
            bench.worker.die(by_itself=False)
            assert job.state is JobState.QUEUED
            bench.worker.revive()
            assert bench.worker.given() == ["a"]
        # Nor is it tried for ever: with a worker that hangs each time, its caller is told.
        bench.worker.die(by_itself=False)
        assert isinstance(job.error, NoWorker)
        assert job.error.retryable
        bench.worker.revive()
        bench.submit("a")  # not quarantined

    on_a_loop(body)


def test_two_workers_that_ended_by_themselves_count_whatever_else_was_lost_between() -> None:
    async def body() -> None:
        bench = Bench()
        job = bench.submit("a")
        for by_itself in (True, False, True):
            assert job.error is None
            bench.worker.die(by_itself=by_itself)
            bench.worker.revive()
        assert isinstance(job.error, InputQuarantined)

    on_a_loop(body)


def test_what_was_in_a_worker_that_crashed_computes_on_the_cpu_and_twice_is_the_end() -> None:
    async def body() -> None:
        bench = Bench()
        job = bench.submit("a")
        bench.worker.die(by_itself=False)
        bench.worker.revive()
        assert bench.worker.given_on_cpu() == {"a": None}  # it may try the same again
        bench.worker.die(crashed=True)
        bench.worker.revive()
        assert bench.worker.given_on_cpu() == {"a": "its worker killed by the test"}
        bench.worker.die(crashed=True)
        assert isinstance(job.error, InputQuarantined)
        bench.worker.revive()
        bench.submit("next")
        assert bench.worker.given_on_cpu() == {"next": None}

    on_a_loop(body)


def test_a_film_whose_worker_crashed_goes_on_where_it_was() -> None:
    async def body() -> None:
        bench = Bench()
        bench.submit("film", is_long=True)
        bench.worker.die(crashed=True)
        bench.worker.revive()
        assert bench.worker.given_on_cpu() == {"film": None}

    on_a_loop(body)


def test_a_worker_that_is_ready_is_never_hopeless() -> None:
    for ready in (True, False):
        for failed_starts in range(4):
            status = WorkerStatus(ready, 0.0, 0.0, None, (), None, 3, failed_starts)
            assert status.hopeless == (not ready and failed_starts >= 2)


def test_drain_refuses_new_jobs_waits_for_old_ones_and_tells_the_rest() -> None:
    async def body() -> None:
        bench = Bench(worker_jobs=1)
        first, second = bench.submit("first"), bench.submit("second")
        drain = asyncio.create_task(bench.scheduler.drain(0.2))
        await asyncio.sleep(0)
        with pytest.raises(Draining):
            bench.submit("third")
        bench.worker.events.on_worker_message(0, Done("first", REPORT))
        assert await drain is False
        assert first.state is JobState.DONE
        assert isinstance(second.error, Draining)
        assert await bench.scheduler.drain(0.2) is True

    on_a_loop(body)


def test_drain_leaves_to_the_next_start_what_nobody_waits_for() -> None:
    async def body() -> None:
        bench = Bench(worker_jobs=1)
        running = bench.submit("running", durable=True)
        waited_for, left = bench.submit("waited for", durable=True), bench.submit("left", durable=True)
        waited_for.waiters = 1
        drain = asyncio.create_task(bench.scheduler.drain(0.2))
        await asyncio.sleep(0)
        assert (left.state, left.record.state) == (JobState.SUSPENDED, JobState.QUEUED)
        assert left.ended.is_set()
        assert waited_for.state is not JobState.SUSPENDED
        assert await drain is False
        assert running.state is JobState.SUSPENDED
        assert Cancel("running") in bench.worker.sent
        assert isinstance(waited_for.error, Draining)  # for anyone who waits
        # Its result came too late; its input is needed again.
        bench.worker.events.on_worker_message(0, Done("running", REPORT))
        assert bench.discarded == ["running"]
        assert running.record.state is JobState.RUNNING

    on_a_loop(body)


def test_durable_jobs_wait_even_for_a_worker_that_never_starts() -> None:
    async def body() -> None:
        bench = Bench()
        bench.worker.alive = False
        waiting = bench.submit("a", durable=True)
        bench.worker.state = replace(bench.worker.state, ready=False, failed_starts=2)
        bench.worker.events.on_worker_lost(0, "ended with status 3", by_itself=True)
        assert waiting.state is JobState.QUEUED
        assert waiting.error is None

    on_a_loop(body)


def test_place_and_forecast_follow_what_is_before_a_job() -> None:
    async def body() -> None:
        bench = Bench(worker_jobs=1)
        first, second, third = (bench.submit(name) for name in "abc")
        assert bench.scheduler.eta_s(third) is None  # nothing was measured
        assert bench.scheduler.forecast_s(100) is None
        assert [bench.scheduler.queue_position(job) for job in (first, second, third)] == [None, 1, 2]
        bench.worker.events.on_worker_message(0, Done("a", REPORT))
        assert [bench.scheduler.queue_position(job) for job in (first, second, third)] == [None, None, 1]
        one, two = (bench.scheduler.eta_s(job) for job in (second, third))
        assert one is not None
        assert two == pytest.approx(2 * one)
        assert bench.scheduler.forecast_s(100) == pytest.approx(3 * one)
        assert bench.scheduler.eta_s(first) == 0

    on_a_loop(body)


# --- several devices --------------------------------------------------------------------------------------


def with_models(worker: ScriptedWorker, *loaded: str, room_bytes: int = 0) -> None:
    models = tuple(ModelDescription(name, loaded=True) for name in loaded)
    worker.state = replace(worker.state, models=models, room_bytes=room_bytes)


def test_idle_device_comes_before_a_busy_one_that_has_the_model() -> None:
    async def body() -> None:
        bench = Bench(workers=2)
        first, second = bench.workers
        with_models(second, "m")
        bench.submit("a")
        bench.submit("b", pixels=50)
        bench.submit("c")
        assert (second.given(), first.given()) == (["a"], ["b", "c"])

    on_a_loop(body)


def test_model_that_is_nowhere_open_goes_to_the_device_with_room() -> None:
    async def body() -> None:
        bench = Bench(workers=3)
        for worker, room_bytes in zip(bench.workers, (5, 70, 6), strict=True):
            with_models(worker, room_bytes=room_bytes)
        bench.submit("a")
        assert [worker.given() for worker in bench.workers] == [[], ["a"], []]

    on_a_loop(body)


def test_jobs_of_a_lost_worker_go_to_another_and_its_own_go_on() -> None:
    async def body() -> None:
        bench = Bench(workers=2, worker_jobs=1)
        lost, other = bench.workers
        a, b, c = (bench.submit(name) for name in "abc")
        assert (lost.given(), other.given()) == (["a"], ["b"])
        lost.die()
        assert (a.state, b.state) == (JobState.QUEUED, JobState.RUNNING)
        # A suspect runs alone, so it waits for the other one to be empty, and nothing overtakes it.
        other.events.on_worker_message(0, Done("b", REPORT))
        assert other.given() == ["b", "a"]
        assert c.state is JobState.QUEUED
        lost.revive()
        assert lost.given() == ["c"]
        bench.scheduler.cancel(a)
        assert [message.task_id for message in other.sent if isinstance(message, Cancel)] == ["a"]

    on_a_loop(body)


def test_jobs_of_a_worker_that_never_comes_back_go_to_one_that_is_idle() -> None:
    async def body() -> None:
        bench = Bench(workers=2, worker_jobs=2)
        lost, other = bench.workers
        a, b, c, d = (bench.submit(name) for name in "abcd")
        assert (lost.given(), other.given()) == (["a", "c"], ["b", "d"])
        # The others end before the loss is noticed, so after it no event but this one comes.
        for name in "bd":
            other.events.on_worker_message(1, Done(name, REPORT))
        lost.die()
        assert other.given() == ["b", "d", "a"]
        other.events.on_worker_message(1, Done("a", REPORT))
        other.events.on_worker_message(1, Done("c", REPORT))
        assert [job.state for job in (a, b, c, d)] == [JobState.DONE] * 4

    on_a_loop(body)


def test_service_is_hopeless_only_when_no_device_is_left() -> None:
    async def body() -> None:
        bench = Bench(workers=2)
        broken = WorkerStatus(False, None, 0.0, None, (), "no such device", 0, 5)
        bench.workers[0].state, bench.workers[0].alive = broken, False
        bench.submit("a")
        assert bench.workers[1].given() == ["a"]
        bench.workers[1].state = broken
        with pytest.raises(NoWorker, match="no such device"):
            bench.submit("b")

    on_a_loop(body)


def test_several_workers_look_like_one_with_all_that_they_have() -> None:
    idle = WorkerStatus(True, 1.0, 0.0, None, (ModelDescription("m", scale=4),), None, 1, 0, 10)
    busy = ModelDescription("m", loaded=True, precision="float16", bytes=7, leases=2)
    other = WorkerStatus(True, 0.5, 3.0, None, (busy, ModelDescription("n")), None, 2, 0, 20)
    one = merged([idle, other])
    assert (one.ready, one.heartbeat_age_s, one.step_age_s, one.restarts, one.room_bytes) == (
        True,
        0.5,
        3.0,
        3,
        20,
    )
    model, alone = one.models
    assert (model.loaded, model.scale, model.precision, model.bytes, model.leases) == (
        True, 4, "float16", 7, 2,
    )  # fmt: skip
    assert alone.id == "n"
    dead = WorkerStatus(False, None, 0.0, None, (), "lost", 0, 3)
    assert merged([dead, other]).problem is None
    assert merged([dead, dead]).problem == "lost"
