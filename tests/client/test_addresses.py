"""Clients that name addresses in the place of files: from a bucket into another one, with news of the end."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pixelmend.client import Client, Job
from tests.bucket_server import Buckets, bucket_server
from tests.client.test_javascript import CLIENT, needs_node, node
from tests.inprocess import ThreadService, service_in_threads
from tests.pictures import decoded, encoded, photo
from tests.receiver import HOST, SECRET, telling, told
from tests.web_server import WebServer, web_server

SOURCE = "s3://pictures/photo.png"


@pytest.fixture(scope="module")
def buckets() -> Iterator[Buckets]:
    with bucket_server() as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment.items():
            patch.setenv(name, value)
        running.objects["pictures/photo.png"] = "image/png", encoded(photo(side_px=44))
        yield running


@pytest.fixture(scope="module")
def receiver() -> Iterator[WebServer]:
    with web_server(lambda _: (204, {}, b"")) as running:
        yield running


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, buckets: Buckets, receiver: WebServer
) -> Iterator[ThreadService]:
    with service_in_threads(
        tmp_path_factory.mktemp("addresses"),
        None,
        None,
        None,
        telling(),
        webhook_secret=SECRET,
        fetch_hosts="s3://pictures",
        result_hosts="s3://results",
    ) as running:
        yield running


def test_python(service: ThreadService, buckets: Buckets, receiver: WebServer) -> None:
    hook = f"http://{HOST}:{receiver.port}/done"
    with Client(service.base_url) as client:
        job = client.upload(
            "upscale", image_url=SOURCE, result_url="s3://results/a.png", webhook_url=hook, scale=2
        )
        assert job.delivery is not None
        assert (job.delivery.state, job.file_name) == ("pending", "photo.png")
        job = delivered(client, client.wait(job))
        assert decoded(buckets.objects["results/a.png"][1]).shape == (88, 88, 3)
        batch = client.batch(
            "upscale", [encoded(photo(side_px=30))], result_url="s3://results/a.zip", scale=2
        )
        delivered(client, client.wait(batch))
        assert buckets.objects["results/a.zip"][0] == "application/zip"
    (asked,) = receiver.asked
    assert told(asked)["delivery"]["state"] == "delivered"


@needs_node
def test_javascript(service: ThreadService, buckets: Buckets, tmp_path: Path) -> None:
    code = f"""
    import {{ Pixelmend }} from '{(CLIENT / "pixelmend.js").as_uri()}';
    const service = new Pixelmend(process.argv[1]);
    const fields = {{ image_url: '{SOURCE}', result_url: 's3://results/b.png', scale: 3 }};
    const job = await service.wait(await service.upload('upscale', null, {{ fields }}));
    let delivery;
    do ({{ delivery }} = await service.job(job.id)); while (delivery.state === 'pending');
    console.log(JSON.stringify(delivery));
    """
    done = node("--input-type=module", "-e", code, service.base_url)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"state": "delivered", "attempts": 1, "last_error": None}
    assert decoded(buckets.objects["results/b.png"][1]).shape == (132, 132, 3)


def delivered(client: Client, job: Job) -> Job:
    """Told of its end as well, if it is to be."""
    deadline_s = time.monotonic() + 60
    while time.monotonic() < deadline_s:
        job = client.job(job.id)
        if all(each is None or each.state == "delivered" for each in (job.delivery, job.webhook)):
            return job
        time.sleep(0.05)
    raise AssertionError(job)
