"""`/api/v1` as IOPaint's own page calls it, field by field."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.api.dialects.sent import FAR, HOLE, IMAGE, SIDE_PX, WHITE_MASK, data_url, text
from tests.pictures import decoded, encoded
from tests.service import ServiceClient

# What its page sends with the settings that it starts with, misspelt names included.
PAGE: dict[str, Any] = {
    "ldm_steps": 30,
    "ldm_sampler": "ddim",
    "zits_wireframe": True,
    "cv2_flag": "INPAINT_NS",
    "cv2_radius": 5,
    "hd_strategy": "Crop",
    "hd_strategy_crop_triger_size": 640,
    "hd_strategy_crop_margin": 128,
    "hd_trategy_resize_imit": 2048,
    "prompt": "",
    "negative_prompt": "out of frame, lowres",
    "use_croper": False,
    "croper_x": 0,
    "croper_y": 0,
    "croper_height": 512,
    "croper_width": 512,
    "use_extender": False,
    "extender_x": 0,
    "extender_y": 0,
    "extender_height": 512,
    "extender_width": 512,
    "sd_mask_blur": 12,
    "sd_strength": 1.0,
    "sd_steps": 50,
    "sd_guidance_scale": 7.5,
    "sd_sampler": "DPM++ 2M",
    "sd_seed": -1,
    "sd_match_histograms": False,
    "sd_lcm_lora": False,
    "paint_by_example_example_image": None,
    "p2p_image_guidance_scale": 1.5,
    "enable_controlnet": False,
    "controlnet_conditioning_scale": 1.0,
    "controlnet_method": "lllyasviel/control_v11p_sd15_canny",
    "enable_brushnet": False,
    "brushnet_method": "random_mask",
    "brushnet_conditioning_scale": 1.0,
    "enable_powerpaint_v2": False,
    "powerpaint_task": "text-guided",
}
# A canvas: white strokes on nothing.
CANVAS_MASK = encoded(np.where(HOLE[:, :, None], 255, np.zeros((1, 1, 4))).astype(np.uint8))


def inpaint(service: ServiceClient, **more: Any) -> Any:
    asked = {"image": data_url(encoded(IMAGE)), "mask": data_url(CANVAS_MASK), **PAGE, **more}
    return service.client.post("/api/v1/inpaint", json=asked)


@pytest.mark.parametrize("mask", [data_url(CANVAS_MASK), data_url(WHITE_MASK), text(WHITE_MASK)])
def test_what_the_page_sends_removes_what_is_white(service: ServiceClient, mask: str) -> None:
    answer = inpaint(service, mask=mask)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    assert 1 <= int(answer.headers["x-seed"]) <= 99_999_999
    pixels = decoded(answer.content)
    assert np.array_equal(pixels[FAR], IMAGE[FAR])
    assert not np.array_equal(pixels[HOLE], IMAGE[HOLE])


def test_other_clients_send_the_image_and_the_mask_alone(service: ServiceClient) -> None:
    asked = {"image": text(encoded(IMAGE)), "mask": text(WHITE_MASK)}
    answer = service.client.post("/api/v1/inpaint", json=asked)
    assert (answer.status_code, answer.headers["x-seed"]) == (200, "42")


@pytest.mark.parametrize(
    ("sent", "kind"), [("JPEG", "JPEG"), ("WEBP", "WEBP"), ("PNG", "PNG"), ("BMP", "PNG")]
)
def test_the_result_has_the_images_format(service: ServiceClient, sent: str, kind: str) -> None:
    answer = inpaint(service, image=data_url(encoded(IMAGE, sent), "application/octet-stream"), sd_seed=7)
    assert answer.status_code == 200, answer.text
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.format == kind
        assert answer.headers["content-type"] == f"image/{kind.lower()}"
    assert answer.headers["x-seed"] == "7"


def test_fields_that_make_no_difference_are_named(service: ServiceClient) -> None:
    unused = inpaint(service, prompt="a dog").headers["x-pixelmend-unused"].split(", ")
    assert {"prompt", "sd_strength", "hd_strategy"} <= set(unused)
    assert not {"image", "mask", "use_croper", "sd_seed"} & set(unused)


@pytest.mark.parametrize(
    "more",
    [
        {"use_croper": True},
        {"use_extender": True},
        {"enable_controlnet": True},
        {"enable_brushnet": True},
        {"enable_powerpaint_v2": True},
        {"paint_by_example_example_image": "QUJD"},
        {"sd_seed": "any"},
    ],
)
def test_what_cannot_be_done_is_refused_by_its_name(service: ServiceClient, more: dict[str, Any]) -> None:
    answer = inpaint(service, **more)
    assert answer.status_code == 422
    assert next(iter(more)) in answer.json()["errors"]  # what the page shows


def test_a_mask_of_another_shape_is_refused(service: ServiceClient) -> None:
    answer = inpaint(service, mask=data_url(encoded(np.zeros((SIDE_PX, 32), np.uint8))))
    assert (answer.status_code, "32x64 px" in answer.json()["detail"]) == (422, True)


@pytest.mark.parametrize("missing", ["image", "mask"])
def test_a_missing_image_is_named(service: ServiceClient, missing: str) -> None:
    answer = inpaint(service, **{missing: None})
    assert (answer.status_code, f"{missing!r}" in answer.json()["detail"]) == (422, True)


def test_what_the_page_asks_at_its_start(service: ServiceClient) -> None:
    config = service.client.get("/api/v1/server-config").json()
    assert config["plugins"] == [{"name": "RealESRGAN", "support_gen_image": True, "support_gen_mask": False}]
    assert config["realesrganModel"] in config["realesrganModels"]
    model = service.client.get("/api/v1/model").json()
    assert model in config["modelInfos"]
    assert (model["name"], model["model_type"], model["need_prompt"]) == ("pixelmend-fill", "inpaint", False)
    assert service.client.get("/api/v1/samplers").json() == config["samplers"] == []
    # The page takes what is no image for: there is none.
    found = service.client.get("/api/v1/inputimage", headers={"Cache-Control": "no-cache"})
    assert (found.status_code, found.headers["content-type"]) == (200, "application/json")


def test_the_page_asks_for_a_prompt_in_each_image_that_it_opens(service: ServiceClient) -> None:
    files = {"file": ("a.png", encoded(IMAGE) + bytes(1_500_000))}
    found = service.client.post("/api/v1/gen-info", files=files)
    assert (found.status_code, found.json()) == (200, {"prompt": "", "negative_prompt": ""})
    refused = service.client.post("/api/v1/gen-info", files={"file": bytes(2_000_000)})
    assert (refused.status_code, "max_upload_bytes" in refused.json()["errors"]) == (413, True)


def test_the_model_is_the_one_that_is_set(service: ServiceClient) -> None:
    there = service.client.get("/api/v1/model").json()
    chosen = service.client.post("/api/v1/model", json={"name": there["name"]})
    assert (chosen.status_code, chosen.json()) == (200, there)
    refused = service.client.post("/api/v1/model", json={"name": "lama"})
    assert (refused.status_code, "PIXELMEND_DEFAULT_INPAINT_MODEL" in refused.json()["errors"]) == (422, True)


def test_its_plug_in_upscales(service: ServiceClient) -> None:
    asked = {"name": "RealESRGAN", "image": data_url(encoded(IMAGE)), "scale": 3, "clicks": []}
    answer = service.client.post("/api/v1/run_plugin_gen_image", json=asked)
    assert answer.headers["content-type"] == "image/png"
    assert decoded(answer.content).shape == (192, 192, 3)
    other = service.client.post("/api/v1/run_plugin_gen_image", json=asked | {"name": "GFPGAN"})
    assert (other.status_code, "name='GFPGAN'" in other.json()["errors"]) == (422, True)
