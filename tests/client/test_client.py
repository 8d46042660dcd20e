"""The client against the real service; what breaks between them is in tests/cli/test_remote.py too."""

import asyncio
import inspect
import io
import json
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pixelmend.client import AsyncClient, Client, Job
from pixelmend.core.errors import (
    Cancelled,
    CorruptImage,
    InvalidParameter,
    KeyMissing,
    KeyRefused,
    PixelmendError,
    UnknownJob,
    UnsupportedFormat,
    WrongJobState,
)
from pixelmend.core.version import VERSION
from tests.cli.test_remote import relay
from tests.inprocess import service_in_threads
from tests.pictures import decoded, encoded, photo
from tests.service import ServiceClient
from tests.web_server import web_server

IMAGE = encoded(photo(side_px=48))


@pytest.fixture(scope="module")
def client(service: ServiceClient) -> Iterator[Client]:
    with Client(service.base_url + "/") as opened:
        yield opened


def test_run_is_what_the_service_answers(client: Client, service: ServiceClient, tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(IMAGE)
    seen: list[Job] = []
    out = tmp_path / "out.png"
    result = client.run("upscale", tmp_path / "photo.png", out, scale=2, on_progress=seen.append)
    alone = service.client.post("/api/upscale", files={"file": IMAGE}, data={"scale": "2"})
    assert out.read_bytes() == alone.content
    assert (result.width_px, result.height_px, result.path) == (96, 96, out)
    assert result.model == alone.headers["X-Pixelmend-Model"]
    assert result.precision == alone.headers["X-Pixelmend-Precision"]
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []
    again = client.run("upscale", IMAGE, tmp_path / "again.png", scale=2)
    assert again.sha256 == result.sha256


def test_progress_is_told_until_the_end(client: Client, tmp_path: Path) -> None:
    seen: list[Job] = []
    job = client.upload("upscale", encoded(photo("coffee", side_px=70, left=31)), scale=2)
    assert (job.task, job.has_ended) == ("upscale", False)
    done = client.wait(job, on_progress=seen.append)
    assert (seen[-1].state, seen[-1].progress.fraction) == ("done", 1.0)
    assert done.result is not None
    assert client.wait(job.id) == done
    assert client.job(job.id) == done
    assert done.id in [each.id for each in client.jobs()]


def test_masks_and_words_reach_the_form(client: Client, tmp_path: Path) -> None:
    image = photo(side_px=48)
    mask = (image * 0).astype("uint8")
    mask[10:20, 10:20] = 255
    result = client.run("inpaint", encoded(image), tmp_path / "out.png", mask=encoded(mask), mask_grow=0)
    made = decoded((tmp_path / "out.png").read_bytes())
    assert (result.width_px, result.height_px) == (48, 48)
    assert (made[30:] == image[30:]).all()
    assert (made[10:20, 10:20] != image[10:20, 10:20]).any()


def test_batch_is_one_job_with_a_zip(client: Client, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(IMAGE)
    job = client.wait(client.batch("upscale", [tmp_path / "a.png", b"no image"], scale=2))
    assert job.items is not None
    assert [item.state for item in job.items] == ["done", "failed"]
    assert job.items[1].problem is not None
    assert isinstance(job.items[1].problem.error, UnsupportedFormat)
    result = client.download(job, tmp_path / "out.zip")
    assert (result.width_px, result.tiles, result.media_type) == (0, 0, "application/zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert len(manifest["items"]) == 2
        assert decoded(archive.read(str(job.items[0].output))).shape == (96, 96, 3)


def test_what_the_service_refuses_is_raised_as_it_was_there(client: Client, tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="scale='99'"):
        client.upload("upscale", IMAGE, scale=99)
    with pytest.raises(InvalidParameter, match="task='polish'"):
        client.upload("polish", IMAGE)
    with pytest.raises(UnsupportedFormat):
        client.upload("upscale", b"no image at all")
    with pytest.raises(UnknownJob):
        client.job("none")
    with pytest.raises(UnknownJob):
        client.wait("none")
    with pytest.raises(FileNotFoundError):
        client.upload("upscale", tmp_path / "missing.png")
    broken = encoded(photo(side_px=64), "JPEG")
    with pytest.raises(CorruptImage):
        client.run("upscale", broken[: len(broken) // 2], tmp_path / "out.png")
    assert list(tmp_path.iterdir()) == []


def test_cancelled_job_says_so_and_has_no_result(tmp_path: Path) -> None:
    with service_in_threads(tmp_path) as held, Client(held.base_url) as client:
        held.hold_worker()
        job = client.upload("upscale", IMAGE)
        ended: list[BaseException] = []

        def wait() -> None:
            with pytest.raises(Cancelled) as caught:
                client.wait(job)
            ended.append(caught.value)

        waiting = threading.Thread(target=wait)
        waiting.start()
        assert client.cancel(job).state == "cancelled"
        waiting.join(60)
        assert len(ended) == 1
        with pytest.raises(WrongJobState, match="cancelled"):
            client.download(job.id, tmp_path / "out.png")
        held.release_worker()


def test_estimate_models_and_info(client: Client) -> None:
    info = client.info()
    assert (info.name, "upscale" in [task.name for task in info.tasks]) == ("pixelmend", True)
    assert info.default_model in [model.id for model in client.models() if model.present]
    accepted = client.estimate(100, 80, scale=2, image_alpha=True)
    assert (accepted.accepted, accepted.result and accepted.result.width) == (True, 200)
    refused = client.estimate(100_000, 100_000)
    assert refused.problem is not None
    assert (refused.accepted, refused.problem.error.code) == (False, "image-too-large")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "nonsense"])
def test_no_service_is_said_at_once(url: str) -> None:
    with Client(url) as client, pytest.raises(InvalidParameter, match="does not answer"):
        client.info()


def test_the_scheme_may_be_left_out(service: ServiceClient) -> None:
    with Client(service.base_url.removeprefix("http://")) as client:
        assert client.info().version == VERSION


def test_this_machine_is_asked_without_the_environments_proxy(
    service: ServiceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with web_server(lambda asked: (502, {}, b"")) as proxy:
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        for host in ("127.0.0.1", "localhost"):
            with Client(service.base_url.replace("127.0.0.1", host)) as client:
                assert client.info().version == VERSION
        assert proxy.asked == []
        with Client("http://pixelmend.example:8000") as client, pytest.raises(PixelmendError):
            client.info()
    assert proxy.asked[0].path == "http://pixelmend.example:8000/api/info"


def test_what_is_no_url_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="is no URL"):
        Client("http://[::1")


def test_keys_are_sent_and_checked(tmp_path: Path) -> None:
    with service_in_threads(tmp_path, api_keys="secret") as keyed:
        with Client(keyed.base_url, "secret") as right:
            right.check_key()
            assert right.jobs() == []
        with Client(keyed.base_url, "guess") as wrong, pytest.raises(KeyRefused):
            wrong.check_key()
        with Client(keyed.base_url) as without:
            with pytest.raises(KeyMissing):
                without.check_key()
            with pytest.raises(KeyMissing):
                without.upload("upscale", IMAGE)


def test_transfer_that_breaks_off_is_resumed(service: ServiceClient, tmp_path: Path) -> None:
    port = int(service.base_url.rsplit(":", 1)[1])
    with Client(service.base_url) as direct:
        job = direct.wait(direct.upload("upscale", encoded(photo("coffee", side_px=200)), scale=2))
    assert job.result is not None
    ranges = service.log.count('"status": 206')
    with relay(port, [job.result.size_bytes // 2]) as url, Client(url) as client:
        client.download(job, tmp_path / "out.png")
    assert (tmp_path / "out.png").stat().st_size == job.result.size_bytes
    # Lines of the log are written some time after what they tell of.
    deadline_s = time.monotonic() + 30
    while service.log.count('"status": 206') == ranges and time.monotonic() < deadline_s:
        time.sleep(0.02)
    assert service.log.count('"status": 206') == ranges + 1
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]


def test_both_clients_have_the_same_methods(service: ServiceClient, tmp_path: Path) -> None:
    def public(kind: type) -> set[str]:
        return {name for name in vars(kind) if not name.startswith("_")}

    assert public(AsyncClient) - {"aclose"} == public(Client) - {"close", "url"}
    for name in public(AsyncClient) - {"aclose"}:
        assert inspect.iscoroutinefunction(getattr(AsyncClient, name))
        assert getattr(Client, name).__doc__ == getattr(AsyncClient, name).__doc__

    async def use() -> list[Job]:
        async with AsyncClient(service.base_url) as client:
            jobs = [await client.upload("upscale", IMAGE, scale=scale) for scale in (2, 3)]
            return await asyncio.gather(*(client.wait(job) for job in jobs))

    sizes = [job.result and job.result.width for job in asyncio.run(use())]
    assert sizes == [96, 144]


def test_client_of_another_service_says_what_it_is_not(tmp_path: Path, service: ServiceClient) -> None:
    with Client(service.base_url + "/docs") as client, pytest.raises(InvalidParameter, match="no Pixelmend"):
        client.info()
    with (
        Client(service.base_url + "/docs") as client,
        pytest.raises(PixelmendError),
    ):
        client.upload("upscale", io.BytesIO(IMAGE).getvalue())


def test_import_loads_neither_the_service_nor_images() -> None:
    code = (
        "import sys, pixelmend.client\n"
        "heavy = 'torch numpy PIL pyvips fastapi starlette pixelmend.imaging pixelmend.api'.split()\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"
