"""Model files that a user puts into the models directory of a running service."""

import pickle
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import safetensors.torch
import torch

from tests.engine.networks import compact_state
from tests.models.ncnn_networks import compact
from tests.pictures import decoded, encoded, photo
from tests.service import ServiceClient


@pytest.fixture
def models(service: ServiceClient) -> Iterator[Path]:
    folder = service.folder / "models"
    folder.mkdir(exist_ok=True)
    yield folder
    for path in folder.iterdir():
        path.unlink()


def upscale(service: ServiceClient, **fields: str) -> httpx.Response:
    files = {"file": encoded(photo(side_px=48))}
    return service.client.post("/api/upscale", files=files, data=fields)


def test_dropped_in_file_becomes_a_model_at_once(service: ServiceClient, models: Path) -> None:
    safetensors.torch.save_file(compact_state(scale=2), models / "mine.safetensors")
    response = upscale(service, model="mine")
    assert response.status_code == 200, response.text
    assert response.headers["x-pixelmend-model"] == "mine"
    assert decoded(response.content).shape == (96, 96, 3)
    listed = {m["id"]: m for m in service.client.get("/api/models").json()["models"]}
    assert (listed["mine"]["scale"], listed["mine"]["loaded"], listed["mine"]["origin"]) == (
        2,
        True,
        "dropped-in",
    )


def test_precision_that_a_model_cannot_bear_is_given_up_and_said(
    service: ServiceClient, models: Path
) -> None:
    """Around 1000 bfloat16 has steps of 4 to 8, so this network's small differences drown in it."""
    state = {name: torch.zeros_like(tensor) for name, tensor in compact_state(scale=2).items()}
    for colour in range(3):
        state["body.0.weight"][colour, colour, 1, 1] = 1
        for middle in ("body.2.weight", "body.4.weight"):
            state[middle][colour, colour, 1, 1] = 1
        state["body.6.weight"][4 * colour : 4 * colour + 4, colour, 1, 1] = 0.2
    state["body.0.bias"][:3] = 1000
    state["body.6.bias"][:] = -200.1
    safetensors.torch.save_file(state, models / "delicate.safetensors")
    response = upscale(service, model="delicate")
    assert response.status_code == 200, response.text
    assert response.headers["x-pixelmend-precision"] == "float32"
    if upscale(service).headers["x-pixelmend-precision"] == "bfloat16":
        assert "bfloat16" in response.headers["x-pixelmend-notes"]
        assert "wrong values" in response.headers["x-pixelmend-notes"]


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path(self.target),))  # type: ignore[return-value]

    def __init__(self, target: str) -> None:
        self.target = target


def test_bad_files_are_refused_by_name_run_no_code_and_disturb_nobody(
    service: ServiceClient, models: Path, tmp_path: Path
) -> None:
    whole = models / "whole.safetensors"
    safetensors.torch.save_file(compact_state(), whole)
    (models / "cut.safetensors").write_bytes(whole.read_bytes()[:1000])
    (models / "page.pth").write_bytes(b"<!DOCTYPE html><html>")
    (models / "pointer.pth").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    (models / "empty.pth").write_bytes(b"")
    trace = tmp_path / "code-ran"
    (models / "evil.pth").write_bytes(pickle.dumps(Bomb(str(trace))))
    for name in ("cut", "page", "pointer", "empty", "evil"):
        response = upscale(service, model=name)
        assert response.status_code == 503, response.text
        assert response.json()["type"] == "urn:pixelmend:problem:model-unusable"
        assert f"{name}." in response.json()["detail"]
    assert not trace.exists()
    listed = {m["id"]: m for m in service.client.get("/api/models").json()["models"]}
    assert "empty" in listed["empty"]["problem"]
    assert "web page" in listed["page"]["problem"]
    assert listed["pixelmend-x4"]["problem"] is None
    assert upscale(service).status_code == 200
    assert service.client.get("/api/health").json()["worker_restarts"] == 0


def test_result_in_tiles_of_a_model_for_whole_images_says_so(service: ServiceClient, models: Path) -> None:
    from spandrel.architectures.MixDehazeNet import MixDehazeNet

    torch.manual_seed(0)
    torch.save(dict(MixDehazeNet().state_dict()), models / "haze.pth")
    large = {"file": encoded(photo(side_px=170))}
    alone = upscale(service, model="haze")
    tiled = service.client.post("/api/upscale", files=large, data={"model": "haze", "tile": "160"})
    assert (alone.status_code, tiled.status_code) == (200, 200)
    said = "haze is made for whole images; its tiles may differ in tone"
    assert said not in alone.headers.get("x-pixelmend-notes", "")
    assert said in tiled.headers["x-pixelmend-notes"]


def test_a_pair_of_ncnns_files_becomes_a_model(service: ServiceClient, models: Path) -> None:
    param, weights, _ = compact(scale=2)
    (models / "pair.bin").write_bytes(weights)
    (models / "pair.param").write_text(param)
    response = upscale(service, model="pair")
    assert response.status_code == 200, response.text
    assert decoded(response.content).shape == (96, 96, 3)


@pytest.mark.parametrize(
    ("model", "least_px"), [("RealESRGAN_x4plus", 160), ("RealESRGAN_x4plus_anime_6B", 120)]
)
def test_tile_too_small_for_a_network_is_refused_before_it_is_opened(
    service: ServiceClient, models: Path, model: str, least_px: int
) -> None:
    (models / f"{model}.pth").write_bytes(b"could not be opened")

    def status_and_detail(side_px: int, tile_px: int) -> tuple[int, str]:
        files = {"file": encoded(photo(side_px=side_px))}
        answer = service.client.post("/api/upscale", files=files, data={"model": model, "tile": str(tile_px)})
        return answer.status_code, answer.json()["detail"]

    status, detail = status_and_detail(200, 64)
    assert status == 422
    assert detail == f"tile=64 px is too small for this model, which needs at least {least_px} px"
    # The first fits into one tile, the second into tiles that are large enough.
    assert {status_and_detail(40, 64)[0], status_and_detail(200, least_px)[0]} == {503}


def test_models_for_inpainting_are_listed_and_refused(service: ServiceClient, models: Path) -> None:
    (models / "big-lama.pt").write_bytes(b"not looked at")
    for name in ("big-lama", "migan_pipeline_v2"):
        response = upscale(service, model=name)
        assert response.status_code == 422, response.text
        assert response.json()["detail"] == f"model {name!r} is for inpainting, not upscaling"
    listed = {m["id"]: m for m in service.client.get("/api/models").json()["models"]}
    assert (listed["big-lama"]["task"], listed["big-lama"]["present"]) == ("inpaint", True)
    assert (listed["migan_pipeline_v2"]["task"], listed["migan_pipeline_v2"]["present"]) == ("inpaint", False)


def test_model_without_a_file_is_refused_with_how_to_get_it(service: ServiceClient) -> None:
    response = upscale(service, model="RealESRGAN_x2plus")
    assert response.status_code == 503, response.text
    assert "run `pixelmend models download RealESRGAN_x2plus`, or put it at" in response.json()["detail"]


def test_file_that_only_has_a_catalog_name_is_refused(service: ServiceClient, models: Path) -> None:
    """The catalog knows the pair by checksum, so files of that name that are something else are refused."""
    torch.save({"params": compact_state()}, models / "realesr-general-x4v3.pth")
    torch.save({"params": compact_state(seed=1)}, models / "realesr-general-wdn-x4v3.pth")
    response = upscale(service, model="realesr-general-x4v3", denoise="0.5")
    assert response.status_code == 503
    assert "sha256" in response.json()["detail"]
