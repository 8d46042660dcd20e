"""Removing things over HTTP: requests that wait, jobs, batches, and upscaling in the same job."""

import io
import json
import time
import zipfile
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image, ImageCms
from scipy.ndimage import distance_transform_edt

from tests.api.test_events import events
from tests.engine.inpainters import lama_state
from tests.inprocess import service_in_threads
from tests.pictures import decoded, encoded, photo
from tests.service import ServiceClient, running_service

CODE = "urn:pixelmend:problem:"
IMAGE = photo("astronaut", side_px=120, left=100, top=60)
MASK = np.zeros((120, 120), np.uint8)
MASK[40:60, 50:90] = 255
OUTSIDE = distance_transform_edt(MASK == 0) > 4


def inpaint(
    service: ServiceClient,
    image: bytes | None = None,
    mask: bytes | None = None,
    headers: dict[str, str] | None = None,
    **fields: object,
) -> httpx.Response:
    files = {"file": ("a.png", image or encoded(IMAGE)), "mask": ("m.png", mask or encoded(MASK))}
    form = {name: str(value) for name, value in fields.items()}
    return service.client.post("/api/inpaint", files=files, data=form, headers=headers)


def post_job(service: ServiceClient, **fields: object) -> dict[str, Any]:
    files = {"file": ("a.png", encoded(IMAGE)), "mask": ("m.png", encoded(MASK))}
    form = {"task": "inpaint"} | {name: str(value) for name, value in fields.items()}
    response = service.client.post("/api/jobs", files=files, data=form)
    assert response.status_code == 202, response.text
    job: dict[str, Any] = response.json()
    return job


def large_and_slow() -> tuple[bytes, bytes]:
    image = np.tile(photo("coffee", side_px=300, left=0, top=0), (3, 3, 1))
    mask = np.zeros((900, 900), np.uint8)
    mask[100:800, 100:800] = 255
    return encoded(image, "JPEG"), encoded(mask)


def assert_removed(result: NDArray[Any]) -> None:
    assert result.shape == IMAGE.shape
    assert (result[OUTSIDE] == IMAGE[OUTSIDE]).all()
    assert (result[MASK > 0] != IMAGE[MASK > 0]).any(axis=1).mean() > 0.9


# --- what comes back ----------------------------------------------------------------------------------------


def test_what_is_under_the_mask_goes_and_the_rest_stays_bit_for_bit(service: ServiceClient) -> None:
    response = inpaint(service)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "image/png"
    assert response.headers["x-pixelmend-model"] == "pixelmend-fill"
    model, _, px = response.headers["x-pixelmend-inpainted"].partition("; px=")
    assert model == "pixelmend-fill"
    assert (~OUTSIDE).sum() - 20 <= int(px) <= (~OUTSIDE).sum()
    assert "inpaint;dur=" in response.headers["server-timing"]
    assert "x-pixelmend-notes" not in response.headers
    assert_removed(decoded(response.content))


def test_transparent_part_of_an_rgba_mask_is_removed(service: ServiceClient) -> None:
    rgba = np.dstack([np.full_like(IMAGE, 255), 255 - MASK])
    # The files differ in their records, which name the masks.
    np.testing.assert_array_equal(
        decoded(inpaint(service, mask=encoded(rgba)).content), decoded(inpaint(service).content)
    )


def test_growth_is_as_asked(service: ServiceClient) -> None:
    close = decoded(inpaint(service, mask_grow=0).content)
    assert (close[MASK == 0] == IMAGE[MASK == 0]).all()
    wide = decoded(inpaint(service, mask_grow=20, mask_feather=0).content)
    distance = distance_transform_edt(MASK == 0)
    assert (wide[distance > 20] == IMAGE[distance > 20]).all()
    assert (wide != IMAGE).any(axis=2)[distance <= 20].mean() > 0.8


