"""A service whose workers are replicas in a Ray cluster of three nodes, and what is killed of it by pid.

Every job that was accepted ends exactly once, with the pixels that an undisturbed worker makes.
"""

import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

import pixelmend
from tests.cluster import PYTHON, Nodes, environment, ray_nodes, replicas_of
from tests.engine.test_films import pictures
from tests.pictures import encoded, photo
from tests.service import RunningService, ServiceClient, running_service
from tests.video.clips import Clip, constant_rate, make

pytestmark = [pytest.mark.full, pytest.mark.timeout(280)]

PROGRAM = ("-m", "pixelmend.cli", "serve")
WEIGHTS = Path(pixelmend.__file__).parent / "models" / "weights"
LARGE = [encoded(photo(side_px=360, left=40 + 10 * number, top=60)) for number in range(4)]
"""Seconds of work on one thread; each another job."""


class Cluster:
    """A head that computes nothing, two nodes with a replica each, and a service at its side."""

    def __init__(self, nodes: Nodes, service: RunningService) -> None:
        self.nodes = nodes
        self.service = service

    def replicas(self) -> list[str]:
        """As the service shows those that are ready."""
        shown = self.service.client.get("/api/memory").json()["devices"]
        return [each["device"] for each in shown if each["name"] is not None]

    def wait_for_replicas(self, count: int, timeout_s: float = 90.0) -> None:
        deadline_s = time.monotonic() + timeout_s
        while len(self.replicas()) != count or not self.ready():
            assert time.monotonic() < deadline_s, (
                f"{self.replicas()}, not {count}:\n{self.service.log_excerpt}"
            )
            time.sleep(0.1)

    def ready(self) -> bool:
        return self.service.client.get("/readyz").status_code == 200

    def submit(self, images: Sequence[bytes] = LARGE, **fields: object) -> list[str]:
        """The jobs, computed again if they were before."""
        again = {"Cache-Control": "no-store"}
        answers = [self.service.post_job(data, again, **fields) for data in images]
        assert {answer.status_code for answer in answers} == {202}
        return [answer.json()["id"] for answer in answers]

    def result(self, job_id: str) -> bytes:
        job = self.service.ended_job(job_id, 150.0)
        assert job["state"] == "done", f"{job}\n{self.service.log_excerpt}"
        return self.service.client.get(f"/api/jobs/{job_id}/result").content

    def wait_until_running(self, job_id: str) -> None:
        deadline_s = time.monotonic() + 60.0
        while not self.service.job(job_id)["progress"]["done_tiles"]:
            assert time.monotonic() < deadline_s, f"{self.service.job(job_id)}\n{self.service.log_excerpt}"
            time.sleep(0.05)

    def ends(self) -> int:
        """How many jobs have ended, as the metrics count them."""
        lines = self.service.client.get("/metrics").text.splitlines()
        return sum(
            int(float(line.rpartition(" ")[2])) for line in lines if line.startswith("pixelmend_jobs_total")
        )


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with ray_nodes(tmp_path_factory.mktemp("nodes")) as started:
        started.head()
        for _ in range(2):
            started.worker()
        yield started


@contextmanager
def cluster(nodes: Nodes, folder: Path, **settings: object) -> Iterator[Cluster]:
    chosen: dict[str, object] = {
        "cluster": nodes.address,
        "cluster_min_replicas": 2,
        "cluster_max_replicas": 2,
        "cluster_object_store_bytes": 80_000_000,
        "threads": 1,
        "heartbeat_timeout_s": 30,
        **settings,
    }
    with running_service(
        folder, PROGRAM, PYTHON, environment(nodes.token), wait_for_port_only=True, **chosen
    ) as service:
        running = Cluster(nodes, service)
        running.wait_for_replicas(int(str(chosen["cluster_min_replicas"])))
        yield running


def expected_of(service: ServiceClient) -> list[bytes]:
    """The same images by a worker of this machine, without a cluster."""
    answers = [service.client.post("/api/upscale", files={"file": ("a.png", data)}) for data in LARGE]
    assert [answer.status_code for answer in answers] == [200] * 4
    return [answer.content for answer in answers]


def test_scaling_and_updates_break_no_job(nodes: Nodes, tmp_path: Path, service: ServiceClient) -> None:
    """Replicas are added under load and taken away after it; a model file is replaced between jobs."""
    expected = expected_of(service)
    models = tmp_path / "models"
    models.mkdir()
    own_file = models / "own.safetensors"
    shutil.copyfile(WEIGHTS / "pixelmend-x4.safetensors", own_file)
    with cluster(
        nodes, tmp_path, cluster_min_replicas=1, cluster_target_jobs=1, cluster_downscale_delay_s=4
    ) as running:
        ends = running.ends()
        # One more comes under load, and goes when there is less to do.
        rounds = 0
        while len(running.replicas()) < 2:
            assert rounds < 20, running.service.log_excerpt
            assert [running.result(job) for job in running.submit()] == expected
            rounds += 1
        assert [running.result(job) for job in running.submit()] == expected
        running.wait_for_replicas(1)
        left = re.findall(r'"api", "replica": "(\w+)".*"event": "replica left"', running.service.log)
        assert left
        assert len(left) == len(set(left)), "a replica that had only been new was taken for gone"
        assert "goes back to the queue" not in running.service.log

        # A model file that only the service has, replaced while jobs use it: those end as they began, and the
        # next ones have the new weights, once the old ones are unloaded.
        own = [running.result(job) for job in running.submit(LARGE, model="own")]
        old = running.submit(LARGE[:2], model="own")
        for job in old:
            running.wait_until_running(job)
        shutil.copyfile(WEIGHTS / "pixelmend-x4-clean.safetensors", own_file)
        unloaded = running.service.client.post("/api/models/own/unload")
        assert unloaded.status_code == 200, unloaded.text
        new = running.submit(LARGE[2:], model="own")
        assert [running.result(job) for job in old] == own[:2]
        changed = [running.result(job) for job in new]
        assert [one == other for one, other in zip(changed, own[2:], strict=True)] == [False] * 2
        assert running.ends() - ends == 4 * rounds + 4 + 8


