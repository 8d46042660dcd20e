"""The real nginx with the configuration that ships, in front of real services."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.ports import free_port

NGINX_FOLDER = Path(__file__).parents[2] / "nginx"
LISTENS, LISTENS_V6 = "    listen 3332;", "        listen [::]:3332;\n"
PAGE = b"<!doctype html><title>Pixelmend</title>" + b"<p>" * 2000


class Proxy:
    """A started nginx. log: what it has written."""

    def __init__(self, port: int, folder: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.port = port
        self.client = httpx.Client(base_url=self.url, timeout=60)
        self._folder = folder

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text()


@contextmanager
def running_proxy(folder: Path, upstream: str) -> Iterator[Proxy]:
    """upstream: takes the place of upstream.conf."""
    port = free_port()
    conf = configured(folder, upstream, ((LISTENS, f"    listen 127.0.0.1:{port};"), (LISTENS_V6, "")))
    with running_nginx(folder, conf, port) as proxy:
        yield proxy


def configured(folder: Path, upstream: str, listens: Sequence[tuple[str, str]]) -> Path:
    """The folder of an nginx.conf: the shipped files, with places and what is in `listens` changed."""
    conf, web = folder / "conf", folder / "web"
    shutil.copytree(NGINX_FOLDER, conf)
    (web / "assets").mkdir(parents=True)
    (web / "index.html").write_bytes(PAGE)
    for suffix in ("js", "mjs", "wasm", "png"):
        (web / "assets" / f"thing-1a2b.{suffix}").write_bytes(bytes(5000))
    text = (conf / "nginx.conf").read_text()
    for shipped, here in (
        *listens,
        ("/usr/share/pixelmend/web", str(web)),
        ("/tmp/nginx", str(folder / "nginx")),
        ("/dev/stdout", str(folder / "access")),
    ):
        assert shipped in text, shipped
        text = text.replace(shipped, here)
    (conf / "nginx.conf").write_text("user root;\n" + text)
    (conf / "pixelmend" / "upstream.conf").write_text(upstream)
    return conf


@contextmanager
def running_nginx(folder: Path, conf: Path, port: int) -> Iterator[Proxy]:
    """conf: a folder with an nginx.conf that listens on `port`."""
    command = [_nginx(), "-p", str(folder), "-c", str(conf / "nginx.conf"), "-g", "daemon off;"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    proxy = Proxy(port, folder)
    try:
        _wait_for_port(proxy, process)
        yield proxy
    finally:
        proxy.client.close()
        process.terminate()
        process.wait(20)


def single(port: int) -> str:
    return f"upstream pixelmend {{ server 127.0.0.1:{port}; keepalive 16; }}\n"


def _nginx() -> str:
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/bin")
    assert found, "nginx is not installed: `apt-get install nginx-light`, as .ci/run does"
    return found


def _wait_for_port(proxy: Proxy, process: subprocess.Popen[bytes], timeout_s: float = 30.0) -> None:
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", proxy.port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(f"nginx does not start:\n{proxy.log}")
