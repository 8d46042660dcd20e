"""The real service in a process of its own, talked to over HTTP as a client does."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.service import RunningService, running_service

TIMEOUT_S = 900.0
FRESH = {"Cache-Control": "no-cache"}
"""The same picture is sent again and again: it is to be computed every time."""
LIMITS = {"request_timeout_s": TIMEOUT_S, "stall_timeout_s": 600.0, "worker_start_timeout_s": 300.0}


class Refused(Exception):
    """The service has answered something other than a picture."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """What the response headers say of a result. tile_pixels: of the input, 0 if they do not say."""

    model: str
    device: str
    precision: str
    width_px: int
    height_px: int
    tiles: int
    tile_pixels: int
    decode_s: float
    device_s: float
    encode_s: float
    total_s: float
    notes: str

    @property
    def computed_pixels(self) -> int:
        """Input pixels that the network has really seen, overlaps and margins included."""
        return self.tiles * self.tile_pixels


@dataclass(frozen=True, slots=True)
class Answer:
    """seconds: from the request to its last byte. body: its beginning only, if it was not kept."""

    seconds: float
    body: bytes
    body_bytes: int
    provenance: Provenance


def read_provenance(headers: httpx.Headers) -> Provenance:
    """From the headers of a 200. Raises KeyError or ValueError if they are not what is documented."""
    durations = dict(re.findall(r"(\w+);dur=([\d.]+)", headers.get("Server-Timing", "")))
    width, height = headers["X-Pixelmend-Size"].split("x")
    tiles, _, tile = headers["X-Pixelmend-Tiles"].partition("; px=")
    return Provenance(
        model=headers["X-Pixelmend-Model"],
        device=headers["X-Pixelmend-Device"],
        precision=headers["X-Pixelmend-Precision"],
        width_px=int(width),
        height_px=int(height),
        tiles=int(tiles),
        tile_pixels=_tile_pixels(tile),
        decode_s=float(durations.get("decode", 0)) / 1000,
        device_s=float(durations.get("device", 0)) / 1000,
        encode_s=float(durations.get("encode", 0)) / 1000,
        total_s=float(headers["X-Pixelmend-Seconds"]),
        notes=headers.get("X-Pixelmend-Notes", ""),
    )


class Upscaler:
    """Sends pictures to a running service."""

    def __init__(self, service: RunningService) -> None:
        self.service = service
        self._client = httpx.Client(base_url=service.base_url, timeout=TIMEOUT_S, headers=FRESH)

    def upscale(self, picture: bytes, *, keep: bool = True, **fields: object) -> Answer:
        """POST /api/upscale. keep: False reads the result and drops it. Raises Refused."""
        form = {name: str(value) for name, value in fields.items()}
        began_s = time.perf_counter()
        chunks: list[bytes] = []
        size_bytes = 0
        request = self._client.build_request(
            "POST", "/api/upscale", files={"file": ("picture", picture)}, data=form
        )
        answer = self._client.send(request, stream=True)
        try:
            for chunk in answer.iter_raw(1 << 20):
                size_bytes += len(chunk)
                if keep or not chunks or answer.status_code != 200:
                    chunks.append(chunk)
        finally:
            answer.close()
        seconds = time.perf_counter() - began_s
        if answer.status_code != 200:
            raise Refused(f"{answer.status_code}: {b''.join(chunks)[:500].decode(errors='replace')}")
        return Answer(seconds, b"".join(chunks), size_bytes, read_provenance(answer.headers))

    def close(self) -> None:
        self._client.close()


@contextmanager
def started(folder: Path, **settings: object) -> Iterator[Upscaler]:
    """A service of its own in `folder`, ready. settings: PIXELMEND_ settings in lower case."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "models").mkdir(exist_ok=True)
    with running_service(folder, wait_for_port_only=False, **LIMITS | settings) as service:
        upscaler = Upscaler(service)
        try:
            yield upscaler
        finally:
            upscaler.close()


def _tile_pixels(text: str) -> int:
    """The pixels of a tile that is given as 224x282, or by its edge alone."""
    edges = [int(edge) for edge in text.split("x") if edge.isdecimal()]
    if not edges:
        return 0
    return edges[0] * edges[-1]
