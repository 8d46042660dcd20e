"""`image_url`: files from addresses, real servers on both sides, and no connection to where none may go."""

import socket
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

import httpx
import numpy as np
import pytest

from pixelmend.core.outbound import Outbound
from tests.inprocess import ThreadService, service_in_threads
from tests.pictures import decoded, encoded, photo
from tests.service import ServiceClient
from tests.web_server import Answer, Asked, WebServer, web_server

IMAGE = encoded(photo(side_px=40))
NAMES = {"pictures.example": "127.0.0.1", "other.example": "127.0.0.1", "inside.example": "127.0.0.2"}


@dataclass
class World:
    """public: at an address that counts as such. inside: at one that does not, at the same port."""

    service: ThreadService
    public: WebServer
    inside: WebServer
    resolved: Counter[str] = field(default_factory=Counter)

    def url(self, path: str, host: str = "pictures.example") -> str:
        return f"http://{host}:{self.public.port}{path}"

    def upscale(self, url: str, path: str = "/api/upscale", **fields: str) -> httpx.Response:
        parts = {name: (None, value) for name, value in {"image_url": url, "scale": "2", **fields}.items()}
        return self.service.client.post(path, files=parts)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    resolved: Counter[str] = Counter()

    async def resolve(host: str, port: int) -> list[str]:
        resolved[host] += 1
        if host == "mixed.example":
            return ["127.0.0.1", "127.0.0.2"]
        if host not in NAMES:
            raise OSError("no such name")
        return [NAMES[host]]

    def answer(asked: Asked) -> Answer:
        path = asked.path
        port = asked.headers["host"].rpartition(":")[2]
        if path.startswith("/to/"):
            host, _, rest = path.removeprefix("/to/").partition("/")
            return 302, {"Location": f"http://{host}:{port}/{rest}", "Set-Cookie": "a=b"}, b""
        known: dict[str, Answer] = {
            "/photo%20one.png": (200, {"Content-Length": str(len(IMAGE))}, IMAGE),
            "/photo.png?key=secret": (200, {}, IMAGE),
            "/relative": (307, {"Location": "/photo.png?key=secret"}, b""),
            "/to-file": (302, {"Location": "file:///etc/passwd"}, b""),
            "/large": (200, {}, bytes(300_000)),
            "/said-large": (200, {"Content-Length": "300000"}, b""),
            "/cut": (200, {"Content-Length": "3000"}, IMAGE[:100]),
            "/text": (200, {"Content-Type": "image/png"}, b"no image"),
            "/packed": (200, {"Content-Encoding": "gzip"}, IMAGE),
            "/empty": (200, {}, b""),
            "/broken": (503, {}, b""),
        }
        return known.get(path, (404, {}, b""))

    outbound = Outbound(
        "pictures.example,other.example,inside.example,mixed.example,nameless.example",
        "PIXELMEND_FETCH_HOSTS",
        resolve=resolve,
        allows=lambda address: address == ip_address("127.0.0.1"),
    )
    folder = tmp_path_factory.mktemp("fetching")
    with (
        web_server(answer) as public,
        web_server(lambda _: (200, {}, IMAGE), "127.0.0.2", public.port) as inside,
        service_in_threads(folder, None, None, outbound, max_upload_bytes=200_000) as service,
    ):
        yield World(service, public, inside, resolved)
        assert inside.connections == 0, "a request went to where none may go"


def test_image_is_fetched_and_named_after_its_address(world: World) -> None:
    answer = world.upscale(world.url("/photo%20one.png"))
    assert answer.status_code == 200, answer.text
    sent = world.service.client.post("/api/upscale", files={"file": IMAGE}, data={"scale": "2"})
    assert answer.content == sent.content
    assert 'filename="photo one-x2.png"' in answer.headers["Content-Disposition"]
    asked = world.public.asked[-1]
    assert asked.headers["host"] == f"pictures.example:{world.public.port}"
    assert {"cookie", "authorization", "referer"} & set(asked.headers) == set()


def test_same_bytes_are_the_same_work_wherever_they_come_from(world: World) -> None:
    first = world.upscale(world.url("/photo.png?key=secret"), "/api/jobs", task="upscale", scale="3").json()
    sent = world.service.post_job(IMAGE, scale=3).json()
    assert first["id"] == sent["id"]
    assert first["file_name"] == "photo.png"
    assert "secret" not in world.service.log


def test_inpaint_takes_it_beside_its_mask(world: World) -> None:
    hole = np.zeros((40, 40), np.uint8)
    hole[10:15, 10:15] = 255
    mask = encoded(hole)
    url = world.url("/photo%20one.png")
    answer = world.service.client.post("/api/inpaint", files={"mask": mask}, data={"image_url": url})
    assert answer.status_code == 200, answer.text
    assert decoded(answer.content).shape == (40, 40, 3)


