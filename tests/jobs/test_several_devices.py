"""Which device gets a job, and where jobs go if theirs is lost."""

from dataclasses import replace

import pytest

from pixelmend.core.errors import NoWorker
from pixelmend.jobs.model import JobState
from pixelmend.models.description import ModelDescription
from pixelmend.worker.protocol import Cancel, Done
from pixelmend.worker.status import WorkerStatus, merged
from tests.jobs.bench import REPORT, Bench, ScriptedWorker, on_a_loop


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
