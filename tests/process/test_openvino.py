"""A service on a device of OpenVINO's: by the CPU's plugin, which takes the way that Intel's GPUs take."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import safetensors.torch
from spandrel.architectures.SPAN import SPAN

from tests.pictures import decoded, encoded, photo
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
def by_plugin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    folder = models_in(tmp_path_factory.mktemp("openvino"))
    other = SPAN(num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=2).state_dict()
    safetensors.torch.save_file(other, folder / "models/span.safetensors")
    with running_service(folder, device="openvino:cpu", precision="float32") as running:
        yield running


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with exact_service(tmp_path_factory.mktemp("cpu")) as running:
        yield running


@pytest.mark.parametrize("model", MODELS)
def test_its_values_are_those_of_float32_within_a_step(
    by_plugin: RunningService, exact: RunningService, model: str
) -> None:
    answer = upscale(by_plugin, PICTURE, model)
    require_device_and_precision(answer, "openvino; ", "float32")
    assert "x-pixelmend-notes" not in answer.headers
    require_near(answer, exact, PICTURE, model, levels=1)


def test_sixteen_bits(by_plugin: RunningService, exact: RunningService) -> None:
    answer = upscale(by_plugin, SIXTEEN_BITS, "pixelmend-x4")
    require_device_and_precision(answer, "openvino; ", "float32")
    require_near(answer, exact, SIXTEEN_BITS, "pixelmend-x4", levels=4)


def test_tiles_are_stitched(by_plugin: RunningService, exact: RunningService) -> None:
    picture = encoded(photo(side_px=400))
    require_near(upscale(by_plugin, picture, "small"), exact, picture, "small", levels=1)


def test_other_networks_compute_on_the_cpu_and_that_is_said(by_plugin: RunningService) -> None:
    answer = upscale(by_plugin, PICTURE, "span")
    assert decoded(answer.content).shape == (96, 96, 3)
    assert (
        "SPAN is not one of the networks for OpenVINO: Compact, ESRGAN" in answer.headers["x-pixelmend-notes"]
    )


def test_a_device_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with running_service(tmp_path, device="openvino:gpu", wait_for_port_only=True) as running:
        words = "OpenVINO finds no driver of Intel's: apt-get install intel-opencl-icd"
        running.wait_until_logged(words, timeout_s=60)
