"""Batches over HTTP, those that a request waits for and those that are jobs."""

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from pixelmend.jobs import spool
from pixelmend.jobs.model import StoredResult
from pixelmend.jobs.spool import Spool, link_file
from tests.api.batches import CODE, FRESH, job_of, opened, picture, post_batch
from tests.api.test_events import events
from tests.inprocess import service_in_threads
from tests.pictures import decoded, encoded, photo
from tests.service import ServiceClient


def test_one_bad_image_does_not_sink_the_others(service: ServiceClient) -> None:
    good = [picture(0), picture(1, side_px=64)]
    response = post_batch(
        service, [("a.png", good[0]), ("notes.png", b"no image"), ("b.jpg", good[1]), ("empty.png", b"")]
    )
    archive, items = opened(response)
    assert [item["file_name"] for item in items] == ["a.png", "notes.png", "b.jpg", "empty.png"]
    assert [item["state"] for item in items] == ["done", "failed", "done", "failed"]
    assert items[1]["problem"]["type"] == CODE + "unsupported-format"
    assert "0 bytes" in items[3]["problem"]["detail"]
    for data, item in zip(good, (items[0], items[2]), strict=True):
        alone = service.client.post("/api/upscale", files={"file": data}, headers=FRESH)
        assert np.array_equal(decoded(archive.read(item["output"])), decoded(alone.content))
        assert item["provenance"]["model"] == "pixelmend-x4"
        assert (item["width"], item["height"]) == decoded(alone.content).shape[1::-1]
    service.wait_until_spool_is_empty()


def test_options_apply_to_every_image_and_names_never_clash(service: ServiceClient) -> None:
    names = ["x/a.png", "x/a.jpg", "x/A.png", "manifest.json", "../up.png", "C:\\w\\a.png", "", "x/é?.png"]
    files = [(name, picture(10 + n)) for n, name in enumerate(names)]
    archive, items = opened(post_batch(service, files, scale=2, format="webp", quality=70))
    assert [item["output"] for item in items] == [
        "x/a.webp", "x/a-2.webp", "x/A-3.webp", "manifest.webp", "up.webp", "a.webp", "image.webp",
        "x/é_.webp",
    ]  # fmt: skip
    for item in items:
        assert (item["width"], item["height"]) == (80, 80)
        assert archive.read(item["output"])[8:12] == b"WEBP"


def test_archive_says_how_its_images_were_to_be_made(service: ServiceClient) -> None:
    files = [("a.png", picture(40)), ("b.png", picture(41))]
    waited = post_batch(service, files, detail=0.5)
    opened(waited)
    job = service.client.post(
        "/api/jobs",
        files=[("files", file) for file in files],
        data={"task": "upscale-batch", "denoise": 1, "detail": 0.25},
    ).json()
    service.ended_job(job["id"])
    fetched = service.client.get(f"/api/jobs/{job['id']}/result")
    for answer, dials in ((waited, "detail=0.5"), (fetched, "denoise=1, detail=0.25")):
        assert answer.headers["x-pixelmend-items"] == "2"
        assert answer.headers["x-pixelmend-model"] == "pixelmend-x4"
        assert answer.headers["x-pixelmend-dials"] == dials
    assert "x-pixelmend-dials" not in post_batch(service, files).headers


def test_every_image_counts_for_the_quota(tmp_path: Path) -> None:
    with service_in_threads(tmp_path, quota_per_address="4/hour") as service:
        first = [(f"{n}.png", picture(50 + n)) for n in range(3)]
        assert post_batch(service, first).status_code == 200
        assert post_batch(service, first).status_code == 200  # the same job
        refused = post_batch(service, [(f"{n}.png", picture(60 + n)) for n in range(2)])
        assert (refused.status_code, refused.json()["type"]) == (429, CODE + "quota-exceeded")
        assert "1 left for 2 images" in refused.json()["detail"]
        assert post_batch(service, [("last.png", picture(60))]).status_code == 200
        service.wait_until_spool_is_empty()


def test_same_batch_is_the_same_job_and_its_images_are_those_of_single_requests(
    service: ServiceClient,
) -> None:
    files = [("a.png", picture(70)), ("b.png", picture(71))]
    single = service.client.post("/api/upscale", files={"file": files[0][1]})
    first = post_batch(service, files)
    again = post_batch(service, files)
    assert again.headers["x-pixelmend-job"] == first.headers["x-pixelmend-job"]
    assert again.content == first.content
    archive, _ = opened(first)
    assert archive.read("a.png") == single.content
    renamed = post_batch(service, [("c.png", files[0][1]), files[1]])
    assert renamed.headers["x-pixelmend-job"] != first.headers["x-pixelmend-job"]
    fresh = post_batch(service, files, FRESH)
    assert fresh.headers["x-pixelmend-job"] != first.headers["x-pixelmend-job"]
    assert opened(fresh)[1][0]["sha256"] == opened(first)[1][0]["sha256"]


