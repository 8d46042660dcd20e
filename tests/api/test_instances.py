"""Several services, each of which shows the memory and the models of all."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pixelmend.api.peers import TIMEOUT_S
from pixelmend.core.config import SECRET_VARIABLES, Settings
from tests.inprocess import service_in_threads
from tests.ports import free_port
from tests.service import ServiceClient

KEY = "the-peer-key"


@contextmanager
def foreign_server() -> Iterator[str]:
    """Answers 200 to everything, and is no Pixelmend."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def bound_socket(*, listening: bool) -> Iterator[int]:
    """A port that nothing answers on: silent if it listens, closed if not."""
    with socket.socket() as end:
        end.bind(("127.0.0.1", 0))
        if listening:
            end.listen()
        yield end.getsockname()[1]


def folder(parent: Path, name: str) -> Path:
    (parent / name).mkdir()
    return parent / name


def instances(service: ServiceClient) -> list[dict[str, Any]]:
    answer = service.client.get("/api/instances")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["instances"]
    return found


@pytest.mark.full
def test_each_service_is_shown_with_its_models_or_with_what_is_wrong(tmp_path: Path) -> None:
    with (
        service_in_threads(
            folder(tmp_path, "b"), instance="b", memory_monitoring_interval=0.1, api_keys=KEY
        ) as other,
        foreign_server() as foreign,
        bound_socket(listening=False) as closed,
        bound_socket(listening=True) as silent,
    ):
        urls = [other.base_url, foreign, f"http://127.0.0.1:{closed}", f"http://127.0.0.1:{silent}"]
        peers = ", ".join([urls[0] + "/", *urls[1:]])
        with service_in_threads(folder(tmp_path, "a"), instance="a", peers=peers, peer_key=KEY) as own:
            found = instances(own)
            assert [each["url"] for each in found] == [None, *urls]
            assert [each["instance"] and each["instance"]["id"] for each in found] == [
                "a",
                "b",
                None,
                None,
                None,
            ]
            assert found[1]["instance"]["port"] == int(other.base_url.rpartition(":")[2])
            for each in found[:2]:
                assert [model["id"] for model in each["models"] if model["architecture"]] == ["pixelmend-x4"]
                assert each["memory"]["devices"][0]["device"] == "cpu"
                assert each["problem"] is None
            assert "something else" in found[2]["problem"]
            assert "cannot be reached" in found[3]["problem"]
            assert found[4]["problem"] == f"it did not answer within {TIMEOUT_S:g} s"


def test_refusal_of_a_peer_is_told_and_a_service_shows_itself_once(tmp_path: Path) -> None:
    port = free_port()
    with service_in_threads(folder(tmp_path, "keyed"), api_keys=KEY) as keyed:
        peers = f"http://127.0.0.1:{port},{keyed.base_url}"
        with service_in_threads(folder(tmp_path, "own"), port=port, peers=peers) as own:
            found = instances(own)
    assert [(each["url"], each["problem"]) for each in found] == [
        (None, None),
        (keyed.base_url, "it answered 401"),
    ]


def test_without_peers_there_is_one_and_its_id_is_its_machine_and_port(service: ServiceClient) -> None:
    (one,) = instances(service)
    port = int(service.base_url.rpartition(":")[2])
    assert one["instance"] == {
        "id": f"{socket.gethostname()}-{port}",
        "host": socket.gethostname(),
        "port": port,
    }


@pytest.mark.parametrize("peers", ["a:8000", "http://", "http://user:pass@a", "http://a/path", "http://a,,"])
def test_what_is_no_address_is_refused_at_the_start(peers: str) -> None:
    with pytest.raises(ValidationError, match="peers"):
        Settings(_env_file=None, peers=peers)


def test_key_of_the_peers_is_a_secret() -> None:
    assert "PIXELMEND_PEER_KEY" in SECRET_VARIABLES
