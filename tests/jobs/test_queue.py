"""The order of the queue, how much of it one owner may have, and thousands of jobs in it."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelmend.api.service import build_service
from pixelmend.core.config import Settings
from pixelmend.core.errors import Draining, PixelmendError, QueueFull
from pixelmend.core.telemetry import Logger
from pixelmend.jobs.model import Job, JobRecord, JobState
from pixelmend.jobs.queue import JobQueue, size_class
from pixelmend.jobs.shares import OVERFLOW, Shares
from pixelmend.jobs.submission import Submission
from pixelmend.tasks.image import ImageTask
from pixelmend.tasks.options import ImageOptions, UpscaleOptions

MANY = 10_000


def job(name: str, owner: str = "", pixels: int = 100) -> Job:
    task = ImageTask(name, Path(name), Path(name), ImageOptions(UpscaleOptions("m")), ())
    return Job.of(JobRecord(name, "upscale", owner, name, name, task.options, pixels, 0.0, False), task)


def names(queue: JobQueue) -> list[str]:
    return [waiting.id for waiting in queue]


def test_owners_take_turns() -> None:
    queue = JobQueue()
    for number in range(4):
        queue.add(job(f"a{number}", "a"))
    first = queue.first(())
    assert first is not None
    queue.take(first)
    queue.add(job("b0", "b"))
    queue.add(job("b1", "b"))
    queue.add(job("c0", "c"))
    assert names(queue) == ["b0", "c0", "a1", "b1", "a2", "a3"]


def test_what_was_put_back_comes_first() -> None:
    queue = JobQueue()
    queue.add(job("waiting"))
    queue.put_back(job("second", pixels=10**6))
    queue.put_back(job("first"))
    assert names(queue) == ["first", "second", "waiting"]
    blocked = {size_class(job("", pixels=100))}
    second = queue.first(blocked)
    assert second is not None
    assert second.id == "second"


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["add", "put back", "take", "discard"]),
            st.sampled_from("abc"),
            st.sampled_from([1, 100, 10**6]),
            st.integers(0, 30),
        ),
        max_size=60,
    )
)
def test_places_and_pixels_agree_with_the_order(steps: list[tuple[str, str, int, int]]) -> None:
    queue = JobQueue()
    for number, (what, owner, pixels, which) in enumerate(steps):
        waiting = list(queue)
        if what in ("add", "put back"):
            (queue.add if what == "add" else queue.put_back)(job(f"{number}", owner, pixels))
        elif waiting:
            chosen = waiting[0] if what == "take" else waiting[which % len(waiting)]
            (queue.take if what == "take" else queue.discard)(chosen)
            assert chosen not in queue
            assert queue.position(chosen) is None
            queue.discard(chosen)  # does nothing
        waiting = list(queue)
        assert len(waiting) == len(queue)
        assert queue.first(()) is (waiting[0] if waiting else None)
        assert queue.pixels == sum(other.pixels for other in waiting)
        for place, other in enumerate(waiting):
            assert queue.position(other) == place + 1
            assert queue.pixels_before(other) == sum(before.pixels for before in waiting[:place])


def test_a_full_queue_has_a_place_for_whoever_has_less_than_a_share() -> None:
    shares = Shares(max_jobs=6, max_pixels=600)
    for number in range(6):
        shares.require_place("a")
        shares.require_pixels(100, "a")
        shares.add(job(f"a{number}", "a"))
    for owner, places in (("a", 0), ("b", 3), ("a", 0), ("c", 2)):
        for number in range(places):
            shares.require_place(owner)
            shares.require_pixels(100, owner)
            shares.add(job(f"{owner}{number}", owner))
        with pytest.raises(QueueFull, match="max_queue_jobs=6"):
            shares.require_place(owner)
        with pytest.raises(QueueFull, match="max_queue_pixels=600"):
            shares.require_pixels(100, owner)
    for number in range(6):
        shares.remove(job(f"a{number}", "a"))
    shares.require_place("a")
    for number in range(100):  # not without an end
        try:
            shares.require_place(f"d{number}")
        except QueueFull:
            break
        shares.add(job("d", f"d{number}"))
    assert shares.jobs <= OVERFLOW * 6


@pytest.mark.full
def test_ten_thousand_are_queued_and_cancelled(tmp_path: Path) -> None:
    """Through the real job service, store and spool, with watchers that ask for positions and forecasts."""
    settings = Settings(
        _env_file=None,
        data_dir=tmp_path / "data",
        models_dir=tmp_path / "models",
        max_queue_jobs=MANY,
        max_queue_pixels=MANY * 100,
        min_free_disk_bytes=0,
        drain_timeout_s=0.1,
    )

    async def body() -> None:
        service = build_service(settings, Logger())
        jobs = service.jobs
        await jobs.start()
        service.jobs.throughput.job_ended(1.0, 100)  # so that forecasts are made
        task = ImageTask("", Path(), Path(), ImageOptions(UpscaleOptions("m")), ())
        whole = Submission(
            task, "upscale", "", 100, "", "1", is_async=False, charge=lambda: None, idempotency_key=None
        )
        leases = []
        for number in range(MANY):
            one = replace(task, id=f"{number}", input_path=service.spool.input_path(f"{number}"))
            submission = replace(
                whole, task=one, owner=f"{number % 7}", digest=f"{number}", idempotency_key=f"{number}"
            )
            leases.append(await jobs.submit(submission))
        found = [lease.job for lease in leases if lease.job is not None]
        assert len(found) == MANY
        places = {jobs.snapshot(job).queue_position for job in found}
        assert places == set(range(1, MANY + 1))
        refused = replace(whole, task=replace(task, id="one more"), owner="0")
        with pytest.raises(PixelmendError, match=f"max_queue_jobs={MANY}"):
            await jobs.submit(refused)
        for job in found[: MANY // 2]:
            assert (await jobs.cancel(job)).state is JobState.CANCELLED
        assert jobs.snapshot(found[MANY // 2]).queue_position is not None
        await asyncio.gather(*(jobs.cancel(job) for job in found[MANY // 2 : -MANY // 4]))
        assert service.scheduler.status().queued == MANY // 4
        # What is left is told that the service goes.
        await jobs.drain()
        assert service.scheduler.status().queued == 0
        assert {type(job.error) for job in found[-MANY // 4 :]} == {Draining}
        await jobs.close()

    asyncio.run(asyncio.wait_for(body(), 200))