def test_batch_job_tells_of_every_image_and_ends_with_an_archive(service: ServiceClient) -> None:
    files = [("a.png", picture(80)), ("bad.png", b"bad"), ("b.png", picture(81, side_px=64))]
    job = job_of(service, files)
    assert (job["task"], job["progress"]["total_items"]) == ("upscale-batch", 3)
    heard = list(events(service, job["id"]))
    assert [data["state"] for name, _, data in heard if name == "state"][-1] == "done"
    told = [(data["index"], data["state"]) for name, _, data in heard if name == "item"]
    assert (1, "failed") in told
    assert {index for index, state in told if state == "done"} == {0, 2}
    fractions = [data["progress"]["fraction"] for name, _, data in heard if name != "item"]
    assert fractions == sorted(fractions)
    assert all("items" not in data or data["items"] is None for name, _, data in heard if name == "progress")
    last = heard[-1][2]
    assert [item["state"] for item in last["items"]] == ["done", "failed", "done"]
    ended = service.job(job["id"])
    assert ended == last
    assert (ended["progress"]["fraction"], ended["progress"]["done_items"]) == (1, 2)
    assert ended["result"]["media_type"] == "application/zip"
    result = service.client.get(ended["result"]["url"])
    opened(result)
    assert hashlib.sha256(result.content).hexdigest() == ended["result"]["sha256"]
    part = service.client.get(ended["result"]["url"], headers={"Range": "bytes=5-14"})
    assert (part.status_code, part.content) == (206, result.content[5:15])
    listed = {j["id"]: j for j in service.client.get("/api/jobs").json()["jobs"]}
    assert listed[job["id"]]["items"] is None
    # The images are no jobs that anybody asked for.
    assert len([j for j in listed.values() if j["created_at"] >= job["created_at"]]) == 1


@pytest.mark.parametrize(
    ("field", "task", "words"),
    [("file", "upscale-batch", "takes the field 'files'"), ("files", "upscale", "takes the field 'file'")],
)
def test_job_whose_field_is_another_tasks(service: ServiceClient, field: str, task: str, words: str) -> None:
    response = service.client.post("/api/jobs", files={field: ("a.png", picture(0))}, data={"task": task})
    assert response.status_code == 422
    assert words in response.json()["detail"]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[ServiceClient]:
    with service_in_threads(tmp_path, heartbeat_timeout_s=60, worker_jobs=1) as running:
        yield running


SLOW = ("slow.jpg", encoded(photo(side_px=500, left=0, top=0), "JPEG", quality=95))


@pytest.mark.full
def test_first_images_arrive_while_the_last_ones_are_computed(own: ServiceClient) -> None:
    files = [("first.png", picture(0)), *((f"{n}-{SLOW[0]}", SLOW[1] + bytes(n)) for n in range(4))]
    with own.client.stream(
        "POST", "/api/upscale-batch", files=[("files", f) for f in files], data={}
    ) as response:
        chunks = response.iter_bytes()
        first = next(chunks)
        job = own.job(response.headers["x-pixelmend-job"])
        assert job["state"] == "running"
        assert [item["state"] for item in job["items"]][0::4] == ["done", "queued"]
        rest = b"".join(chunks)
    archive = zipfile.ZipFile(io.BytesIO(first + rest))
    assert archive.testzip() is None
    assert len(archive.namelist()) == 6


def test_client_that_goes_away_ends_the_batch_and_leaves_nothing(own: ServiceClient) -> None:
    own.hold_worker()
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            f"{own.base_url}/api/upscale-batch",
            files=[("files", ("a.png", picture(0))), ("files", ("b.png", picture(1)))],
            timeout=1.0,
        )
    own.wait_until("the end of its images", queued=0, running=0)
    own.release_worker()
    own.wait_until_spool_is_empty()
    # The worker had been sent an image whose file is gone now, which is no bug of its own.
    own.wait_until_logged('"job failed"')


def test_batch_that_ends_while_an_image_is_put_in_place_leaves_nothing(
    own: ServiceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, removed, linked = threading.Event(), threading.Event(), threading.Event()
    remove = Spool.remove

    def link_late(source: Path, path: Path) -> None:
        begun.set()
        removed.wait(0.5)
        link_file(source, path)
        linked.set()

    def remove_and_wait(self: Spool, job_id: str, result: StoredResult | None = None) -> None:
        remove(self, job_id, result)
        removed.set()
        linked.wait(0.5)

    monkeypatch.setattr(spool, "link_file", link_late)
    monkeypatch.setattr(Spool, "remove", remove_and_wait)
    job = job_of(own, [("a.png", picture(0))])
    assert begun.wait(10)
    assert own.client.delete(f"/api/jobs/{job['id']}").json()["state"] == "cancelled"
    assert linked.wait(10)
    own.wait_until_spool_is_empty()


def test_cancelled_batch_ends_its_images_and_leaves_nothing(own: ServiceClient) -> None:
    own.hold_worker()
    job = job_of(own, [(f"{n}.png", picture(n)) for n in range(5)])
    own.wait_until("a running image", running=1)
    cancelled = own.client.delete(f"/api/jobs/{job['id']}").json()
    assert cancelled["state"] == "cancelled"
    own.wait_until("the end of its images", queued=0, running=0)
    own.release_worker()
    own.wait_until_spool_is_empty()
    assert own.job(job["id"])["state"] == "cancelled"


def test_batches_leave_room_in_the_queue(own: ServiceClient) -> None:
    own.hold_worker()
    jobs = [job_of(own, [(f"{n}.png", picture(10 * b + n)) for n in range(5)]) for b in range(2)]
    own.wait_until("one image of all batches", running=1, queued=0)
    second = own.job(jobs[1]["id"])
    assert (second["state"], second["place"]) == ("queued", 1)
    own.release_worker()
    for job in jobs:
        assert own.ended_job(job["id"])["state"] == "done"
