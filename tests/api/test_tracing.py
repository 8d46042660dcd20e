"""Traces: a real collector gets the spans of requests and jobs, with the parents that they should have."""

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.inprocess import ThreadService, service_in_threads
from tests.pictures import encoded, photo
from tests.web_server import Answer, Asked, web_server

WAIT_S = 30.0
TRACE_ID, PARENT_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = {"traceparent": f"00-{TRACE_ID}-{PARENT_ID}-01"}
IMAGE = encoded(photo(side_px=40))


@dataclass
class Collector:
    spans: list[Span] = field(default_factory=list)
    resource: dict[str, str] = field(default_factory=dict)
    paths: set[str] = field(default_factory=set)
    is_well: bool = True

    def __call__(self, asked: Asked) -> Answer:
        if not self.is_well:
            return 400, {}, b""
        self.paths.add(asked.path)
        for resource in ExportTraceServiceRequest.FromString(asked.body).resource_spans:
            self.resource = {each.key: each.value.string_value for each in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += scope.spans
        return 200, {"Content-Type": "application/x-protobuf"}, b""

    def of_request(self, request_id: str, name: str) -> Span:
        """The first span of that name with that request's id, once it has come."""
        deadline_s = time.monotonic() + WAIT_S
        while time.monotonic() < deadline_s:
            for span in list(self.spans):
                if span.name == name and told(span).get("pixelmend.request_id") == request_id:
                    return span
            time.sleep(0.05)
        raise AssertionError([span.name for span in self.spans])

    def children(self, parent: Span) -> dict[str, Span]:
        return {span.name: span for span in self.spans if span.parent_span_id == parent.span_id}


def told(span: Span) -> dict[str, str | int]:
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    collecting = Collector()
    with web_server(collecting) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.port}")
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        yield collecting


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[ThreadService]:
    with service_in_threads(tmp_path_factory.mktemp("traces"), instance="gpu1") as running:
        yield running


def test_job_is_a_part_of_its_request_and_that_of_the_callers_trace(
    service: ThreadService, collector: Collector
) -> None:
    headers = {**TRACEPARENT, "X-Request-ID": "first"}
    answer = service.client.post("/api/upscale?", files={"file": IMAGE}, data={"scale": "2"}, headers=headers)
    assert answer.status_code == 200
    request = collector.of_request("first", "POST /api/upscale")
    job = collector.of_request("first", "job upscale")
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE_ID, PARENT_ID)
    assert (job.trace_id.hex(), job.parent_span_id) == (TRACE_ID, request.span_id)
    assert request.kind == Span.SPAN_KIND_SERVER
    assert told(request) == {
        "http.request.method": "POST",
        "http.route": "/api/upscale",
        "http.response.status_code": 200,
        "pixelmend.request_id": "first",
        "pixelmend.job": answer.headers["X-Pixelmend-Job"],
    }
    assert told(job)["pixelmend.model"] == answer.headers["X-Pixelmend-Model"]
    assert told(job)["pixelmend.state"] == "done"
    parts = collector.children(job)
    assert set(parts) == {"queue", "run"}
    stages = collector.children(parts["run"])
    assert set(stages) == {"decode", "network", "encode"}
    begins = job.start_time_unix_nano
    for part in (*parts.values(), *stages.values()):
        assert begins <= part.start_time_unix_nano <= part.end_time_unix_nano <= job.end_time_unix_nano
    assert parts["queue"].end_time_unix_nano == parts["run"].start_time_unix_nano
    assert collector.resource["service.name"] == "pixelmend"
    assert collector.resource["service.instance.id"] == "gpu1"
    assert collector.paths == {"/v1/traces"}


def test_templates_are_told_and_not_what_was_sent(service: ThreadService, collector: Collector) -> None:
    headers = {"X-Request-ID": "second"}
    service.client.get("/api/jobs/hidden?key=hidden", headers=headers)
    span = collector.of_request("second", "GET /api/jobs/{job_id}")
    assert told(span)["http.response.status_code"] == 422  # a query that is not known
    assert span.parent_span_id == b""
    assert not any("hidden" in str(value) for value in told(span).values())


