"""`/api/memory` of the real service."""

import json
import signal
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.api.test_metrics import counts
from tests.inprocess import service_in_threads
from tests.pictures import encoded, photo
from tests.service import ServiceClient, running_service


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceClient]:
    folder = tmp_path_factory.mktemp("memory-service")
    # So low that both alerts about memory are up on every machine.
    with service_in_threads(
        folder, memory_monitoring_interval=0.1, cleanup_threshold_percent=1, auto_cleanup_enabled="false"
    ) as running:
        yield running


def memory(service: ServiceClient, **query: Any) -> dict[str, Any]:
    response = service.client.get("/api/memory", params=query)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    assert [device["index"] for device in answer["devices"]] == [0]
    merged: dict[str, Any] = answer | answer["devices"][0]
    return merged


def sampled(service: ServiceClient, at_least: int = 1) -> dict[str, Any]:
    deadline_s = time.monotonic() + 30
    while len((answer := memory(service))["history"]) < at_least:
        assert time.monotonic() < deadline_s, answer
        time.sleep(0.05)
    return answer


def test_mixtures_are_told_apart(service: ServiceClient) -> None:
    for dials in ({"denoise": 0.25}, {"denoise": 0.5, "detail": 0.75}):
        answer = service.client.post("/api/upscale", files={"file": encoded(photo(side_px=50))}, data=dials)
        assert answer.status_code == 200, answer.text
    seen: set[tuple[float | None, float | None]] = set()
    deadline_s = time.monotonic() + 30
    while not {(0.25, None), (0.5, 0.75)} <= seen:
        assert time.monotonic() < deadline_s, seen
        time.sleep(0.05)
        now = memory(service)["now"]
        seen = {(model["denoise"], model["detail"]) for model in now["models"]} if now else set()


def test_memory_is_told_with_its_history(own: ServiceClient) -> None:
    service = own
    service.client.post("/api/upscale", files={"file": encoded(photo(side_px=50))})
    answer = sampled(service, at_least=3)
    now = answer["now"]
    assert (answer["enabled"], answer["interval_s"]) == (True, 0.1)
    assert 0 < now["ceiling_bytes"] <= now["device_capacity_bytes"] <= psutil.virtual_memory().total
    assert now["accounted_bytes"] == sum(model["bytes"] for model in now["models"])
    assert [model["model"] for model in now["models"]] == ["pixelmend-x4"]
    assert now["worker_bytes"] > 50_000_000
    times = [point["time_s"] for point in answer["history"]]
    assert times == sorted(times)
    assert len(memory(service, points=2)["history"]) == 2
    assert memory(service, points=0)["history"] == []
    assert service.client.get("/api/memory", params={"points": -1}).status_code == 422
    assert answer["device"] == "cpu"


def test_history_of_so_many_minutes_is_evenly_spaced_and_ends_with_the_newest(own: ServiceClient) -> None:
    sampled(own, at_least=12)
    times = [point["time_s"] for point in memory(own, minutes=10, points=1800)["history"]]
    assert len(times) >= 12
    few = [point["time_s"] for point in memory(own, minutes=10, points=4)["history"]]
    assert len(few) == 4
    assert few[-1] >= times[-1]
    assert few[-1] - few[0] > (times[-1] - times[0]) / 2
    assert memory(own, minutes=0.000001)["history"] == []
    assert memory(own, minutes=10, points=0)["history"] == []


def events(service: ServiceClient) -> Generator[tuple[str, dict[str, Any]], None, None]:
    with service.client.stream("GET", "/api/memory/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        name = ""
        for line in stream.iter_lines():
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                data = json.loads(value)
                assert data["device"] == 0
                yield name, data[name]


def test_stream_begins_with_what_is_now_and_goes_on(own: ServiceClient) -> None:
    sampled(own)
    with closing(events(own)) as stream:
        name, first = next(stream)
        assert name == "sample"
        samples = [first]
        alerts: list[dict[str, Any]] = []
        while len(samples) < 4:
            name, data = next(stream)
            (samples if name == "sample" else alerts).append(data)
    assert [s["time_s"] for s in samples] == sorted({s["time_s"] for s in samples})
    assert "device-memory" in {alert["kind"] for alert in alerts}


def test_alert_that_is_up_is_told(own: ServiceClient) -> None:
    answer = sampled(own)
    raised = {alert["kind"]: alert for alert in answer["raised"]}
    assert raised["device-memory"]["threshold"] == 1
    assert raised["device-memory"]["value"] >= 1
    assert "device-memory" in {alert["kind"] for alert in answer["alerts"]}


def test_memory_is_counted_for_prometheus(own: ServiceClient) -> None:
    sampled(own)
    found = counts(own)
    by_name = {name: value for (name, labels), value in found.items() if labels == (("device", "0"),)}
    assert 0 < by_name["pixelmend_device_memory_used_bytes"] <= by_name["pixelmend_device_memory_bytes"]
    assert by_name["pixelmend_worker_memory_bytes"] > 50_000_000
    assert found["pixelmend_alert_raised", (("device", "0"), ("kind", "device-memory"))] == 1
    assert found["pixelmend_model_loads_total", (("model", "pixelmend-x4"),)] == 1
    names = {name for name, _ in found}
    assert {"pixelmend_model_memory_bytes", "pixelmend_recoveries_total"} <= names


def test_new_worker_begins_anew_and_the_history_stays(own: ServiceClient) -> None:
    before = sampled(own, at_least=2)["history"][0]
    own.lose_worker()
    own.wait_until("the loss", worker_restarts=1)
    own.wait_until_ready()
    assert before in memory(own, points=1800)["history"]
    sampled(own)


@pytest.mark.full
def test_stream_ends_when_the_service_goes(tmp_path: Path) -> None:
    with running_service(tmp_path, memory_monitoring_interval=0.1) as service:
        stream = events(service)
        next(stream)
        service.process.send_signal(signal.SIGTERM)
        for _ in stream:
            pass
        assert service.process.wait(20) == 0


def test_without_a_monitor_there_is_no_history(tmp_path: Path) -> None:
    with service_in_threads(tmp_path, memory_monitoring_enabled="false") as service:
        answer = memory(service)
        assert (answer["enabled"], answer["history"]) == (False, [])
