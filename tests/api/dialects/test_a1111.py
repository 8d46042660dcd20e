"""`/sdapi/v1`, by a public client of A1111."""

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import webuiapi
from PIL import Image

from tests.api.dialects.sent import IMAGE, SIDE_PX, data_url, text
from tests.inprocess import service_in_threads
from tests.pictures import decoded, encoded, photo
from tests.service import ServiceClient

PICTURE = Image.fromarray(IMAGE)
SINGLE = "/sdapi/v1/extra-single-image"
BATCH = "/sdapi/v1/extra-batch-images"


@pytest.fixture
def client(service: ServiceClient) -> Any:
    client = webuiapi.WebUIApi(baseurl=f"{service.base_url}/sdapi/v1")
    yield client
    client.session.close()


def upscaled(client: Any, picture: Image.Image = PICTURE, **more: Any) -> Image.Image:
    image: Image.Image = client.extra_single_image(picture, **{"upscaler_1": "pixelmend-x4"} | more).image
    image.load()
    return image


@pytest.mark.parametrize("factor", [1, 1.5, 2, 4, 7.99])
def test_one_image_by_a_factor(client: Any, factor: float) -> None:
    side_px = round(SIDE_PX * factor)
    assert upscaled(client, upscaling_resize=factor).size == (side_px, side_px)


def test_the_result_is_that_of_our_own_address(service: ServiceClient, client: Any) -> None:
    ours = service.client.post(
        "/api/upscale", files={"file": encoded(IMAGE)}, data={"model": "pixelmend-x2", "scale": "2"}
    )
    assert np.array_equal(np.asarray(upscaled(client, upscaler_1="pixelmend-x2")), decoded(ours.content))


@pytest.mark.parametrize(
    ("width", "height", "crop", "size"),
    [
        (160, 160, True, (160, 160)),
        (150, 100, True, (150, 100)),
        (512, 80, True, (512, 80)),
        (160, 160, False, (160, 160)),
        (100, 160, False, (160, 160)),
        (200, 160, False, (200, 200)),
    ],
)
def test_one_image_to_a_size(client: Any, width: int, height: int, crop: bool, size: tuple[int, int]) -> None:
    asked: dict[str, Any] = {
        "upscaling_resize_w": width,
        "upscaling_resize_h": height,
        "upscaling_crop": crop,
    }
    assert upscaled(client, resize_mode=1, **asked).size == size


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"upscaler_1": "None"}, "upscaler_1"),
        ({"upscaler_1": "Lanczos"}, "Lanczos"),
        ({"gfpgan_visibility": 0.1}, "gfpgan_visibility"),
        ({"codeformer_visibility": 1}, "codeformer_visibility"),
        ({"upscaler_2": "pixelmend-x2", "extras_upscaler_2_visibility": 0.5}, "extras_upscaler_2_visibility"),
        ({"upscaling_resize": 0.5}, "upscaling_resize"),
        ({"upscaling_resize": 9}, "upscaling_resize"),
        ({"resize_mode": 2}, "resize_mode"),
        ({"resize_mode": 1, "upscaling_resize_w": 20, "upscaling_resize_h": 20}, "width=20"),
        ({"resize_mode": 1, "upscaling_resize_w": 640, "upscaling_resize_h": 640}, "width=640"),
    ],
)
def test_what_cannot_be_done_is_a_422_that_names_it(client: Any, more: dict[str, Any], named: str) -> None:
    with pytest.raises(RuntimeError) as refusal:
        upscaled(client, **more)
    status, answer = refusal.value.args
    assert status == 422
    assert '"detail"' in answer
    assert named in answer


def test_what_changes_nothing_is_taken(client: Any) -> None:
    more: dict[str, Any] = {"upscaler_2": "pixelmend-x2", "codeformer_weight": 1, "upscale_first": True}
    assert upscaled(client, **more).size == (128, 128)


@pytest.mark.parametrize("written", [text, data_url])
def test_images_come_with_a_prefix_or_without(service: ServiceClient, written: Any) -> None:
    answer = service.client.post(SINGLE, json={"image": written(encoded(IMAGE)), "upscaling_resize": 3})
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"html_info", "image"}
    assert "pixelmend-x4" in answer.json()["html_info"]
    assert decoded(base64.b64decode(answer.json()["image"], validate=True)).shape == (192, 192, 3)


