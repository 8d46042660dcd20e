"""`POST /api/estimate` beside what really happens."""

import re
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.inprocess import service_in_threads
from tests.pictures import encoded, photo
from tests.service import ServiceClient

CODE = "urn:pixelmend:problem:"


def estimate(service: ServiceClient, image_width: int, image_height: int, **fields: Any) -> dict[str, Any]:
    form = {"image_width": image_width, "image_height": image_height, **fields}
    response = service.client.post("/api/estimate", data={k: str(v) for k, v in form.items()})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def run(service: ServiceClient, pixels: np.ndarray[Any, Any], **fields: Any) -> httpx.Response:
    response = service.client.post(
        "/api/upscale",
        files={"file": encoded(pixels)},
        data={k: str(v) for k, v in fields.items()},
        headers={"Cache-Control": "no-cache"},
    )
    assert response.status_code == 200, response.text
    return response


@pytest.mark.parametrize(
    ("size", "fields"),
    [
        ((400, 300), {}),
        ((37, 290), {}),
        ((1, 1), {}),
        ((150, 150), {"tile": 64}),
        ((200, 180), {"scale": 2, "format": "webp", "model": "pixelmend-x4"}),
        ((200, 180), {"width": 500}),
    ],
)
def test_tiles_size_and_precision_are_those_of_the_run(
    service: ServiceClient, size: tuple[int, int], fields: dict[str, Any]
) -> None:
    found = estimate(service, *size, **fields)
    assert (found["accepted"], found["problem"]) == (True, None)
    headers = run(
        service, np.resize(photo(side_px=400, left=0, top=0), (size[1], size[0], 3)), **fields
    ).headers
    tiles = found["tiles"]
    assert headers["x-pixelmend-tiles"] == f"{tiles['count']}; px={tiles['width']}x{tiles['height']}"
    assert headers["x-pixelmend-size"] == f"{found['result']['width']}x{found['result']['height']}"
    assert headers["x-pixelmend-precision"] == found["precision"]
    assert headers["x-pixelmend-device"].startswith(found["device"]["type"])
    assert tiles["computed_pixels"] == tiles["count"] * tiles["width"] * tiles["height"]


def test_sixteen_bits_are_computed_in_full_precision(service: ServiceClient) -> None:
    assert estimate(service, 300, 200, image_bits=16)["precision"] == "float32"


def test_transparency_is_a_plane_more(service: ServiceClient) -> None:
    plain, with_alpha = (estimate(service, 300, 200, image_alpha=alpha) for alpha in (False, True))
    assert with_alpha["tiles"]["computed_pixels"] == 2 * plain["tiles"]["computed_pixels"]
    assert with_alpha["host_bytes"] > plain["host_bytes"]


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({"image_width": 5000}, "image-too-large", "max_input_pixels=1000000"),
        ({"scale": 9}, "", ""),
        ({"format": "webp", "image_width": 8000, "image_height": 10}, "output-too-large", "16383"),
        ({"width": 10}, "invalid-parameter", "width=10"),
        ({"model": "none"}, "unknown-model", "none"),
        ({"tile": 32}, "invalid-parameter", "at least 37 px"),
        ({"denoise": 0.5, "model": "pixelmend-x2"}, "invalid-parameter", "denoise"),
        ({"detail": 0.5, "model": "pixelmend-x2"}, "invalid-parameter", "detail"),
        ({"quality": 80}, "invalid-parameter", "quality=80"),
    ],
)
def test_reason_is_that_of_the_refusal(
    service: ServiceClient, fields: dict[str, Any], code: str, words: str
) -> None:
    form = {"image_width": 400, "image_height": 300, **fields}
    response = service.client.post("/api/estimate", json=form)
    if not code:  # not even a request that makes sense
        assert response.status_code == 422
        return
    found = response.json()
    assert (response.status_code, found["accepted"]) == (200, False)
    assert found["problem"]["type"] == CODE + code
    assert words in found["problem"]["detail"]
    if form["image_width"] * form["image_height"] < 200_000:
        pixels = np.zeros((form["image_height"], form["image_width"], 3), np.uint8)
        real = service.client.post(
            "/api/upscale",
            files={"file": encoded(pixels)},
            data={k: str(v) for k, v in fields.items() if not k.startswith("image_")},
        )
        assert real.status_code == found["problem"]["status"]
        assert real.json()["detail"] == found["problem"]["detail"]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"json": {"image_width": 5}}, 422, "'image_height' is missing"),
        ({"json": {"image_width": 0, "image_height": 5}}, 422, "image_width='0'"),
        ({"json": {"image_width": 5, "image_height": 5, "bits": 8}}, 422, "'bits'"),
        ({"json": {"image_width": 5, "image_height": 5, "image_bits": 9}}, 422, "image_bits='9'"),
        ({"json": [1]}, 400, "object"),
        ({"content": b"{"}, 400, "JSON"),
        ({"content": bytes(20_000)}, 413, "16384"),
        ({"files": {"file": b"image"}}, 400, "files"),
    ],
)
def test_body_that_makes_no_sense(
    service: ServiceClient, body: dict[str, Any], status: int, words: str
) -> None:
    response = service.client.post("/api/estimate", **body)
    assert response.status_code == status, response.text
    assert words in response.json()["detail"]