def test_failed_job_is_an_error_by_its_code(service: ThreadService, collector: Collector) -> None:
    cut = encoded(photo(side_px=64), "JPEG")
    headers = {"X-Request-ID": "third"}
    service.post_job(cut[: len(cut) // 2], headers)
    job = collector.of_request("third", "job upscale")
    assert (job.status.code, job.status.message) == (2, "corrupt-image")
    assert collector.of_request("third", "POST /api/jobs").status.code == 0


def test_images_of_a_batch_belong_to_its_request(service: ThreadService, collector: Collector) -> None:
    parts = [("files", (f"{n}.png", encoded(photo(side_px=32, left=n)))) for n in range(2)]
    data = {"task": "upscale-batch", "scale": "2"}
    service.client.post("/api/jobs", files=parts, data=data, headers={"X-Request-ID": "fourth"})
    batch = collector.of_request("fourth", "job upscale-batch")
    image = collector.of_request("fourth", "job upscale")
    assert image.parent_span_id == batch.parent_span_id != b""


@pytest.mark.parametrize("value", ["", "00-zz-1-01", "x" * 4000, f"00-{'0' * 32}-{'0' * 16}-01"])
def test_what_is_no_traceparent_begins_a_trace(
    service: ThreadService, collector: Collector, value: str
) -> None:
    request_id = f"odd-{len(value)}"
    headers = {"traceparent": value, "X-Request-ID": request_id}
    assert service.client.get("/api/info", headers=headers).status_code == 200
    assert collector.of_request(request_id, "GET /api/info").parent_span_id == b""


def test_probes_have_no_spans(service: ThreadService, collector: Collector) -> None:
    service.client.get("/livez")
    service.client.get("/api/info", headers={"X-Request-ID": "fifth"})
    collector.of_request("fifth", "GET /api/info")
    assert not any("livez" in span.name or "readyz" in span.name for span in collector.spans)


def test_a_collector_that_fails_harms_nothing_and_is_logged_once(
    service: ThreadService, collector: Collector
) -> None:
    collector.is_well = False
    for _ in range(4):
        answer = service.client.post("/api/upscale", files={"file": IMAGE}, data={"scale": "2"})
        assert answer.status_code == 200
        time.sleep(0.2)
    service.wait_until_logged("traces cannot be sent", timeout_s=WAIT_S)
    collector.is_well = True
    service.client.get("/api/info", headers={"X-Request-ID": "sixth"})
    collector.of_request("sixth", "GET /api/info")
    assert service.log.count("traces cannot be sent") == 1


@pytest.mark.full
def test_a_collector_that_is_gone_does_not_keep_a_service_from_leaving(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    with service_in_threads(tmp_path) as own:
        assert own.client.post("/api/upscale", files={"file": IMAGE}).status_code == 200


def test_missing_extra_is_said_and_the_service_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "pixelmend.core.otlp", None)
    with service_in_threads(tmp_path, wait_for_port_only=True) as own:
        assert own.client.get("/api/info").status_code == 200
        assert "pip install 'pixelmend[otel]'" in own.log


def test_nothing_is_imported_without_a_collector(tmp_path: Path) -> None:
    """But what FastAPI itself imports of it, if it is installed."""
    code = """
import sys
from pixelmend.api.server import server_for
from pixelmend.api.service import build_service
from pixelmend.core.config import Settings
from pixelmend.core.telemetry import Logger
server_for(build_service(Settings(_env_file=None), Logger()))
ours = ("opentelemetry.sdk", "opentelemetry.exporter", "pixelmend.core.otlp")
print([name for name in sys.modules if name.startswith(ours)])
"""
    environment = {"PIXELMEND_DATA_DIR": str(tmp_path), "PATH": "/usr/bin", "HOME": str(tmp_path)}
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert shown.stdout.strip() == "[]"
