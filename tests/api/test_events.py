"""Server-sent events of the real service."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.inprocess import service_in_threads
from tests.pictures import encoded, photo
from tests.service import ServiceClient


def picture(left: int, side_px: int = 40) -> bytes:
    return encoded(photo("coffee", side_px=side_px, left=left, top=150))


def events(
    service: ServiceClient, job_id: str, last_id: str = ""
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(event, id, data) until the stream ends."""
    headers = {"Last-Event-ID": last_id} if last_id else {}
    with service.client.stream("GET", f"/api/jobs/{job_id}/events", headers=headers) as stream:
        assert stream.status_code == 200
        assert stream.headers["content-type"].startswith("text/event-stream")
        fields: dict[str, str] = {}
        for line in stream.iter_lines():
            name, _, value = line.partition(": ")
            fields[name] = value
            if not line:
                if "data" in fields:
                    yield fields.get("event", ""), fields.get("id", ""), json.loads(fields["data"])
                fields = {}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[ServiceClient]:
    with service_in_threads(tmp_path, heartbeat_timeout_s=60, worker_jobs=1) as running:
        yield running


def test_events_tell_every_state_and_growing_progress(own: ServiceClient) -> None:
    own.hold_worker()
    own.post_job(picture(0, side_px=100))
    job = own.post_job(picture(1, side_px=100), tile=64).json()
    heard: list[tuple[str, str, dict[str, Any]]] = []
    for event in events(own, job["id"]):
        if not heard:
            assert (event[0], event[2]["state"], event[2]["place"]) == ("state", "queued", 1)
            own.release_worker()
        heard.append(event)
    assert [data["state"] for name, _, data in heard if name == "state"] == ["queued", "running", "done"]
    assert heard[-1][:2] == ("state", "end")
    fractions = [data["progress"]["fraction"] for _, _, data in heard]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert heard[-1][2]["result"]["url"] == f"/api/jobs/{job['id']}/result"
    assert own.client.get(job_events := f"/api/jobs/{job['id']}/events").status_code == 200
    assert own.client.get(job_events, headers={"Last-Event-ID": "end"}).status_code == 204


def test_resumed_stream_tells_what_was_missed_and_nothing_again(own: ServiceClient) -> None:
    own.hold_worker()
    own.post_job(picture(2))
    job = own.post_job(picture(3)).json()
    stream = events(own, job["id"])
    _, first_id, first = next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert first["state"] == "queued"
    own.release_worker()
    own.ended_job(job["id"])
    after_end = [data["state"] for name, _, data in events(own, job["id"], first_id) if name == "state"]
    assert after_end == ["done"]


def test_stream_of_an_unknown_past_begins_with_the_present(own: ServiceClient) -> None:
    own.hold_worker()
    job = own.post_job(picture(4)).json()
    name, _, data = next(events(own, job["id"], "0123abcd-99"))
    assert (name, data["state"]) == ("state", "running")
    own.release_worker()
    own.ended_job(job["id"])


def test_cancelling_ends_the_stream(own: ServiceClient) -> None:
    own.hold_worker()
    job = own.post_job(picture(5)).json()
    heard: list[tuple[str, str, str]] = []
    for name, event_id, data in events(own, job["id"]):
        if not heard:
            own.client.delete(f"/api/jobs/{job['id']}")
        heard.append((name, event_id, data["state"]))
    assert heard[-1] == ("state", "end", "cancelled")
    own.release_worker()
    own.wait_until("the end", running=0)
