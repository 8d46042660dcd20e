"""Over TLS the certificate has to be of the name that was asked for, though the address is connected to."""

import asyncio
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from pixelmend.core.outbound import Outbound

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.headers["host"].encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class has it
        pass


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The self-signed certificate of secure.example, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    own, key = folder / "own.pem", folder / "key.pem"
    name = "secure.example"
    command = (
        f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name} "
        f"-addext subjectAltName=DNS:{name} -out {own} -keyout {key}"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    return own, key


@pytest.fixture
def server(certificate: tuple[Path, Path]) -> Iterator[tuple[int, list[str | None]]]:
    """Its port, and the server names that clients have sent."""
    names: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    context.sni_callback = lambda _, name, __: names.append(name)

    class Server(HTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a client that does not trust it

    with Server(("127.0.0.1", 0), Handler) as running:
        running.socket = context.wrap_socket(running.socket, server_side=True)
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield running.server_port, names
        running.shutdown()
        thread.join()


async def resolve(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


def read(url: str, trusted: Path | None) -> str:
    tls = None if trusted is None else ssl.create_default_context(cafile=str(trusted))
    outbound = Outbound("*.example", "HOSTS", resolve=resolve, allows=lambda _: True, tls=tls)

    async def ask() -> str:
        async with outbound.request("image_url", "GET", url, {}) as response:
            return (await response.aread()).decode()

    return asyncio.run(ask())


def test_name_that_was_asked_for_is_sent_and_verified(
    server: tuple[int, list[str | None]], certificate: tuple[Path, Path]
) -> None:
    port, names = server
    assert read(f"https://secure.example:{port}/", certificate[0]) == f"secure.example:{port}"
    assert names == ["secure.example"]
    with pytest.raises(httpx.ConnectError, match="mismatch"):
        read(f"https://other.example:{port}/", certificate[0])


def test_authority_has_to_be_known(server: tuple[int, list[str | None]]) -> None:
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        read(f"https://secure.example:{server[0]}/", None)
