"""What becomes of the jobs of workers that were lost, and of inputs that may have killed them."""

from dataclasses import replace

import pytest

from pixelmend.core.errors import InputQuarantined, NoWorker
from pixelmend.jobs.model import JobState
from pixelmend.jobs.scheduler import MAX_LOST_WORKERS
from pixelmend.worker.protocol import Done, Progress
from pixelmend.worker.status import WorkerStatus
from tests.jobs.bench import REPORT, Bench, on_a_loop


def test_nothing_overtakes_a_suspect() -> None:
    async def body() -> None:
        bench = Bench(worker_jobs=2)
        bench.submit("suspect", pixels=200_000_000)
        bench.worker.die()
        bench.worker.revive()
        bench.submit("thumbnail", pixels=1_000_000)
        assert bench.worker.given() == ["suspect"]

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