def test_forms_and_json_say_the_same(service: ServiceClient) -> None:
    fields = {"image_width": "640", "image_height": "480", "format": "", "image_bits": "16"}
    answers = [
        service.client.post("/api/estimate", **body).json()
        for body in (
            {"data": fields},
            {"files": {name: (None, value) for name, value in fields.items()}},
            {"json": {"image_width": 640, "image_height": 480, "image_bits": 16}},
        )
    ]
    assert answers[0]["tiles"] == answers[1]["tiles"] == answers[2]["tiles"] is not None


def test_seconds_come_from_what_was_measured_and_outlive_the_service(tmp_path: Path) -> None:
    with service_in_threads(tmp_path) as service:
        guess = estimate(service, 300, 300)
        assert guess["seconds"]["total"] == guess["seconds"]["device"] > 0
        assert guess["device_bytes"] > 1_000_000
        report = run(service, photo(side_px=300, left=0, top=0))
        service.wait_until_spool_is_empty()  # the job is recorded, and what it took is learned
        measured = dict(re.findall(r"(\w+);dur=([\d.]+)", report.headers["server-timing"]))
        alike = estimate(service, 300, 300)
        for stage, milliseconds in measured.items():
            assert alike["seconds"][stage] == pytest.approx(float(milliseconds) / 1000, abs=0.001)
        larger = estimate(service, 600, 600)
        ratio = larger["tiles"]["computed_pixels"] / alike["tiles"]["computed_pixels"]
        assert larger["seconds"]["device"] == pytest.approx(ratio * alike["seconds"]["device"], rel=0.05)
    with service_in_threads(tmp_path) as service:
        assert estimate(service, 300, 300)["seconds"] == alike["seconds"]


@pytest.mark.full
def test_model_that_was_let_go_is_still_known(tmp_path: Path) -> None:
    with service_in_threads(tmp_path) as service:
        before = estimate(service, 300, 200)
        assert service.client.post("/api/models/pixelmend-x4/unload").json()["loaded"] is False
        after = estimate(service, 300, 200)
        assert after["device_bytes"] is None
        for known in ("tiles", "precision", "host_bytes", "seconds"):
            assert after[known] == before[known] is not None


def test_full_queue_is_the_reason_while_it_is_full(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"max_queue_jobs": 2, "max_queue_pixels": 1_000_000, "heartbeat_timeout_s": 60}
    with service_in_threads(tmp_path, **settings) as service:
        service.hold_worker()
        job = service.post_job(encoded(photo(side_px=200)))
        assert job.status_code == 202
        refused = estimate(service, 200, 200)
        assert refused["problem"]["type"] == CODE + "queue-full"
        assert "max_queue_pixels=1000000" in refused["problem"]["detail"]
        assert estimate(service, 50, 50)["accepted"] is True
        service.post_job(encoded(photo(side_px=20)))
        assert "max_queue_jobs=2" in estimate(service, 50, 50)["problem"]["detail"]
        service.release_worker()


def test_a_film_takes_what_its_frames_take(service: ServiceClient) -> None:
    run(service, photo("coffee", side_px=64, left=3, top=5))
    frame, film = estimate(service, 320, 240), estimate(service, 320, 240, image_frames=500)
    assert (frame["result_bytes"], film["result"]) == (None, frame["result"])
    assert film["tiles"]["computed_pixels"] == 500 * frame["tiles"]["computed_pixels"]
    assert film["seconds"]["total"] == pytest.approx(500 * frame["seconds"]["device"], rel=0.05)
    assert 1_000_000 < film["result_bytes"] < 1280 * 960 * 500
    # No limit on the queue's pixels counts for a film, which has a lane of its own.
    assert estimate(service, 320, 240, image_frames=1_000_000)["accepted"]