def test_a_batch_comes_back_in_its_order(service: ServiceClient, client: Any) -> None:
    pictures = [PICTURE, Image.fromarray(photo("coffee", side_px=32)), PICTURE]
    found = client.extra_batch_images(pictures, ["a.png", "b.png", "a.png"], upscaler_1="pixelmend-x2")
    assert [image.size for image in found.images] == [(128, 128), (64, 64), (128, 128)]
    for picture, image in zip(pictures, found.images, strict=True):
        assert np.array_equal(
            np.asarray(image), np.asarray(upscaled(client, picture, upscaler_1="pixelmend-x2"))
        )
    service.wait_until_spool_is_empty()


def test_a_batch_with_a_wrong_image_says_which(service: ServiceClient) -> None:
    images = [{"name": "good", "data": text(encoded(IMAGE))}, {"name": "bad", "data": text(b"%PDF-1.7")}]
    answer = service.client.post(BATCH, json={"imageList": images})
    assert answer.status_code == 415
    assert "imageList[1], 'bad'" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"imageList": []}, "imageList"),
        ({}, "imageList"),
        ({"imageList": [{"name": "a"}]}, "imageList"),
        ({"imageList": [], "more": {"data": "QUJD"}}, "imageList"),
        ({"more": {"data": "QUJD"}, "imageList": [{"data": "QUJD"}]}, "imageList"),
    ],
)
def test_images_stand_in_the_list(service: ServiceClient, body: dict[str, Any], named: str) -> None:
    answer = service.client.post(BATCH, json=body)
    assert answer.status_code == 422
    assert named in answer.json()["detail"]
    answer = service.client.post(SINGLE, json={"more": {"image": text(encoded(IMAGE))}})
    assert (answer.status_code, "'image'" in answer.json()["detail"]) == (422, True)


def test_a_batch_to_one_size_is_cut_or_needs_one_shape(service: ServiceClient) -> None:
    wide = encoded(IMAGE[:32])
    for second, crop, status in (
        (encoded(IMAGE), False, 200),
        (wide, False, 422),
        (encoded(IMAGE), True, 200),
        (wide, True, 200),
    ):
        images = [{"name": "", "data": text(encoded(IMAGE))}, {"name": "", "data": text(second)}]
        size = {"resize_mode": 1, "upscaling_resize_w": 128, "upscaling_resize_h": 128}
        asked = {"imageList": images, "upscaling_crop": crop, **size}
        assert service.client.post(BATCH, json=asked).status_code == status


def test_what_clients_ask_at_their_start(service: ServiceClient, client: Any) -> None:
    upscalers = {each["name"]: each for each in client.get_upscalers()}
    assert upscalers["pixelmend-x2"] == {
        "name": "pixelmend-x2",
        "model_name": "pixelmend-x2",
        "model_path": None,
        "model_url": None,
        "scale": 2,
    }
    assert client.util_get_model_names() == [client.util_get_current_model()] == ["pixelmend-x4"]
    client.util_wait_for_ready()
    assert client.get_scripts() == {"txt2img": [], "img2img": []}
    assert client.set_options({"sd_model_checkpoint": "pixelmend-x4", "CLIP_stop_at_last_layers": 2}) is None
    assert "sd_model_checkpoint='dreamy'" in client.set_options({"sd_model_checkpoint": "dreamy"})["detail"]
    assert service.client.get("/sdapi/v1/progress?skip_current_image=true").status_code == 200


def test_the_networks_that_a1111_has_go_by_its_names(tmp_path: Path) -> None:
    with service_in_threads(tmp_path) as service:
        asked = {"image": text(encoded(IMAGE)), "upscaler_1": "R-ESRGAN 4x+"}
        answer = service.client.post(SINGLE, json=asked)
        assert (answer.status_code, answer.json()["error"]) == (503, "model-unusable")
        assert "pixelmend models download RealESRGAN_x4plus" in answer.json()["detail"]
        (tmp_path / "models").mkdir(exist_ok=True)
        (tmp_path / "models" / "RealESRGAN_x4plus.pth").write_bytes(b"")
        names = [each["name"] for each in service.client.get("/sdapi/v1/upscalers").json()]
        assert "R-ESRGAN 4x+" in names


def test_a_password_is_a_key(tmp_path: Path) -> None:
    with service_in_threads(tmp_path, api_keys="se:cret") as keyed:
        client = webuiapi.WebUIApi(baseurl=f"{keyed.base_url}/sdapi/v1", username="me", password="se:cret")
        try:
            assert upscaled(client).size == (128, 128)
            client.set_auth("me", "guess")
            with pytest.raises(RuntimeError) as refusal:
                upscaled(client)
        finally:
            client.session.close()
        assert refusal.value.args[0] == 403
