"""`/sdapi/v1/progress`, polled while an extras call of the same key waits."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pixelmend.api.dialects.a1111_progress import progress_of
from tests.api.dialects.sent import IMAGE, text
from tests.inprocess import ThreadService, service_in_threads
from tests.pictures import encoded, photo

SINGLE = "/sdapi/v1/extra-single-image"
PATH = "/sdapi/v1/progress"
ONE, TWO = {"Authorization": "Bearer one"}, {"Authorization": "Bearer two"}
IDLE = progress_of([])


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreadService]:
    folder = tmp_path_factory.mktemp("progress")
    with service_in_threads(folder, api_keys="one,two", tile_px=96) as running:
        yield running


def progress(service: ThreadService, headers: dict[str, str]) -> dict[str, Any]:
    answer: dict[str, Any] = service.client.get(PATH, headers=headers).json()
    return answer


def test_nothing_is_going_on(keyed: ThreadService) -> None:
    assert progress(keyed, ONE) == IDLE
    assert (IDLE["progress"], IDLE["eta_relative"], IDLE["state"]["job_count"]) == (0.0, 0.0, 0)


def test_it_goes_from_0_to_1_for_the_key_that_asked_and_no_other(keyed: ThreadService) -> None:
    sent = {"image": text(encoded(photo(side_px=400, left=0, top=0))), "upscaling_resize": 4}
    seen = []
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(keyed.client.post, SINGLE, json=sent, headers=ONE)
        while not waiting.done():
            seen.append(progress(keyed, ONE))
            assert progress(keyed, TWO) == IDLE
            time.sleep(0.02)
        assert waiting.result().status_code == 200
    assert progress(keyed, ONE) == IDLE
    busy = [each for each in seen if each["state"]["job_count"]]
    fractions = [each["progress"] for each in busy]
    assert {each["state"]["job_count"] for each in busy} == {1}
    assert any(0 < fraction < 1 for fraction in fractions)
    assert fractions == sorted(fractions)
    job = waiting.result().headers["X-Pixelmend-Job"]
    assert {each["state"]["job"] for each in busy} <= {"", job}
    steps = [each["state"] for each in busy if each["state"]["sampling_steps"]]
    assert all(0 <= each["sampling_step"] <= each["sampling_steps"] for each in steps)
    assert any(each["eta_relative"] > 0 for each in busy)


def test_images_of_a_batch_are_one_job_and_what_waits_counts(keyed: ThreadService) -> None:
    pictures = [text(encoded(photo(side_px=32, left=n))) for n in range(3)]
    batch = {"imageList": [{"name": f"{n}.png", "data": data} for n, data in enumerate(pictures)]}
    keyed.hold_worker()
    with ThreadPoolExecutor(2) as pool:
        asked = [
            pool.submit(keyed.client.post, "/sdapi/v1/extra-batch-images", json=batch, headers=ONE),
            pool.submit(keyed.client.post, SINGLE, json={"image": text(encoded(IMAGE))}, headers=ONE),
        ]
        while (now := progress(keyed, ONE))["state"]["job_count"] < 2:
            time.sleep(0.02)
        assert (now["progress"], now["state"]["job_count"]) == (0.0, 2)
        keyed.release_worker()
        assert [each.result().status_code for each in asked] == [200, 200]


def test_it_needs_a_key_if_there_are_any(keyed: ThreadService) -> None:
    assert keyed.client.get(PATH).status_code == 401
