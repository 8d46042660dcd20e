"""nginx before the service: what is let through, what is held back, and what clients hear when it is down."""

import base64
import io
import json
import re
import signal
import socket
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest

from pixelmend.api.dialects.json_upload import base64_bytes
from pixelmend.core.config import Settings
from tests.deploy.proxy import NGINX_FOLDER, PAGE, Proxy, running_proxy, single
from tests.pictures import decoded, encoded, photo
from tests.ports import free_port
from tests.service import RunningService, running_service

pytestmark = pytest.mark.full

PROBLEM = "application/problem+json"
SLOW_CONNECTIONS = 200


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    folder = tmp_path_factory.mktemp("service")
    # No web app of this checkout, which may ask another service.
    with running_service(folder, heartbeat_timeout_s=60, web_dir=folder / "web") as service:
        yield service


@pytest.fixture(scope="module")
def proxy(own: RunningService, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    port = httpx.URL(own.base_url).port
    assert port
    with running_proxy(tmp_path_factory.mktemp("nginx"), single(port)) as running:
        yield running


def post_job(client: httpx.Client, data: bytes, **fields: str) -> dict[str, str]:
    response = client.post("/api/jobs", files={"file": data}, data={"task": "upscale"} | fields)
    assert response.status_code == 202, response.text
    job: dict[str, str] = response.json()
    return job


# --- limits ---------------------------------------------------------------------------------------------


def test_limits_are_the_services_own() -> None:
    text = (NGINX_FOLDER / "pixelmend" / "server.conf").read_text()
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    limits = [int(value) for value in re.findall(r"client_max_body_size (\d+);", text)]
    own = [defaults["max_upload_bytes"], defaults["max_batch_bytes"]]
    film = defaults["max_video_bytes"] + 65536  # with the rest of its form
    assert film > defaults["max_batch_bytes"]
    assert sorted(limits) == sorted([*own, film, *map(base64_bytes, own)])
    (read_timeout_s,) = re.findall(r"^proxy_read_timeout (\d+)s;", text, re.MULTILINE)
    assert int(read_timeout_s) > defaults["request_timeout_s"] + defaults["drain_timeout_s"]


def test_body_over_the_limit_is_refused_as_the_service_would(proxy: Proxy) -> None:
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = proxy.client.post("/api/upscale", content=bytes(50_000_001), headers=form)
    assert (answer.status_code, answer.headers["content-type"]) == (413, PROBLEM)
    assert answer.json()["type"] == "urn:pixelmend:problem:payload-too-large"


@pytest.mark.parametrize(
    ("path", "fields", "expected"),
    [
        ("/api/jobs", {"task": "upscale-batch"}, 202),
        ("/api/upscale-batch", {}, 200),
        ("/api/inpaint-batch", {}, 200),
    ],
)
def test_batches_of_60_mb_go_through(proxy: Proxy, path: str, fields: dict[str, str], expected: int) -> None:
    half = bytes(30_000_000)
    files = [("files", ("a.png", half)), ("files", ("b.png", half))]
    if path == "/api/inpaint-batch":
        files.append(("masks", ("a.png", b"no picture")))
    answer = proxy.client.post(path, files=files, data=fields)
    assert answer.status_code == expected, answer.text
    if expected == 200:
        names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
        assert names == ["manifest.json"]  # two files that are no images


def test_a_film_larger_than_a_batch_may_be_goes_through(proxy: Proxy, tmp_path: Path) -> None:
    """And the service is asked what it is: the proxy has no opinion on it."""
    path = tmp_path / "film.mp4"
    with path.open("wb") as sparse:
        sparse.truncate(1_100_000_000)
    with path.open("rb") as file:
        answer = proxy.client.post(
            "/api/jobs", data={"task": "upscale-video"}, files={"file": file}, timeout=300
        )
    assert (answer.status_code, answer.json()["type"]) == (415, "urn:pixelmend:problem:unsupported-video")


def test_addresses_of_other_programs_reach_the_service(proxy: Proxy) -> None:
    """With their limits, and not the web app's page in their place."""
    assert "pixelmend-x4" in [model["id"] for model in proxy.client.get("/v1/models").json()["data"]]
    assert proxy.client.get("/sdapi/v1/upscalers").json()[0]["name"] == "pixelmend-x4"
    assert proxy.client.get("/api/v1/model").json()["name"] == "pixelmend-fill"
    for path in ("/v1/nothing", "/sdapi/v1/txt2img", "/api/v1/nothing"):
        assert proxy.client.get(path).status_code == 404
    picture = encoded(photo(side_px=32))
    url = proxy.client.post("/v1/images/upscale", files={"image": picture}).json()["data"][0]["url"]
    assert url.startswith(f"{proxy.url}/api/jobs/")
    assert decoded(httpx.get(url).content).shape == (64, 64, 3)


def test_base64_has_four_thirds_of_the_limit(proxy: Proxy) -> None:
    padded = base64.b64encode(encoded(photo(side_px=32)) + bytes(49_000_000)).decode()
    single, batch = "/sdapi/v1/extra-single-image", "/sdapi/v1/extra-batch-images"
    answer = proxy.client.post(single, json={"image": padded})
    assert answer.status_code == 200, answer.text
    images = [{"name": "a", "data": padded}, {"name": "b", "data": padded}]
    answer = proxy.client.post(batch, json={"imageList": images})
    assert (answer.status_code, len(answer.json()["images"])) == (200, 2)
    too_large = proxy.client.post(single, content=b" " * 66_732_205)
    assert (too_large.status_code, too_large.headers["content-type"]) == (413, PROBLEM)


def test_slow_senders_keep_places_here_and_not_in_the_service(proxy: Proxy, own: RunningService) -> None:
    """Half of them never finish their header, half their body; others are served meanwhile."""
    head = b"POST /api/upscale HTTP/1.1\r\nHost: localhost\r\n"
    body = b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000\r\n\r\n--x\r\n"
    before = open_connections(own)
    with ExitStack() as opened:
        slow = []
        for number in range(SLOW_CONNECTIONS):
            connection = socket.socket()
            connection.bind(("127.0.0.2", 0))  # the address of another client
            connection.connect(("127.0.0.1", proxy.port))
            connection.sendall(head + (body if number % 2 else b""))
            slow.append(opened.enter_context(closing(connection)))
        for number in range(20):
            picture = encoded(photo(side_px=32, left=number))
            assert proxy.client.post("/api/upscale", files={"file": picture}).status_code == 200
            slow[number].sendall(b"X")
        assert open_connections(own) <= before + 4


def open_connections(service: RunningService) -> int:
    found = psutil.Process(service.process.pid).net_connections(kind="tcp")
    return sum(connection.status == psutil.CONN_ESTABLISHED for connection in found)


# --- what goes through -----------------------------------------------------------------------------------


def test_pictures_come_back_as_from_the_service_itself(proxy: Proxy, own: RunningService) -> None:
    picture = encoded(photo(side_px=90))
    there = proxy.client.post("/api/upscale", files={"file": picture}, headers={"X-Request-ID": "through"})
    here = own.client.post("/api/upscale", files={"file": picture})
    assert there.status_code == 200, there.text
    assert np.array_equal(decoded(there.content), decoded(here.content))
    assert there.headers["x-request-id"] == "through"
    assert there.headers["x-pixelmend-model"] == "pixelmend-x4"
    assert "content-encoding" not in there.headers
    bad = proxy.client.post("/api/upscale", files={"file": b"no picture"})
    assert (bad.status_code, bad.headers["content-type"]) == (415, PROBLEM)


def test_events_arrive_while_the_job_runs(proxy: Proxy, own: RunningService) -> None:
    own.worker().send_signal(signal.SIGSTOP)
    try:
        job = post_job(proxy.client, encoded(photo(side_px=64, left=3)))
        with proxy.client.stream("GET", f"/api/jobs/{job['id']}/events") as stream:
            lines = stream.iter_lines()
            first = [next(lines) for _ in range(3)]
            assert "event: state" in first
            assert own.job(job["id"])["state"] in ("queued", "running")
            own.worker().send_signal(signal.SIGCONT)
            rest = list(lines)
    finally:
        own.worker().send_signal(signal.SIGCONT)
    states = [json.loads(line[6:])["state"] for line in rest if line.startswith("data: ")]
    assert states[-1] == "done"


def test_results_are_resumable(proxy: Proxy, own: RunningService) -> None:
    job = post_job(proxy.client, encoded(photo(side_px=64, left=4)))
    assert own.ended_job(job["id"])["state"] == "done"
    whole = proxy.client.get(f"/api/jobs/{job['id']}/result")
    part = proxy.client.get(f"/api/jobs/{job['id']}/result", headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    tag = {"If-None-Match": whole.headers["etag"]}
    assert proxy.client.get(f"/api/jobs/{job['id']}/result", headers=tag).status_code == 304


def test_callers_address_reaches_the_service(tmp_path: Path) -> None:
    with (
        running_service(tmp_path, quota_per_address="1/hour", trusted_proxies="127.0.0.1") as service,
        ExitStack() as stack,
    ):
        port = httpx.URL(service.base_url).port
        assert port
        (tmp_path / "nginx").mkdir()
        proxy = stack.enter_context(running_proxy(tmp_path / "nginx", single(port)))
        codes: list[int] = []
        for address in ("127.0.0.3", "127.0.0.4", "127.0.0.3"):
            with httpx.Client(transport=httpx.HTTPTransport(local_address=address)) as client:
                picture = encoded(photo(side_px=32, left=len(codes)))
                codes.append(client.post(f"{proxy.url}/api/upscale", files={"file": picture}).status_code)
    assert codes == [200, 200, 429]


# --- the web app -----------------------------------------------------------------------------------------


def test_app_comes_with_the_headers_that_threads_need(proxy: Proxy, own: RunningService) -> None:
    here = own.client.get("/")
    for path in ("/", "/erase"):
        page = proxy.client.get(path)
        assert (page.status_code, page.content) == (200, PAGE)
        assert page.headers["cross-origin-opener-policy"] == "same-origin"
        assert page.headers["cross-origin-embedder-policy"] == "require-corp"
        assert page.headers["cache-control"] == "no-cache"
        for name in ("content-security-policy", "cross-origin-resource-policy", "referrer-policy"):
            assert page.headers[name] == here.headers[name]
        assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["content-encoding"] == "gzip"


def test_assets_are_kept_and_only_text_and_wasm_are_compressed(proxy: Proxy) -> None:
    for suffix, compressed in (("js", True), ("mjs", True), ("wasm", True), ("png", False)):
        asset = proxy.client.get(f"/assets/thing-1a2b.{suffix}")
        assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert asset.headers["cross-origin-embedder-policy"] == "require-corp"
        assert ("content-encoding" in asset.headers) == compressed, suffix
    assert proxy.client.get("/assets/gone.js").status_code == 404


def test_what_browsers_run_comes_as_what_it_is(proxy: Proxy) -> None:
    for suffix, kinds in (
        ("js", ("application/javascript", "text/javascript")),
        ("mjs", ("text/javascript",)),
        ("wasm", ("application/wasm",)),
    ):
        assert proxy.client.get(f"/assets/thing-1a2b.{suffix}").headers["content-type"] in kinds


def test_documentation_is_served_and_metrics_are_not(proxy: Proxy) -> None:
    assert proxy.client.get("/docs").status_code == 200
    assert proxy.client.get("/openapi.json").json()["info"]["title"]
    assert proxy.client.get("/readyz").status_code == 200
    assert proxy.client.get("/metrics").status_code == 404


# --- the service goes and comes --------------------------------------------------------------------------


def test_restart_of_the_service_is_told_and_survived(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "nginx").mkdir()
    picture = encoded(photo(side_px=40))
    with running_proxy(tmp_path / "nginx", single(port)) as proxy:
        for attempt in range(2):
            absent = proxy.client.post("/api/upscale", files={"file": picture})
            assert (absent.status_code, absent.headers["content-type"]) == (503, PROBLEM)
            assert absent.headers["retry-after"] == "5"
            assert absent.json()["retryable"] is True
            (tmp_path / str(attempt)).mkdir()
            with running_service(tmp_path / str(attempt), port=port):
                there = proxy.client.post("/api/upscale", files={"file": picture})
                assert there.status_code == 200, there.text


def test_follow_ups_reach_the_service_that_has_the_job(tmp_path: Path) -> None:
    """Two services behind the configuration for several GPUs, with their own addresses put in."""
    with ExitStack() as stack:
        upstream = (NGINX_FOLDER / "pixelmend" / "upstream-multi-gpu.conf").read_text()
        services = []
        for number in range(2):
            folder = tmp_path / f"gpu{number}"
            folder.mkdir()
            service = stack.enter_context(running_service(folder, instance=f"gpu{number}"))
            services.append(service)
            address = f"backend-{number}:8000"
            assert upstream.count(address) == 2
            upstream = upstream.replace(address, service.base_url.removeprefix("http://"))
        (tmp_path / "nginx").mkdir()
        proxy = stack.enter_context(running_proxy(tmp_path / "nginx", upstream))
        jobs = [post_job(proxy.client, encoded(photo(side_px=32, left=left))) for left in range(8)]
        instances = {job["id"].partition("-")[0] for job in jobs}
        assert instances == {"gpu0", "gpu1"}
        for job in jobs:
            with proxy.client.stream("GET", f"/api/jobs/{job['id']}/events") as stream:
                assert stream.status_code == 200
                assert '"state":"done"' in "".join(stream.iter_lines())
            result = proxy.client.get(f"/api/jobs/{job['id']}/result")
            assert decoded(result.content).shape == (128, 128, 3)
            assert proxy.client.delete(f"/api/jobs/{job['id']}").json()["state"] == "expired"
        assert proxy.client.get("/api/jobs/gpu7-00").status_code == 503  # there may have been such a one
