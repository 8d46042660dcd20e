"""A Vulkan device that runs full, and a driver that crashes: real processes on Mesa's lavapipe, whose memory
is the worker's own, so that a limit on its address space is the end of the device's memory.
"""

import resource
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
import safetensors.torch

from tests.engine.networks import compact_state
from tests.pictures import encoded, photo
from tests.process.exactness import exact_service, require_near
from tests.service import RunningService, running_service

pytestmark = pytest.mark.full

LARGE = encoded(photo(side_px=384, left=0, top=0))
SMALL = encoded(photo(side_px=48))
SPARE_BYTES = 16 << 20
"""A tile of 203x400 px takes some 100 MB of the model `wide`."""


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    folder = tmp_path_factory.mktemp("cpu")
    with exact_service(folder) as running:
        _add_wide(folder)
        yield running


def _add_wide(folder: Path) -> None:
    """Much memory, and little to compute."""
    (folder / "models").mkdir(parents=True, exist_ok=True)
    state = compact_state(features=64, hidden=1, scale=4)
    safetensors.torch.save_file(state, folder / "models/wide.safetensors")


@contextmanager
def _vulkan_service(folder: Path) -> Iterator[RunningService]:
    _add_wide(folder)
    with running_service(folder, device="vulkan:0", tile_px=384, default_model="wide") as running:
        yield running


def _send(service: RunningService, picture: bytes, **fields: object) -> httpx.Response:
    form = {"model": "wide"} | {name: str(value) for name, value in fields.items()}
    headers = {"Cache-Control": "no-cache"}
    answer = service.client.post(
        "/api/upscale", files={"file": picture}, data=form, headers=headers, timeout=200
    )
    assert answer.status_code == 200, answer.text
    return answer


@contextmanager
def _full_device(worker: psutil.Process) -> Iterator[None]:
    """The worker gets SPARE_BYTES and no more."""
    limit = worker.memory_info().vms + SPARE_BYTES
    resource.prlimit(worker.pid, resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        if worker.is_running():
            resource.prlimit(worker.pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)


def _recoveries(service: RunningService) -> float:
    lines = service.client.get("/metrics").text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("pixelmend_recoveries_total{"))


@pytest.mark.drill("a Vulkan device that runs full", times=1)
def test_a_device_that_runs_full_computes_smaller_tiles_and_the_worker_lives(
    tmp_path: Path, exact: RunningService
) -> None:
    with _vulkan_service(tmp_path) as service:
        worker = service.worker()
        # What else the job takes, the stacks of its encoder's threads, is there already.
        _send(service, LARGE, tile=64)
        assert _recoveries(service) == 0
        with _full_device(worker):
            answer = _send(service, LARGE)
        assert answer.headers["x-pixelmend-tiles"] == "2; px=400x203"
        require_near(answer, exact, LARGE, "wide", levels=1)
        notes = answer.headers.get("x-pixelmend-notes", "")
        assert notes == "" or "does not fit" in notes
        deadline_s = time.monotonic() + 60
        while not _recoveries(service):
            assert time.monotonic() < deadline_s, "the device did not run full"
            time.sleep(0.2)
        assert service.worker() == worker
        again = _send(service, SMALL)
        assert again.headers["x-pixelmend-device"].startswith("vulkan")
        assert "x-pixelmend-notes" not in again.headers
        require_near(again, exact, SMALL, "wide", levels=1)
        service.wait_until_ready()


@pytest.mark.drill("a driver that crashes", times=1)
def test_a_job_whose_worker_crashed_is_computed_on_the_cpu_and_the_next_on_the_device(
    tmp_path: Path, exact: RunningService
) -> None:
    with _vulkan_service(tmp_path) as service, ThreadPoolExecutor(1) as sender:
        crashed = service.worker()
        pending = sender.submit(_send, service, LARGE)
        service.wait_until("a running job", running=1)
        time.sleep(0.5)  # into its tiles
        crashed.send_signal(signal.SIGSEGV)
        answer = pending.result()
        assert answer.headers["x-pixelmend-device"].startswith("cpu")
        assert answer.headers["x-pixelmend-notes"] == "computed on the CPU: its worker ended by SIGSEGV"
        require_near(answer, exact, LARGE, "wide", levels=1)
        service.wait_until_ready()
        assert service.worker() != crashed
        again = _send(service, SMALL)
        assert again.headers["x-pixelmend-device"].startswith("vulkan")
        assert "x-pixelmend-notes" not in again.headers
