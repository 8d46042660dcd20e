"""A service on Vulkan: Mesa's lavapipe, which computes on the CPU and is a Vulkan device like any other."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pictures import decoded
from tests.process.exactness import (
    MODELS,
    PICTURE,
    SIXTEEN_BITS,
    exact_service,
    models_in,
    require_device_and_precision,
    require_near,
    upscale,
)
from tests.service import RunningService, running_service

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def vulkan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with running_service(models_in(tmp_path_factory.mktemp("vulkan")), device="vulkan:0") as running:
        yield running


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with exact_service(tmp_path_factory.mktemp("cpu")) as running:
        yield running


@pytest.mark.parametrize("model", MODELS)
def test_its_values_are_those_of_float32_within_a_step(
    vulkan: RunningService, exact: RunningService, model: str
) -> None:
    answer = upscale(vulkan, PICTURE, model)
    require_device_and_precision(answer, "vulkan; llvmpipe", "float16")
    assert "x-pixelmend-notes" not in answer.headers
    require_near(answer, exact, PICTURE, model, levels=1)


def test_sixteen_bits_are_computed_in_float32(vulkan: RunningService, exact: RunningService) -> None:
    answer = upscale(vulkan, SIXTEEN_BITS, "pixelmend-x4")
    require_device_and_precision(answer, "vulkan", "float32")
    assert decoded(answer.content).max() > 255
    require_near(answer, exact, SIXTEEN_BITS, "pixelmend-x4", levels=4)


def test_the_service_says_on_what_it_computes(vulkan: RunningService) -> None:
    health = vulkan.client.get("/api/health").json()
    assert (health["status"], health["device"]["type"]) == ("healthy", "vulkan")
    assert health["device"]["name"].startswith("llvmpipe")


def test_a_software_driver_is_not_taken_by_itself(tmp_path: Path) -> None:
    with running_service(tmp_path, device="auto") as running:
        assert running.client.get("/api/health").json()["device"]["type"] == "cpu"


def test_a_device_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with running_service(tmp_path, device="vulkan:7", wait_for_port_only=True) as running:
        running.wait_until_logged("device=vulkan:7, but there are 1 Vulkan devices", timeout_s=60)
