"""Which jobs are admitted, and in which order they start and end."""

import asyncio

import pytest

from pixelmend.core.errors import Draining, QueueFull
from pixelmend.jobs.model import JobState
from pixelmend.worker.protocol import Cancel, Done, Failed, Progress, Returned
from tests.jobs.bench import REPORT, Bench, on_a_loop


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
