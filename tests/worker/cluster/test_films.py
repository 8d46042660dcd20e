"""Films in a cluster: what is finished of one is at the service, and another replica goes on from it."""

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pixelmend.tasks.image import ImageTask
from pixelmend.worker.cluster import brought, remote_job, transfer
from pixelmend.worker.protocol import Cancel, Done, Failed, Progress, Returned, Submit
from tests.engine.test_films import pictures, task_of
from tests.video.clips import Clip, constant_rate, make
from tests.worker.cluster.test_pool import gateway_of, in_a_cluster, second_replica
from tests.worker.test_seam import Bench, on_a_loop


def film_of(bench: Bench, name: str, seconds: int = 15) -> ImageTask:
    """One frame in a second: a segment has five of them."""
    source = make(bench.folder / f"{name}.mkv", Clip(constant_rate(seconds, 1), options={"g": "5"}))
    task = task_of(source, bench.folder / f"{name}.out.mkv", codec="ffv1")
    return replace(task, id=name, parts_path=bench.folder / f"{name}.parts")


def in_replicas(bench: Bench) -> set[str]:
    """The files that replicas have of jobs."""
    engines = gateway_of(bench)[1].engines.values()
    folders = [engine.folder / name for engine in engines for name in ("spool", "brought")]
    return {path.name for folder in folders for path in folder.iterdir()}


def progress_of(bench: Bench, name: str) -> list[int]:
    return [each.done_tiles for each in bench.told if isinstance(each, Progress) and each.task_id == name]


def test_a_film_goes_on_in_another_replica_from_what_is_finished(tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()

    async def undisturbed(bench: Bench) -> None:
        bench.pool.send(0, Submit(film_of(bench, "film")))
        assert isinstance(await bench.end_of("film"), Done)

    on_a_loop("processes", here, undisturbed)

    async def body(bench: Bench) -> None:
        await second_replica(bench)
        film = film_of(bench, "film")
        assert film.parts_path is not None
        gateway_of(bench)[1].faults = ["after a segment"]
        bench.pool.send(1, Submit(film))
        await bench.until(lambda: bench.losses)
        assert not film.output_path.exists()
        finished = {path.name: path.read_bytes() for path in film.parts_path.iterdir()}
        assert finished.keys() == {"about.json", "00000.mkv", "00000.json"}

        bench.told.clear()
        bench.pool.send(0, Submit(film))
        ended = await bench.end_of("film")
        assert isinstance(ended, Done), ended
        assert progress_of(bench, "film")[0] == 5
        assert ended.report.frames == 15
        assert np.array_equal(pictures(film.output_path), pictures(here / "film.out.mkv"))

    in_a_cluster(tmp_path, body)


def test_a_replica_keeps_nothing_of_a_film_that_has_ended_or_was_cancelled(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        for name in ("done", "cancelled"):
            film = film_of(bench, name, seconds=15 if name == "done" else 300)
            bench.pool.send(0, Submit(film))
            if name == "cancelled":
                await bench.until(lambda: progress_of(bench, "cancelled"))
                bench.pool.send(0, Cancel(name))
            ended = await bench.end_of(name)
            assert isinstance(ended, Done if name == "done" else Failed)
            assert film.output_path.exists() == (name == "done")
            await bench.until(lambda: not in_replicas(bench))

    in_a_cluster(tmp_path, body)


@pytest.mark.full
def test_a_film_is_brought_a_little_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "CHUNK_BYTES", 1000)
    monkeypatch.setattr(remote_job, "BROUGHT_AT_ONCE", 2)

    async def body(bench: Bench) -> None:
        deployment = gateway_of(bench)[1]
        call, sizes = deployment.call, list[int]()

        async def counted(replica: str, method: str, *arguments: object) -> object:
            if method == "bring":
                sizes.append(sum(map(len, arguments[2])))  # type: ignore[call-overload]
            return await call(replica, method, *arguments)

        monkeypatch.setattr(deployment, "call", counted)
        film = film_of(bench, "film")
        bench.pool.send(0, Submit(film))
        assert isinstance(await bench.end_of("film"), Done)
        assert sum(sizes) == film.input_path.stat().st_size
        assert max(sizes) == 2000
        assert len(sizes) > 2

    in_a_cluster(tmp_path, body)


@pytest.mark.full
def test_a_film_that_is_lost_on_its_way_comes_back_and_what_came_of_it_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "CHUNK_BYTES", 1000)
    monkeypatch.setattr(remote_job, "BROUGHT_AT_ONCE", 1)

    async def body(bench: Bench) -> None:
        deployment = gateway_of(bench)[1]
        film = film_of(bench, "film")
        with monkeypatch.context() as short:
            short.setattr(remote_job, "TAKING_TIMEOUT_S", 0.5)
            short.setattr(remote_job, "SLOWEST_BYTES_PER_S", 1e9)
            call, calls = deployment.call, 0

            async def cut_off(replica: str, method: str, *arguments: object) -> object:
                nonlocal calls
                calls += method == "bring"
                if method == "bring" and calls > 2:
                    await asyncio.Event().wait()
                return await call(replica, method, *arguments)

            short.setattr(deployment, "call", cut_off)
            bench.pool.send(0, Submit(film))
            await bench.until(lambda: any(isinstance(each, Returned) for each in bench.told))
        assert bench.ends_of("film") == []
        assert in_replicas(bench)
        monkeypatch.setattr(brought, "GIVEN_UP_AFTER_S", 0.5)
        await bench.until(lambda: not in_replicas(bench))
        bench.pool.send(0, Submit(film))
        assert isinstance(await bench.end_of("film"), Done)
        assert bench.losses == []

    in_a_cluster(tmp_path, body)


def test_replicas_know_how_many_films_run_and_wait(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        def load() -> dict[str, float]:
            return gateway_of(bench)[1].engines["r0"].load()

        assert load() == {"long_jobs": 0, "long_jobs_waiting": 0}
        bench.pool.expect_long_jobs(3)
        await bench.until(lambda: load() == {"long_jobs": 0, "long_jobs_waiting": 3})
        bench.pool.send(0, Submit(film_of(bench, "film")))
        await bench.until(lambda: load() == {"long_jobs": 1, "long_jobs_waiting": 3})
        assert isinstance(await bench.end_of("film"), Done)
        gateway_of(bench)[0].kill()  # the next one hears it as well
        await bench.until(lambda: bench.losses)
        await bench.until_ready()
        await bench.until(lambda: load() == {"long_jobs": 0, "long_jobs_waiting": 3})

    in_a_cluster(tmp_path, body)