def test_metadata_depth_and_transparency_come_back(service: ServiceClient, tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x010F] = "Mender"
    data = encoded(np.dstack([IMAGE, np.full((120, 120), 200, np.uint8)]), icc_profile=profile, exif=exif)
    with Image.open(io.BytesIO(inpaint(service, data).content)) as result:
        assert result.mode == "RGBA"
        assert result.info["icc_profile"] == profile
        assert result.getexif()[0x010F] == "Mender"
        assert (np.asarray(result)[:, :, 3] == 200).all()
    deep = IMAGE[:, :, 0].astype(np.uint16) * 257
    result16 = decoded(inpaint(service, encoded(deep)).content)
    assert result16.dtype.itemsize > 1
    assert (result16[OUTSIDE] == deep[OUTSIDE]).all()
    webp = inpaint(service, headers={"Accept": "image/webp"})
    assert webp.headers["content-type"] == "image/webp"


def test_erased_and_upscaled_in_one_job_is_as_one_after_the_other(service: ServiceClient) -> None:
    both = inpaint(service, then="upscale", scale=2)
    assert both.status_code == 200, both.text
    assert both.headers["x-pixelmend-model"] == "pixelmend-x2"  # what a factor of 2 gets by itself
    assert both.headers["x-pixelmend-size"] == "240x240"
    assert both.headers["x-pixelmend-erased"].startswith("pixelmend-fill; px=")
    inpainted = inpaint(service).content
    after = service.client.post("/api/upscale", files={"file": inpainted}, data={"scale": "2"})
    assert np.array_equal(decoded(both.content), decoded(after.content))


def test_empty_mask_returns_the_image_and_says_so(service: ServiceClient) -> None:
    response = inpaint(service, mask=encoded(np.zeros_like(MASK)))
    assert response.status_code == 200, response.text
    assert response.headers["x-pixelmend-notes"] == "the mask is empty: nothing was removed"
    assert "x-pixelmend-erased" not in response.headers
    assert np.array_equal(decoded(response.content), IMAGE)


@pytest.mark.full
def test_dropped_in_network_fills_and_is_accounted_for(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    torch.save(lama_state(), tmp_path / "models" / "grey.pth")
    with service_in_threads(tmp_path) as own:
        response = inpaint(own, model="grey", mask_grow=0)
        assert response.status_code == 200, response.text
        assert response.headers["x-pixelmend-model"] == "grey"
        assert len(response.headers["x-pixelmend-model-sha256"]) == 64
        result = decoded(response.content)
        assert (result[MASK == 0] == IMAGE[MASK == 0]).all()
        assert (np.abs(result[MASK > 0].astype(int) - 128) <= 1).all()  # it knows nothing else
        models = {model["id"]: model for model in own.client.get("/api/models").json()["models"]}
        grey = models["grey"]
        assert (grey["task"], grey["loaded"], grey["leases"]) == ("inpaint", True, 0)
        assert grey["bytes"] > 100_000_000
        refused = own.client.post("/api/upscale", files={"file": encoded(IMAGE)}, data={"model": "grey"})
        assert refused.json()["detail"] == "model 'grey' is for inpainting, not upscaling"


# --- what is refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"mask": encoded(np.full_like(MASK, 255))}, 422, "the mask covers the whole image of 120x120 px"),
        ({"mask": encoded(MASK[:80])}, 422, "the mask is 120x80 px and the image 120x120 px"),
        ({"mask": b"no image"}, 415, "the mask: the file is text that begins with"),
        ({"image": b"no image"}, 415, "the file is text that begins with"),
        ({"mask_grow": 300}, 422, "mask_grow='300'"),
        ({"mask_grow": 3, "mask_feather": 4}, 422, "mask_feather=4 px is a part of mask_grow=3 px"),
        ({"scale": 2}, 422, "scale=2 belongs to then=upscale"),
        ({"then": "crop"}, 422, "then='crop'"),
        ({"model": "pixelmend-x4"}, 422, "model 'pixelmend-x4' is for upscaling, not inpainting"),
        ({"model": "big-lama"}, 503, "run `pixelmend models download big-lama`"),
        ({"model": "nix"}, 404, "model='nix' is not known"),
        ({"then": "upscale", "upscale_model": "big-lama"}, 422, "is for inpainting, not upscaling"),
    ],
)
def test_bad_request_is_refused_in_words_and_leaves_nothing(
    service: ServiceClient, change: dict[str, Any], status: int, said: str
) -> None:
    response = inpaint(service, **change)
    assert response.status_code == status, response.text
    assert said in response.json()["detail"]
    service.wait_until_spool_is_empty()