def test_redirects_are_followed_three_times_without_cookies(world: World) -> None:
    three = world.url("/to/other.example/to/pictures.example/relative")
    assert world.upscale(three).status_code == 200
    assert all("cookie" not in asked.headers for asked in world.public.asked)
    four = world.upscale(world.url("/to/other.example/to/other.example/to/other.example/relative"))
    assert (four.status_code, "more than 3 redirects" in four.json()["detail"]) == (422, True)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/to/inside.example/x", "127.0.0.2, which is no public address"),
        ("/to/127.0.0.2/x", "not one of PIXELMEND_FETCH_HOSTS"),
        ("/to/unlisted.example/x", "'unlisted.example' is not one of"),
        ("/to/user@other.example/x", "user name"),
        ("/to-file", "http or https"),
    ],
)
def test_redirects_are_checked_like_addresses(world: World, path: str, words: str) -> None:
    answer = world.upscale(world.url(path))
    assert (answer.status_code, words in answer.json()["detail"]) == (422, True), answer.text


@pytest.mark.parametrize("host", ["inside.example", "mixed.example"])
def test_host_with_any_address_inside_is_refused(world: World, host: str) -> None:
    """A name that has a public address as well does not make the other one reachable."""
    before = world.public.connections
    answer = world.upscale(world.url("/x", host))
    assert answer.status_code == 422
    assert f"the host '{host}' is 127.0.0.2" in answer.json()["detail"]
    assert world.public.connections == before


def test_name_is_looked_up_once_and_that_address_is_connected_to(world: World) -> None:
    """Otherwise a name could stand for another address after the check."""
    before = world.resolved["pictures.example"]
    assert world.upscale(world.url("/photo.png?key=secret")).status_code == 200
    assert world.resolved["pictures.example"] == before + 1


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/missing", 422, "pictures.example answers 404"),
        ("/broken", 502, "pictures.example answers 503"),
        ("/cut", 502, "cannot be read"),
        ("/large", 413, "max_upload_bytes=200000"),
        ("/said-large", 413, "300000 bytes"),
        ("/text", 415, ""),
        ("/packed", 422, "compressed"),
        ("/empty", 422, "0 bytes"),
    ],
)
def test_what_is_no_image_is_said_and_nothing_stays(world: World, path: str, status: int, words: str) -> None:
    answer = world.upscale(world.url(path))
    assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.text
    world.service.wait_until_spool_is_empty()


def test_film_may_be_as_large_as_films_may(world: World) -> None:
    answer = world.upscale(world.url("/large"), "/api/jobs", task="upscale-video")
    assert (answer.status_code, answer.json()["type"]) == (415, "urn:pixelmend:problem:unsupported-video")
    image = world.upscale(world.url("/large"), "/api/jobs", task="upscale")
    assert (image.status_code, "max_upload_bytes" in image.json()["detail"]) == (413, True)


def test_host_without_an_address_or_a_server_is_said(world: World) -> None:
    nameless = world.upscale("http://nameless.example/x.png")
    assert (nameless.status_code, "has no address" in nameless.json()["detail"]) == (422, True)
    silent = world.upscale("http://pictures.example:9/x.png")
    assert (silent.status_code, silent.json()["type"]) == (502, "urn:pixelmend:problem:fetch-failed")
    assert "ConnectError" in silent.json()["detail"]


def test_address_and_file_exclude_each_other_and_batches_take_files(world: World) -> None:
    url = world.url("/photo%20one.png")
    both = world.service.client.post("/api/upscale", files={"file": IMAGE}, data={"image_url": url})
    assert (both.status_code, "exclude each other" in both.json()["detail"]) == (422, True)
    batch = world.service.client.post("/api/upscale-batch", files={"files": IMAGE}, data={"image_url": url})
    assert (batch.status_code, "'image_url'" in batch.json()["detail"]) == (422, True)


def test_off_unless_hosts_are_listed(service: ServiceClient) -> None:
    parts = {"image_url": (None, "http://pictures.example/x.png")}
    for path in ("/api/upscale", "/api/inpaint"):
        answer = service.client.post(path, files=parts)
        assert answer.status_code == 422
        assert "PIXELMEND_FETCH_HOSTS names no hosts" in answer.json()["detail"]


def test_name_of_this_machine_is_refused_even_if_it_is_listed(tmp_path: Path) -> None:
    """As the system resolves names, with nothing replaced."""
    hosts = "localhost,127.0.0.1,::1"
    with (
        web_server(lambda _: (200, {}, IMAGE)) as server,
        service_in_threads(tmp_path, fetch_hosts=hosts) as own,
    ):
        for host in ("localhost", "127.0.0.1", "LOCALHOST.", "[::1]"):
            parts = {"image_url": (None, f"http://{host}:{server.port}/x.png")}
            answer = own.client.post("/api/upscale", files=parts)
            assert answer.status_code == 422
            assert "which is no public address" in answer.json()["detail"]
        assert server.connections == 0


def test_slow_server_does_not_hold_a_request(tmp_path: Path) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    with socket.create_server(("127.0.0.1", 0)) as silent:
        fetching = Outbound("slow.example", "HOSTS", resolve=resolve, allows=lambda _: True)
        port = silent.getsockname()[1]
        with service_in_threads(tmp_path, None, None, fetching, upload_timeout_s=0.5) as own:
            parts = {"image_url": (None, f"http://slow.example:{port}/x.png")}
            answer = own.client.post("/api/upscale", files=parts)
    assert (answer.status_code, "within 0.5 s" in answer.json()["detail"]) == (502, True)
