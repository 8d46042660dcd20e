"""Large images in base64: the API process keeps nothing of them in its memory, coming or going."""

import base64
import json
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest

from tests.pictures import encoded
from tests.service import running_service

pytestmark = pytest.mark.full

SIDE_PX = 3900
SLACK_BYTES = 16_000_000
"""What the process's memory may grow by, for an image of 45 MB."""


def peak_growth_bytes(pid: int, ask: Callable[[], httpx.Response]) -> int:
    """The memory that belongs to the process alone; files that it has mapped do not count."""

    def own_bytes() -> int:
        memory = psutil.Process(pid).memory_info()
        return int(memory.rss - memory.shared)

    ended = threading.Event()
    before_bytes, peaks = own_bytes(), [0]

    def watch() -> None:
        while not ended.wait(0.002):
            peaks[0] = max(peaks[0], own_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        answer = ask()
    finally:
        ended.set()
        watcher.join()
    assert answer.status_code == 200, answer.text[:1000]
    assert len(answer.content) > 40_000_000
    return peaks[0] - before_bytes


def test_image_of_45_mb_passes_through_without_being_held(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (SIDE_PX, SIDE_PX, 3), np.uint8)
    hole = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
    hole[100:110, 100:110] = 255
    image = encoded(noise, compress_level=0)
    white, transparent = encoded(hole), encoded(np.dstack([hole, hole, hole, 255 - hole]))
    sent = {"image": base64.b64encode(image).decode(), "mask": base64.b64encode(white).decode()}
    body = json.dumps(sent).encode()
    assert len(body) > 60_000_000
    with running_service(tmp_path) as service:
        client, pid = service.client, service.process.pid

        def coming() -> httpx.Response:
            return client.post("/api/v1/inpaint", content=body, headers={"Cache-Control": "no-cache"})

        def going() -> httpx.Response:
            return client.post("/v1/images/edits", files={"image": image, "mask": transparent})

        for ask in (coming, going):
            assert peak_growth_bytes(pid, ask) < SLACK_BYTES