def test_missing_and_superfluous_fields_are_named(service: ServiceClient) -> None:
    alone = service.client.post("/api/inpaint", files={"file": encoded(IMAGE)})
    assert (alone.status_code, alone.json()["detail"][:22]) == (422, "the field 'mask' with ")
    for task, files in (("upscale", {"file": b"x", "mask": b"y"}), ("inpaint-batch", {"mask": b"y"})):
        wrong = service.client.post("/api/jobs", files=files, data={"task": task})
        assert wrong.status_code == 422, wrong.text
        assert "not 'mask'" in wrong.json()["detail"]
    mixed = service.client.post("/api/jobs", files={"files": b"x", "mask": b"y"}, data={"task": "inpaint"})
    assert mixed.json()["detail"] == "the fields 'files' and 'mask' exclude each other"
    service.wait_until_spool_is_empty()


# --- jobs ---------------------------------------------------------------------------------------------------


def test_job_tells_what_it_is_and_how_far(service: ServiceClient) -> None:
    job = post_job(service, mask_grow=5)
    assert (job["task"], job["model"]) == ("inpaint", "pixelmend-fill")
    told = [data for name, _, data in events(service, job["id"]) if name == "progress"]
    fractions = [data["progress"]["fraction"] for data in told]
    assert fractions == sorted(fractions)
    done = service.ended_job(job["id"])
    assert done["state"] == "done"
    assert (done["result"]["width"], done["result"]["height"]) == (120, 120)
    result = service.client.get(f"/api/jobs/{job['id']}/result")
    assert np.array_equal(decoded(result.content), decoded(inpaint(service, mask_grow=5).content))


def test_same_image_with_another_mask_is_other_work(service: ServiceClient) -> None:
    one, same = post_job(service), post_job(service)
    assert one["id"] == same["id"]
    assert inpaint(service, mask=encoded(MASK.T.copy())).headers["x-pixelmend-job"] != one["id"]


def test_cancelled_job_ends_soon_and_leaves_nothing(service: ServiceClient) -> None:
    image, mask = large_and_slow()
    files = {"file": ("a.jpg", image), "mask": ("m.png", mask)}
    job = service.client.post("/api/jobs", files=files, data={"task": "inpaint"}).json()
    service.wait_until("a running job", running=1)
    assert service.client.delete(f"/api/jobs/{job['id']}").json()["state"] == "cancelled"
    service.wait_until_spool_is_empty()
    assert inpaint(service, headers={"Cache-Control": "no-cache"}).status_code == 200
    # The worker has given it up by then, though it would have had to fill thirty times as much.
    deadline_s = time.monotonic() + 5.0
    ended: list[str] = []
    while not ended and time.monotonic() < deadline_s:
        time.sleep(0.02)
        ended = [line for line in service.log.splitlines() if job["id"] in line and "job failed" in line]
    assert len(ended) == 1
    assert json.loads(ended[0])["code"] == "cancelled"


@pytest.mark.full
def test_accepted_job_survives_the_death_of_worker_and_service(tmp_path: Path) -> None:
    image, mask = large_and_slow()
    with running_service(tmp_path) as own:
        files = {"file": ("a.jpg", image), "mask": ("m.png", mask)}
        job = own.client.post("/api/jobs", files=files, data={"task": "inpaint"}).json()
        own.wait_until("a running job", running=1)
        own.lose_worker()
        own.wait_until("a new worker", worker_restarts=1)
        own.kill()
    with running_service(tmp_path) as own:
        done = own.ended_job(job["id"], timeout_s=240)
        assert done["state"] == "done", done
        result = decoded(own.client.get(done["result"]["url"]).content)
        assert result.shape == (900, 900, 3)
        assert not own.spooled_files()


