"""`/metrics` of the real service, read as Prometheus reads it."""

from prometheus_client.parser import text_string_to_metric_families

from tests.pictures import encoded, photo
from tests.service import ServiceClient

Counts = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def counts(service: ServiceClient) -> Counts:
    response = service.client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=")
    found: Counts = {}
    for family in text_string_to_metric_families(response.text):
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found
            found[key] = sample.value
    return found


def grown(service: ServiceClient, before: Counts) -> dict[str, float]:
    """By `name{label=value,...}`, what is more than it was."""
    return {
        f"{name}{{{','.join(f'{k}={v}' for k, v in labels)}}}": value - before.get((name, labels), 0.0)
        for (name, labels), value in counts(service).items()
        if value > before.get((name, labels), 0.0)
    }


def test_requests_jobs_tiles_and_errors_are_counted(service: ServiceClient) -> None:
    before = counts(service)
    assert before["pixelmend_log_lines_dropped_total", ()] == 0
    assert before["pixelmend_worker_ready", (("device", "0"), ("name", "cpu"))] == 1
    data = encoded(photo("rocket", side_px=44, left=200, top=200))
    answer = service.client.post("/api/upscale", files={"file": data})
    job_id = answer.headers["x-pixelmend-job"]
    service.client.post("/api/upscale", files={"file": data})  # the same job
    service.client.post("/api/upscale", files={"file": b"no image"})
    service.client.get(f"/api/jobs/{job_id}")
    service.client.get("/no/such/page")
    service.client.request("PROPFIND", "/livez")
    after = grown(service, before)
    assert after["pixelmend_requests_total{method=POST,route=/api/upscale,status=200}"] == 2
    assert after["pixelmend_requests_total{method=POST,route=/api/upscale,status=415}"] == 1
    assert after["pixelmend_requests_total{method=GET,route=/api/jobs/{job_id},status=200}"] == 1
    assert after["pixelmend_requests_total{method=GET,route=none,status=404}"] == 1
    assert [name for name in after if "method=other" in name and "status=405" in name]
    assert after["pixelmend_errors_total{type=unsupported-format,where=request}"] == 1
    assert after["pixelmend_jobs_total{state=done,task=upscale}"] == 1
    precision = answer.headers["x-pixelmend-precision"]
    assert after[f"pixelmend_tiles_total{{model=pixelmend-x4,precision={precision}}}"] == 1
    assert after["pixelmend_result_pixels_total{model=pixelmend-x4}"] == (4 * 44) ** 2
    for stage in ("decode", "device", "encode"):
        assert after[f"pixelmend_stage_seconds_total{{stage={stage}}}"] > 0
    assert job_id not in service.client.get("/metrics").text


def test_failed_job_is_counted_by_its_problem(service: ServiceClient) -> None:
    before = counts(service)
    assert before["pixelmend_log_lines_dropped_total", ()] == 0
    assert before["pixelmend_worker_ready", (("device", "0"), ("name", "cpu"))] == 1
    data = encoded(photo("rocket", side_px=60))
    assert service.client.post("/api/upscale", files={"file": data[: len(data) // 2]}).status_code == 422
    after = grown(service, before)
    assert after["pixelmend_errors_total{type=corrupt-image,where=job}"] == 1
    assert after["pixelmend_jobs_total{state=failed,task=upscale}"] == 1


def test_gauges_tell_how_it_is_now(service: ServiceClient) -> None:
    now = {name: value for (name, labels), value in counts(service).items() if not labels}
    assert now["pixelmend_ready"] == 1
    assert now["pixelmend_queue_pixels"] == 0
    assert now["pixelmend_spool_free_bytes"] > 0
    names = {name for name, _ in counts(service)}
    assert {"pixelmend_model_loaded", "pixelmend_queue_jobs", "pixelmend_worker_restarts_total"} <= names
