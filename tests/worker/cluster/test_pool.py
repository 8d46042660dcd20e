"""Replicas that come and go, a gateway that dies, a head that is silent, and model files on their way."""

import asyncio
import re
import shutil
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import pixelmend
from pixelmend.core.errors import NoWorker
from pixelmend.core.management import management_of
from pixelmend.tasks.options import ImageOptions, UpscaleOptions
from pixelmend.worker.cluster import engine, gateway, remote_job
from pixelmend.worker.commands import LoadModel, PinModel, UnloadModel
from pixelmend.worker.protocol import (
    Cancel,
    Done,
    Failed,
    FromWorker,
    Manage,
    Progress,
    Returned,
    Submit,
    to_worker_codec,
)
from tests.pictures import encoded, photo
from tests.worker.cluster.stand_in import LocalDeployment, ThreadGateway
from tests.worker.test_seam import Bench, on_a_loop

WEIGHTS = Path(pixelmend.__file__).parent / "models" / "weights"


def in_a_cluster(folder: Path, body: Callable[[Bench], Awaitable[None]]) -> None:
    on_a_loop("replicas", folder, body)


def gateway_of(bench: Bench) -> tuple[ThreadGateway, LocalDeployment]:
    assert bench.gateway is not None
    assert bench.gateway.deployment is not None
    return bench.gateway, bench.gateway.deployment


async def there(bench: Bench, work: Coroutine[Any, Any, None]) -> None:
    """On the gateway's loop."""
    future = asyncio.run_coroutine_threadsafe(work, gateway_of(bench)[0].loop)
    await asyncio.wrap_future(future)


async def second_replica(bench: Bench) -> None:
    await there(bench, gateway_of(bench)[1].add("r1"))
    await bench.until(lambda: len(bench.pool.statuses()) == 2 and all(s.ready for s in bench.pool.statuses()))


