"""Health, readiness, information, documentation, and the process boundary."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import safetensors.numpy
import safetensors.torch
import torch

from pixelmend.api.errors import STATUS
from pixelmend.engine.devices.precision import computes_bfloat16
from tests.engine.networks import compact_state
from tests.imaging import samples
from tests.models.ncnn_networks import rrdb
from tests.pictures import encoded, photo
from tests.service import RunningService, ServiceClient, running_service


def test_health_names_device_and_model(service: ServiceClient) -> None:
    health = service.client.get("/api/health").json()
    assert health["status"] == "healthy"
    assert health["model_loaded"] is True
    assert health["device"]["type"] == "cpu"
    assert health["device"]["name"]
    assert health["reasons"] == []


def test_live_and_ready(service: ServiceClient) -> None:
    assert service.client.get("/livez").json() == {"status": "alive"}
    ready = service.client.get("/readyz")
    assert (ready.status_code, ready.json()["ready"]) == (200, True)


def test_info_tells_limits_and_formats(service: ServiceClient) -> None:
    info = service.client.get("/api/info").json()
    assert info["limits"]["max_upload_bytes"] == 2_000_000
    assert set(info["input_formats"]) >= {"jpeg", "png", "webp", "avif", "heic", "tiff", "bmp", "gif"}
    assert info["output_formats"] == ["png", "jpeg", "webp", "avif", "tiff"]


def test_models_lists_the_embedded_one_as_loaded(service: ServiceClient) -> None:
    models = {model["id"]: model for model in service.client.get("/api/models").json()["models"]}
    embedded = models["pixelmend-x4"]
    assert (embedded["task"], embedded["scale"], embedded["loaded"]) == ("upscale", 4, True)
    assert models["realesr-general-x4v3"]["present"] is False


def test_documentation_describes_the_form(service: ServiceClient) -> None:
    document = service.client.get("/openapi.json").json()
    body = document["paths"]["/api/upscale"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert set(body["schema"]["properties"]) == {
        "file", "scale", "width", "height", "model", "format", "quality", "tile", "denoise", "detail",
        "first_frame", "fit", "recipe", "image_url",
    }  # fmt: skip
    assert "$ref" not in str(body)


def test_documentation_page_needs_no_other_host(service: ServiceClient) -> None:
    page = service.client.get("/docs")
    assert page.status_code == 200
    assert "://" not in page.text
    scripts = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert scripts
    assert all(service.client.get(script).status_code == 200 for script in scripts)


@pytest.mark.parametrize(
    ("offered", "kept"), [("abc-DEF-123", True), ("with space", False), ("x" * 65, False), ("a/b", False)]
)
def test_request_id_is_taken_over_where_it_is_well_formed(
    service: ServiceClient, offered: str, kept: bool
) -> None:
    answered = service.client.get("/livez", headers={"X-Request-ID": offered}).headers["x-request-id"]
    assert (answered == offered) is kept
    assert answered


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with running_service(tmp_path_factory.mktemp("processes")) as running:
        yield running


def mapped(process: int) -> str:
    maps = Path(f"/proc/{process}/maps")
    if not maps.exists():
        pytest.skip("this system does not show what a process has mapped")
    return maps.read_text()


def test_pytorch_is_loaded_for_models_that_need_it_and_by_the_worker_alone(
    processes: RunningService,
) -> None:
    """The API process never imports torch and never initialises CUDA, whatever is asked."""
    models = processes.folder / "models"
    models.mkdir(exist_ok=True)
    safetensors.torch.save_file(compact_state(seed=1), models / "mine.safetensors")
    torch.save(compact_state(seed=2), models / "archive.pth")
    safetensors.numpy.save_file(rrdb()[2], models / "deep.safetensors")
    torch.save(compact_state(seed=3), models / "old.pth", _use_new_zipfile_serialization=False)
    picture = {"file": encoded(photo(side_px=40))}
    sixteen = {"file": samples.png_file(20, 20, depth=16, data=(b"\0" + bytes(range(120))) * 20)}

    def upscale(files: dict[str, bytes], **fields: str) -> str:
        answer = processes.client.post("/api/upscale", files=files, data=fields)
        assert answer.status_code == 200, answer.text
        return mapped(processes.worker().pid)

    for libraries in (
        upscale(picture),
        upscale(picture, denoise="0.4"),
        upscale(picture, model="pixelmend-x2"),
        upscale(sixteen),
        upscale(picture, model="mine"),
        upscale(picture, model="archive"),
        upscale(picture, model="deep"),
    ):
        assert "libopenvino" in libraries if computes_bfloat16() else "/ncnn" in libraries
        assert "libtorch" not in libraries
    assert "libtorch" in upscale(picture, model="old")  # no one else reads such files
    assert not {name for name in ("libtorch", "libcuda") if name in mapped(processes.process.pid)}


def test_api_process_has_no_decoder_in_it(processes: RunningService) -> None:
    """Headers are read in Python there; native parsers see files in the worker alone."""
    for name, data in samples.one_of_each().items():
        answer = processes.client.post("/api/upscale", files={"file": (name, data)}, data={"scale": "1"})
        assert answer.status_code == 200, answer.text
    libraries = mapped(processes.process.pid)
    for library in ("libheif", "libde265", "x265", "libvips", "PIL/_", "pillow_heif", "libavif", "libtiff"):
        assert library not in libraries
    assert "pillow_heif" in mapped(processes.worker().pid)


def test_every_error_has_a_status() -> None:
    from pixelmend.core import errors

    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type)}
    ours = {k for k in kinds if issubclass(k, errors.PixelmendError) and k is not errors.PixelmendError}
    assert ours == set(STATUS)
    codes = [kind.code for kind in ours]
    assert len(codes) == len(set(codes))


def test_request_id_reaches_the_log_lines_of_both_processes(service: ServiceClient) -> None:
    headers = {"X-Request-ID": "follow-me-through"}
    files = {"file": encoded(photo(side_px=20))}
    assert service.client.post("/api/upscale", files=files, headers=headers).status_code == 200
    deadline_s = time.monotonic() + 10
    seen: set[str] = set()
    while seen != {"api", "worker"} and time.monotonic() < deadline_s:
        # The request's own line is written after its answer has left.
        time.sleep(0.02)
        lines = [json.loads(line) for line in service.log.splitlines() if "follow-me-through" in line]
        seen = {line["process"] for line in lines}
    assert seen == {"api", "worker"}
