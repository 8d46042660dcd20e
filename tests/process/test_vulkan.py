"""A service on Vulkan: Mesa's lavapipe, which computes on the CPU and is a Vulkan device like any other."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import safetensors.torch

from tests.engine.networks import compact_state
from tests.models.ncnn_networks import rrdb
from tests.pictures import decoded, encoded, photo
from tests.service import RunningService, running_service

pytestmark = pytest.mark.full

PICTURE = encoded(photo(side_px=48))
SIXTEEN_BITS = encoded(photo(side_px=32)[:, :, 0].astype(np.uint16) * 257)


def models_in(folder: Path) -> Path:
    (folder / "models").mkdir(parents=True)
    param, weights, _ = rrdb()
    (folder / "models/deep.param").write_text(param)
    (folder / "models/deep.bin").write_bytes(weights)
    safetensors.torch.save_file(compact_state(), folder / "models/small.safetensors")
    return folder


@pytest.fixture(scope="module")
def vulkan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with running_service(models_in(tmp_path_factory.mktemp("vulkan")), device="vulkan:0") as running:
        yield running


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """The CPU in float32."""
    folder = models_in(tmp_path_factory.mktemp("cpu"))
    with running_service(folder, device="cpu", precision="float32") as running:
        yield running


def upscale(service: RunningService, picture: bytes, model: str) -> httpx.Response:
    answer = service.client.post("/api/upscale", files={"file": picture}, data={"model": model}, timeout=200)
    assert answer.status_code == 200, answer.text
    return answer


@pytest.mark.parametrize("model", ["pixelmend-x4", "deep", "small"])
def test_its_values_are_those_of_float32_within_a_step(
    vulkan: RunningService, exact: RunningService, model: str
) -> None:
    answer = upscale(vulkan, PICTURE, model)
    assert answer.headers["x-pixelmend-device"].startswith("vulkan; llvmpipe")
    assert answer.headers["x-pixelmend-precision"] == "float16"
    assert "x-pixelmend-notes" not in answer.headers
    ours, right = decoded(answer.content), decoded(upscale(exact, PICTURE, model).content)
    assert np.abs(ours.astype(int) - right).max() <= 1


def test_sixteen_bits_are_computed_in_float32(vulkan: RunningService, exact: RunningService) -> None:
    answer = upscale(vulkan, SIXTEEN_BITS, "pixelmend-x4")
    assert answer.headers["x-pixelmend-precision"] == "float32"
    ours = decoded(answer.content).astype(int)
    assert ours.max() > 255
    assert np.abs(ours - decoded(upscale(exact, SIXTEEN_BITS, "pixelmend-x4").content)).max() <= 4


def test_the_service_says_on_what_it_computes(vulkan: RunningService) -> None:
    health = vulkan.client.get("/api/health").json()
    assert (health["status"], health["device"]["type"]) == ("healthy", "vulkan")
    assert health["device"]["name"].startswith("llvmpipe")


def test_a_software_driver_is_not_taken_by_itself(tmp_path: Path) -> None:
    with running_service(tmp_path, device="auto") as running:
        assert running.client.get("/api/health").json()["device"]["type"] == "cpu"


def test_a_device_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with running_service(tmp_path, device="vulkan:7", wait_for_port_only=True) as running:
        deadline_s = time.monotonic() + 60
        while "device=vulkan:7, but there are 1 Vulkan devices" not in running.log:
            assert time.monotonic() < deadline_s, running.log
            time.sleep(0.1)