def test_commands_reach_all_replicas_and_those_that_come_later(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        await bench.pool.execute(PinModel("pixelmend-x2", pinned=True))
        await second_replica(bench)

        def having(model_id: str) -> list[bool]:
            return [
                any(model.id == model_id and model.loaded for model in status.models)
                for status in bench.pool.statuses()
            ]

        await bench.until(lambda: having("pixelmend-x2") == [True, True])
        await bench.pool.execute(LoadModel("pixelmend-x4-clean"))
        assert having("pixelmend-x4-clean") == [True, True]
        node, replica, device = bench.pool.devices()[1].split("/")
        assert (replica, device) == ("r1", "cpu")
        assert node
        assert bench.pool.device_named(f"{node}/r1/cpu") == 1

    in_a_cluster(tmp_path, body)


def test_replica_that_is_taken_away_finishes_what_it_has(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        await second_replica(bench)
        bench.pool.send(1, Submit(bench.task("last", encoded(photo(side_px=300)), side_px=96)))
        await bench.until(lambda: any(isinstance(each, Progress) for each in bench.told))
        gateway_of(bench)[1].retired.add("r1")
        await bench.until(lambda: not bench.pool.send(1, Submit(bench.task("late", b""))))
        assert isinstance(await bench.end_of("last"), Done)
        await bench.until(lambda: len(bench.pool) == 1)
        # What was sent before that was known has come back, and nothing else has.
        assert all(isinstance(each, Progress | Done | Returned) for each in bench.told)
        assert bench.losses == [("it takes no more work", False, False)]
        assert bench.pool.status().ready

    in_a_cluster(tmp_path, body)


def test_replica_that_is_lost_is_told_and_another_takes_its_place(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        bench.pool.send(0, Submit(bench.task("held", encoded(photo(side_px=300)), side_px=96)))
        await bench.until(lambda: any(isinstance(each, Progress) for each in bench.told))
        gateway_of(bench)[1].lost.add("r0")
        await bench.until(lambda: bench.losses)
        assert bench.losses == [("killed by the test", False, False)]
        assert not bench.pool.status().ready
        assert bench.ends_of("held") == []
        assert not list(tmp_path.glob("*.part"))
        await there(bench, gateway_of(bench)[1].add("r1"))
        await bench.until_ready()
        bench.pool.send(0, Submit(bench.task("again", encoded(photo()))))
        assert isinstance(await bench.end_of("again"), Done)

    in_a_cluster(tmp_path, body)


@pytest.mark.parametrize("fault", ["nothing", "taking", "silence after nothing", "silence after taking"])
def test_a_job_that_is_lost_on_its_way_comes_back(
    tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray may lose a request, or its answer, together with a machine; the replica itself is well."""
    monkeypatch.setattr(remote_job, "TAKING_TIMEOUT_S", 1.0)
    monkeypatch.setattr(remote_job, "SILENCE_TIMEOUT_S", 1.0)

    async def body(bench: Bench) -> None:
        gateway_of(bench)[1].faults = [fault]
        job = bench.task("job", encoded(photo()))
        bench.pool.send(0, Submit(job))
        await bench.until(lambda: any(isinstance(each, Returned) for each in bench.told))
        assert bench.ends_of("job") == []
        assert not job.output_path.exists()
        monkeypatch.undo()  # nothing is lost now, however long this machine computes
        bench.pool.send(0, Submit(job))
        assert isinstance(await bench.end_of("job"), Done)
        assert bench.losses == []

    in_a_cluster(tmp_path, body)


def test_a_question_that_is_lost_keeps_no_replica_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "ANSWER_TIMEOUT_S", 1.0)

    async def body(bench: Bench) -> None:
        gateway_of(bench)[1].swallowed = ["hello"]
        await second_replica(bench)
        gateway_of(bench)[1].swallowed = ["report"]
        await bench.until(lambda: bench.losses)
        ((reason, by_itself, crashed),) = bench.losses
        assert re.fullmatch(r"replica r[01] answers nothing within 1 s", reason)
        assert (by_itself, crashed) == (False, False)
        # It was well all the time, so it is found again.
        await bench.until(lambda: all(status.ready for status in bench.pool.statuses()))
        for index in range(2):
            bench.pool.send(index, Submit(bench.task(f"job {index}", encoded(photo()))))
            assert isinstance(await bench.end_of(f"job {index}"), Done)

    in_a_cluster(tmp_path, body)


def test_settings_that_are_lost_on_their_way_are_told_again_until_they_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "ANSWER_TIMEOUT_S", 0.5)
    monkeypatch.setattr(gateway, "REPORT_PERIOD_S", 0.1)

    async def body(bench: Bench) -> None:
        deployment = gateway_of(bench)[1]

        def heard() -> list[float]:
            messages = map(to_worker_codec().decode, deployment.told)
            return [each.management.idle_timeout_minutes for each in messages if isinstance(each, Manage)]

        deployment.told.clear()
        deployment.swallowed = ["tell"]
        bench.pool.manage(replace(management_of(bench.settings), idle_timeout_minutes=11.0))
        await bench.until(lambda: heard() == [11.0])
        deployment.swallowed = ["tell"]
        bench.pool.manage(replace(management_of(bench.settings), idle_timeout_minutes=12.0))
        await bench.until(lambda: not deployment.swallowed)
        bench.pool.manage(replace(management_of(bench.settings), idle_timeout_minutes=13.0))
        await bench.until(lambda: heard() == [11.0, 13.0])
        await asyncio.sleep(1.0)  # long enough for what was lost to be told again
        assert heard() == [11.0, 13.0]

    in_a_cluster(tmp_path, body)


def test_a_job_that_has_nothing_to_tell_is_not_taken_for_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "ALIVE_PERIOD_S", 0.1)
    monkeypatch.setattr(remote_job, "SILENCE_TIMEOUT_S", 1.0)

    async def body(bench: Bench) -> None:
        replica = gateway_of(bench)[1].engines["r0"]
        tell = replica.on_worker_message

        def tell_later(index: int, message: FromWorker) -> None:
            asyncio.get_running_loop().call_later(2.0, tell, index, message)

        monkeypatch.setattr(replica, "on_worker_message", tell_later)
        bench.pool.send(0, Submit(bench.task("job", encoded(photo()))))
        assert isinstance(await bench.end_of("job"), Done)
        assert not any(isinstance(each, Returned) for each in bench.told)

    in_a_cluster(tmp_path, body)


@pytest.mark.parametrize("end", ["done", "lost"])
def test_what_a_worker_writes_for_a_job_that_was_given_up_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    async def body(bench: Bench) -> None:
        replica = gateway_of(bench)[1].engines["r0"]
        spool = replica.folder / "spool"
        ended: list[FromWorker] = []
        tell = replica.on_worker_message

        def look_first(index: int, message: FromWorker) -> None:
            if isinstance(message, Done | Failed):
                ended.append(message)
                (spool / f"{message.task_id}.out.png.part").touch()  # as if written later
                if end == "lost":
                    return  # as if the worker had been killed an instant before
            tell(index, message)

        monkeypatch.setattr(replica, "on_worker_message", look_first)
        bench.pool.send(0, Submit(bench.task("job", encoded(photo()), side_px=64)))
        await bench.until(lambda: any(isinstance(each, Progress) for each in bench.told))
        bench.worker.hold()  # it does not read that the job is cancelled
        bench.pool.send(0, Cancel("job"))
        assert isinstance(await bench.end_of("job"), Failed)
        await bench.until(lambda: ended)
        if end == "lost":
            bench.worker.kill()
        bench.worker.release()
        await asyncio.wait_for(bench.until(lambda: not list(spool.iterdir())), 10)

    in_a_cluster(tmp_path, body)


def test_gateway_that_dies_is_started_again(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        first = gateway_of(bench)[0]
        first.kill()
        await bench.until(lambda: bench.losses)
        assert not bench.pool.status().ready
        assert not bench.pool.status().hopeless
        await bench.until_ready()
        assert bench.gateway is not first
        bench.pool.send(0, Submit(bench.task("again", encoded(photo()))))
        assert isinstance(await bench.end_of("again"), Done)

    in_a_cluster(tmp_path, body)


def test_nothing_is_sent_while_the_head_is_silent(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        deployment = gateway_of(bench)[1]
        deployment.answers = False
        await bench.until(lambda: not bench.pool.status().ready)
        assert "head does not answer" in (bench.pool.status().problem or "")
        assert not bench.pool.status().hopeless
        assert not bench.pool.send(0, Submit(bench.task("early", b"")))
        ready = bench.ready
        deployment.answers = True
        await bench.until_ready()
        assert bench.ready > ready
        assert bench.losses == []

    in_a_cluster(tmp_path, body)


def test_model_file_goes_to_a_replica_once_and_again_when_it_has_changed(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        deployment = gateway_of(bench)[1]
        own = bench.settings.models_dir / "own.safetensors"
        own.parent.mkdir()

        async def result(name: str) -> bytes:
            task = bench.task(name, image)
            own_options = ImageOptions(UpscaleOptions("own"))
            bench.pool.send(0, Submit(replace(task, options=own_options)))
            ended = await bench.end_of(name)
            assert isinstance(ended, Done), ended
            return task.output_path.read_bytes()

        image = encoded(photo(side_px=48))
        shutil.copyfile(WEIGHTS / "pixelmend-x4.safetensors", own)
        sent_bytes = own.stat().st_size
        first = await result("first")
        assert deployment.put_bytes == len(image) + sent_bytes
        assert await result("second") == first
        assert deployment.put_bytes == 2 * len(image) + sent_bytes
        shutil.copyfile(WEIGHTS / "pixelmend-x4-clean.safetensors", own)
        await bench.pool.execute(UnloadModel("own"))
        assert await result("third") != first
        assert deployment.put_bytes == 3 * len(image) + sent_bytes + own.stat().st_size

    in_a_cluster(tmp_path, body)


def test_a_model_file_that_is_lost_on_its_way_is_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(bench: Bench) -> None:
        deployment = gateway_of(bench)[1]
        bench.settings.models_dir.mkdir()
        shutil.copyfile(WEIGHTS / "pixelmend-x4.safetensors", bench.settings.models_dir / "own.safetensors")
        task = bench.task("job", encoded(photo(side_px=48)))
        task = replace(task, options=ImageOptions(UpscaleOptions("own")))
        with monkeypatch.context() as short:
            short.setattr(remote_job, "TAKING_TIMEOUT_S", 1.0)
            deployment.swallowed = ["keep_model_file", "keep_model_file"]
            bench.pool.send(0, Submit(task))
            await bench.until(lambda: any(isinstance(each, Returned) for each in bench.told))
            with pytest.raises(NoWorker, match=r"does not have model file own\.safetensors after 2 s"):
                await bench.pool.execute(LoadModel("own"))
        bench.pool.send(0, Submit(task))
        assert isinstance(await bench.end_of("job"), Done)
        assert bench.losses == []

    in_a_cluster(tmp_path, body)


def test_model_that_is_nowhere_fails_the_job_by_its_name(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        task = bench.task("unknown", encoded(photo()))
        bench.pool.send(0, Submit(replace(task, options=ImageOptions(UpscaleOptions("absent")))))
        ended = await bench.end_of("unknown")
        assert isinstance(ended, Failed)
        assert ended.code == "unknown-model"
        assert "absent" in ended.message

    in_a_cluster(tmp_path, body)