# --- batches ------------------------------------------------------------------------------------------------


def post_batch(service: ServiceClient, files: list[tuple[str, bytes]], masks: list[tuple[str, bytes]]) -> Any:
    sent = [("files", file) for file in files] + [("masks", mask) for mask in masks]
    return service.client.post("/api/inpaint-batch", files=sent)


def packed(entries: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def items_of(response: httpx.Response) -> tuple[zipfile.ZipFile, list[dict[str, Any]]]:
    assert response.status_code == 200, response.text
    archive = zipfile.ZipFile(io.BytesIO(response.content))
    items: list[dict[str, Any]] = json.loads(archive.read("manifest.json"))["items"]
    return archive, items


def test_batch_matches_masks_by_name_and_tells_what_has_none(service: ServiceClient) -> None:
    other = np.ascontiguousarray(MASK.T)
    images = [("a.png", encoded(IMAGE)), ("b.jpg", encoded(IMAGE)), ("c.png", encoded(IMAGE))]
    response = post_batch(service, images, [("B.png", encoded(other)), ("a.webp", encoded(MASK))])
    archive, (a, b, c) = items_of(response)
    assert_removed(decoded(archive.read(a["output"])))
    direct = inpaint(service, mask=encoded(other))
    assert np.array_equal(decoded(archive.read(b["output"])), decoded(direct.content))
    assert "there is no mask called 'c'" in c["problem"]["detail"]
    job = service.job(response.headers["x-pixelmend-job"])
    assert job["task"] == "inpaint-batch"


def test_batch_of_two_archives_and_of_one_mask_for_all(service: ServiceClient) -> None:
    images = packed({"in/a.png": encoded(IMAGE), "in/b.png": encoded(IMAGE[::-1])})
    masks = packed({"masks/b.png": encoded(MASK), "masks/a.png": encoded(MASK)})
    archive, items = items_of(post_batch(service, [("i.zip", images)], [("m.zip", masks)]))
    assert [item["problem"] for item in items] == [None, None]
    assert_removed(decoded(archive.read("in/a.png")))
    alike, _ = items_of(post_batch(service, [("i.zip", images)], [("any.png", encoded(MASK))]))
    for name in ("in/a.png", "in/b.png"):
        assert alike.read(name) == archive.read(name)


def test_batch_with_bad_masks_says_whose(service: ServiceClient) -> None:
    images = [("a.png", encoded(IMAGE)), ("b.png", encoded(IMAGE))]
    masks = [("a.png", b"rubbish"), ("b.png", encoded(MASK[:50]))]
    _, (a, b) = items_of(post_batch(service, images, masks))
    assert a["problem"]["detail"].startswith("the mask: ")
    assert "the mask is 120x50 px" in b["problem"]["detail"]
    twice = post_batch(service, images, [("a.png", encoded(MASK)), ("a.jpg", encoded(MASK))])
    assert (twice.status_code, twice.json()["detail"]) == (422, "there are several masks called 'a'")
    none = service.client.post("/api/inpaint-batch", files=[("files", images[0])])
    assert (none.status_code, none.json()["detail"][:23]) == (422, "the field 'masks' with ")
    service.wait_until_spool_is_empty()


def test_fields_that_need_another_are_refused_in_plain_words(service: ServiceClient) -> None:
    files = {"file": encoded(IMAGE), "mask": encoded(MASK)}
    answer = service.client.post("/api/inpaint", files=files, data={"scale": "2"})
    assert (answer.status_code, answer.json()["detail"]) == (422, "scale=2 belongs to then=upscale")
    answer = service.client.post("/api/inpaint", files=files, data={"scale": "2", "denoise": "0"})
    assert answer.json()["detail"] == "scale=2, denoise=0 belong to then=upscale"
