"""`/v1`, by the official client of OpenAI, and by the form of LocalAI."""

import asyncio
import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest
from numpy.typing import NDArray
from PIL import Image

from pixelmend.jobs.store import JobStore
from tests.api.dialects.sent import FAR, HOLE, IMAGE, SIDE_PX, TRANSPARENT_MASK, WHITE_MASK
from tests.inprocess import service_in_threads
from tests.pictures import decoded, encoded
from tests.service import ServiceClient

PICTURE = encoded(IMAGE)
WITH_A_HOLE = encoded(np.dstack([IMAGE, np.where(HOLE, 0, 255).astype(np.uint8)]))


@pytest.fixture(scope="module")
def client(service: ServiceClient) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{service.base_url}/v1", api_key="none is needed", max_retries=0) as client:
        yield client


def result(answer: openai.types.ImagesResponse) -> NDArray[Any]:
    assert answer.data is not None
    (image,) = answer.data
    assert image.b64_json is not None
    return decoded(base64.b64decode(image.b64_json, validate=True))


def edited(client: openai.OpenAI, **more: Any) -> openai.types.ImagesResponse:
    asked: dict[str, Any] = {"image": PICTURE, "mask": TRANSPARENT_MASK, "prompt": "gone"}
    found: openai.types.ImagesResponse = client.images.edit(**asked | more)
    return found


def assert_removed(pixels: NDArray[Any]) -> None:
    assert np.array_equal(pixels[FAR], IMAGE[FAR])
    assert not np.array_equal(pixels[HOLE], IMAGE[HOLE])


def test_what_is_transparent_in_the_mask_is_removed(client: openai.OpenAI) -> None:
    answer = edited(client, model="pixelmend-fill")
    assert answer.created > 1_700_000_000
    assert_removed(result(answer))


def test_several_images_as_the_client_sends_them_are_one_at_most(client: openai.OpenAI) -> None:
    assert_removed(result(edited(client, image=[PICTURE])))
    with pytest.raises(openai.BadRequestError, match="more than once"):
        edited(client, image=[PICTURE, PICTURE])


def test_both_names_of_the_image_together_are_refused(service: ServiceClient) -> None:
    files = {"image": PICTURE, "image[]": PICTURE, "mask": TRANSPARENT_MASK}
    answer = service.client.post("/v1/images/edits", files=files)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_parameter")
    assert "2 images" in answer.json()["error"]["message"]


def test_without_a_mask_the_images_own_transparency_is_what_changes(client: openai.OpenAI) -> None:
    pixels = result(client.images.edit(image=WITH_A_HOLE, prompt="gone"))
    assert pixels.shape == (SIDE_PX, SIDE_PX, 4)
    assert (pixels[:, :, 3] == 255).all()
    assert np.array_equal(pixels[FAR][:, :3], IMAGE[FAR])


def test_an_opaque_image_without_a_mask_is_refused(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="mask: it is missing") as refusal:
        client.images.edit(image=PICTURE, prompt="gone")
    assert refusal.value.param == "mask"


def test_a_mask_without_transparency_says_nothing(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="no transparency"):
        edited(client, mask=WHITE_MASK)


def test_a_mask_of_another_shape_is_refused(client: openai.OpenAI) -> None:
    wide = encoded(np.zeros((SIDE_PX, 2 * SIDE_PX, 4), np.uint8))
    with pytest.raises(openai.BadRequestError, match=r"128x64 px.*64x64 px"):
        edited(client, mask=wide)


def test_fields_that_make_no_difference_are_named(client: openai.OpenAI) -> None:
    answer = client.images.with_raw_response.edit(
        image=PICTURE,
        mask=TRANSPARENT_MASK,
        prompt="x" * 32_000,
        n=1,
        size="auto",
        quality="high",
        background="opaque",
        user="me",
        extra_body={"new_field": "1"},
    )
    assert answer.headers["x-pixelmend-unused"] == "new_field, prompt, quality, user"
    assert answer.headers["x-pixelmend-model"] == "pixelmend-fill"


def test_the_images_own_size_is_no_other_size(client: openai.OpenAI) -> None:
    assert_removed(result(edited(client, size="64x64")))


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"n": 2}, "n"),
        ({"size": "1024x1024"}, "size"),
        ({"background": "transparent"}, "background"),
        ({"stream": True}, "stream"),
        ({"extra_body": {"partial_images": 1}}, "partial_images"),
        ({"output_format": "gif"}, "output_format"),
        ({"output_compression": 101}, "output_compression"),
        ({"response_format": "file"}, "response_format"),
    ],
)
def test_what_cannot_be_done_is_refused_by_its_name(
    client: openai.OpenAI, more: dict[str, Any], param: str
) -> None:
    with pytest.raises(openai.BadRequestError) as refusal:
        edited(client, **more)
    error = refusal.value
    assert (error.param, error.type, error.code) == (param, "invalid_request_error", "invalid_parameter")
    assert param in error.message


