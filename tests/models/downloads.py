"""What the tests of downloads share: a file to fetch, and the fetching of it."""

import hashlib
import random
from collections.abc import Callable
from pathlib import Path
from threading import Event

import httpx

from pixelmend.models.download import RetryPolicy, download
from pixelmend.models.remote import RemoteFile
from tests.models.server import Exchange, FileServer, Honest

CONTENT = random.Random(1).randbytes(300_000)
HALF = 150_000
IMPATIENT = RetryPolicy(attempts=2, first_delay_s=0)


def remote(server: FileServer, folder: Path, name: str = "m.pth") -> RemoteFile:
    url = f"{server.url}/{name}"
    return RemoteFile(folder / name, url, (url,), len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


def fetch(
    file: RemoteFile,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    cancelled: Event | None = None,
) -> bool:
    with httpx.Client() as client:
        return download(
            file, client, on_progress=on_progress, cancelled=cancelled or Event(), retries=IMPATIENT
        )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class Halfway:
    """Gives the first half at once, and the rest when `go_on` is set; ranges as they are asked for."""

    def __init__(self) -> None:
        self.go_on = Event()
        self._honest = Honest(CONTENT)

    def __call__(self, exchange: Exchange) -> None:
        if exchange.headers.get("Range"):
            self._honest(exchange)
            return
        exchange.begin(200, {"Content-Length": str(len(CONTENT)), "ETag": '"v1"'})
        exchange.wfile.write(CONTENT[:HALF])
        exchange.wfile.flush()
        self.go_on.wait(60)
        exchange.wfile.write(CONTENT[HALF:])