def test_a_film_outlives_its_replica(nodes: Nodes, tmp_path: Path, service: ServiceClient) -> None:
    clip = Clip(constant_rate(200, 1), options={"g": "5"})
    film = make(tmp_path / "film.mkv", clip).read_bytes()
    asked: dict[str, Any] = {
        "task": "upscale-video",
        "model": "pixelmend-x2",
        "format": "mkv",
        "codec": "ffv1",
    }

    def frames_of(answering: ServiceClient, job_id: str) -> Sequence[NDArray[Any]]:
        job = answering.ended_job(job_id, 150.0)
        assert job["state"] == "done", f"{job}\n{answering.log_excerpt}"
        path = tmp_path / "result.mkv"
        path.write_bytes(answering.client.get(f"/api/jobs/{job_id}/result").content)
        return pictures(path)

    expected = frames_of(service, service.post_job(film, **asked).json()["id"])
    assert len(expected) == 200
    with cluster(nodes, tmp_path) as running:
        (job,) = running.submit([film], **asked)
        finished = running.service.folder / "data" / "spool" / f"{job}.parts" / "00000.json"
        deadline_s = time.monotonic() + 60.0
        while not finished.exists():
            assert time.monotonic() < deadline_s, f"{running.service.job(job)}\n{running.service.log_excerpt}"
            time.sleep(0.02)
        killed = next(each for each in replicas_of(nodes) if has_a_film(each))
        killed.kill()
        assert np.array_equal(frames_of(running.service, job), expected)
        assert "goes back to the queue" in running.service.log
        assert not finished.parent.exists()
        assert not any(has_a_film(each) for each in replicas_of(nodes))


def test_a_film_that_waits_brings_a_replica(nodes: Nodes, tmp_path: Path) -> None:
    films = [make(tmp_path / f"{n}.mkv", Clip(constant_rate(2000 + n, 10))).read_bytes() for n in range(2)]
    asked: dict[str, Any] = {"task": "upscale-video", "model": "pixelmend-x2"}
    with cluster(nodes, tmp_path, cluster_min_replicas=1, cluster_downscale_delay_s=20) as running:
        jobs = running.submit(films, **asked)
        running.wait_for_replicas(2)
        for job in jobs:
            running.wait_until_running(job)
        states = [running.service.job(job)["state"] for job in jobs]
        assert states == ["running", "running"], "one ended before the other began: this proves nothing"
        for job in jobs:
            running.service.client.delete(f"/api/jobs/{job}")


def test_a_cluster_of_its_own_ends_with_the_service_and_leaves_nothing(
    tmp_path: Path, service: ServiceClient
) -> None:
    with tempfile.TemporaryDirectory(prefix="pm-") as temporary:  # a short path: Ray has sockets in it
        own = environment(secrets.token_hex(16)) | {"TMPDIR": temporary}
        with running_service(
            tmp_path, PROGRAM, PYTHON, own, wait_for_port_only=True, cluster="local", threads=1
        ) as running:
            running.wait_until_ready()
            assert list(Path(temporary).glob("pixelmend-replica-*"))
            answer = running.client.post("/api/upscale", files={"file": ("a.png", LARGE[0])})
            assert [answer.content] == expected_of(service)[:1]
        assert not list(Path(temporary).glob("pixelmend-replica-*"))


def has_a_film(replica: psutil.Process) -> bool:
    folders = Path(tempfile.gettempdir()).glob(f"pixelmend-replica-{replica.pid}-*")
    return any(list((folder / "spool").iterdir()) for folder in folders)


def test_replicas_nodes_and_the_head_are_killed_and_no_job_is_lost(
    nodes: Nodes, tmp_path: Path, service: ServiceClient
) -> None:
    """The last one here: it leaves other nodes than it found."""
    expected = expected_of(service)
    with cluster(nodes, tmp_path) as running:
        ends = running.ends()

        # A replica, in the middle of jobs.
        jobs = running.submit()
        running.wait_until_running(jobs[0])
        replicas_of(running.nodes)[0].kill()
        assert [running.result(job) for job in jobs] == expected
        running.wait_for_replicas(2)

        # A node, with its replica and all.
        jobs = running.submit()
        running.wait_until_running(jobs[0])
        running.nodes.nodes[1].kill()
        assert [running.result(job) for job in jobs] == expected
        assert "replica left" in running.service.log
        running.wait_for_replicas(1)
        running.nodes.worker()
        running.wait_for_replicas(2)

        # The head, and with it the cluster; another one takes its place.
        jobs = running.submit()
        running.wait_until_running(jobs[0])
        for node in running.nodes.nodes:
            node.kill()
        deadline_s = time.monotonic() + 40.0
        while running.ready():
            assert time.monotonic() < deadline_s
            time.sleep(0.1)
        running.nodes.head()
        for _ in range(2):
            running.nodes.worker()
        running.wait_for_replicas(2, 120.0)
        assert [running.result(job) for job in jobs] == expected
        assert running.ends() - ends == 12