@pytest.mark.parametrize(("output_format", "kind"), [("webp", "WEBP"), ("jpeg", "JPEG"), ("png", "PNG")])
def test_output_format_is_followed(client: openai.OpenAI, output_format: str, kind: str) -> None:
    answer = edited(client, output_format=output_format, output_compression=80)
    assert answer.data is not None
    assert answer.data[0].b64_json is not None
    with Image.open(io.BytesIO(base64.b64decode(answer.data[0].b64_json))) as image:
        assert image.format == kind


def test_a_url_leads_to_the_result_of_a_job(service: ServiceClient, client: openai.OpenAI) -> None:
    answer = edited(client, response_format="url")
    assert answer.data is not None
    url = answer.data[0].url
    assert url is not None
    assert url.startswith(f"{service.base_url}/api/jobs/")
    assert_removed(decoded(httpx.get(url).content))
    job = url.split("/")[-2]
    assert service.job(job)["state"] == "done"


def test_a_url_leads_there_at_once_however_slow_the_disk_is(
    service: ServiceClient, client: openai.OpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = JobStore.put

    async def put_slowly(store: JobStore, *arguments: Any) -> None:
        await asyncio.sleep(0.3)
        await put(store, *arguments)

    monkeypatch.setattr(JobStore, "put", put_slowly)
    answer = edited(client, response_format="url", output_format="webp", output_compression=31)
    assert answer.data is not None
    assert answer.data[0].url is not None
    assert service.client.get(answer.data[0].url).status_code == 200


def test_a_url_has_the_address_that_was_called(service: ServiceClient) -> None:
    headers = {"Host": "pictures.localhost:1234"}
    files = {"image": PICTURE}
    answer = service.client.post("/v1/images/upscale", files=files, headers=headers)
    assert answer.json()["data"][0]["url"].startswith("http://pictures.localhost:1234/api/jobs/")


@pytest.mark.parametrize(
    ("model", "scale", "by"),
    [
        (None, None, "pixelmend-x2"),
        ("", "3", "pixelmend-x4"),
        ("pixelmend-x4-clean", "4", "pixelmend-x4-clean"),
    ],
)
def test_localai_upscale(service: ServiceClient, model: str | None, scale: str | None, by: str) -> None:
    fields = {name: text for name, text in (("model", model), ("scale", scale)) if text is not None}
    asked = fields | {"response_format": "b64_json"}
    answer = service.client.post("/v1/images/upscale", files={"image": PICTURE}, data=asked)
    side_px = SIDE_PX * int(scale or 2)
    assert result(openai.types.ImagesResponse(**answer.json())).shape == (side_px, side_px, 3)
    assert answer.headers["x-pixelmend-model"] == by
    by_url = service.client.post("/v1/images/upscale", files={"image": PICTURE}, data=fields).json()
    assert set(by_url) == {"created", "data"}
    assert decoded(service.client.get(by_url["data"][0]["url"]).content).shape == (side_px, side_px, 3)


def test_models_are_those_that_can_be_used(client: openai.OpenAI) -> None:
    models = {model.id: model for model in client.models.list()}
    assert {"pixelmend-x4", "pixelmend-fill"} <= set(models)
    assert "RealESRGAN_x4plus" not in models  # it has no file here
    assert client.models.retrieve("pixelmend-x4") == models["pixelmend-x4"]
    assert models["pixelmend-x4"].object == "model"


@pytest.mark.parametrize("model", ["gpt-image-2", "real-esrgan"])
def test_an_unknown_model_is_not_found_and_ours_are_named(
    service: ServiceClient, client: openai.OpenAI, model: str
) -> None:
    with pytest.raises(openai.NotFoundError, match="pixelmend-fill") as refusal:
        edited(client, model=model)
    assert (refusal.value.code, refusal.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.NotFoundError, match="pixelmend-fill"):
        client.models.retrieve(model)
    answer = service.client.post("/v1/images/upscale", files={"image": PICTURE}, data={"model": model})
    assert answer.status_code == 404
    assert "pixelmend-x4" in answer.json()["error"]["message"]


def test_a_model_for_another_task_is_refused(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="for upscaling"):
        edited(client, model="pixelmend-x4")


def test_what_is_no_image_is_refused(service: ServiceClient, client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="PDF"):
        edited(client, image=b"%PDF-1.7")
    for files in ({"other": b"x"}, {"image": b""}, {"images": PICTURE}):
        answer = service.client.post("/v1/images/upscale", files=files)
        assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")


def test_keys_are_bearer_keys(tmp_path: Path) -> None:
    with service_in_threads(tmp_path, api_keys="secret") as keyed:
        url = f"{keyed.base_url}/v1"
        with openai.OpenAI(base_url=url, api_key="secret", max_retries=0) as right:
            assert_removed(result(edited(right)))
            assert list(right.models.list())
        with openai.OpenAI(base_url=url, api_key="guess", max_retries=0) as wrong:
            for call in (wrong.models.list, lambda: edited(wrong)):
                with pytest.raises(openai.AuthenticationError) as refusal:
                    call()
                assert refusal.value.code == "invalid_api_key"
