"""Services on other devices, held against one on the CPU in float32."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import safetensors.torch

from tests.engine.networks import compact_state
from tests.models.ncnn_networks import rrdb
from tests.pictures import decoded, encoded, photo
from tests.service import RunningService, running_service

PICTURE = encoded(photo(side_px=48))
SIXTEEN_BITS = encoded(photo(side_px=32)[:, :, 0].astype(np.uint16) * 257)
MODELS = ("pixelmend-x4", "deep", "small")
"""Embedded, an RRDBNet of ncnn's files, and a dropped-in compact network."""


def models_in(folder: Path) -> Path:
    (folder / "models").mkdir(parents=True)
    param, weights, _ = rrdb()
    (folder / "models/deep.param").write_text(param)
    (folder / "models/deep.bin").write_bytes(weights)
    safetensors.torch.save_file(compact_state(), folder / "models/small.safetensors")
    return folder


@contextmanager
def exact_service(folder: Path) -> Iterator[RunningService]:
    """The CPU in float32."""
    with running_service(models_in(folder), device="cpu", precision="float32") as running:
        yield running


def upscale(service: RunningService, picture: bytes, model: str) -> httpx.Response:
    answer = service.client.post("/api/upscale", files={"file": picture}, data={"model": model}, timeout=200)
    assert answer.status_code == 200, answer.text
    return answer


def require_near(
    answer: httpx.Response, exact: RunningService, picture: bytes, model: str, levels: int
) -> None:
    """No value of the answer is farther from that of the exact service."""
    ours, right = decoded(answer.content), decoded(upscale(exact, picture, model).content)
    assert np.abs(ours.astype(int) - right).max() <= levels


def require_device_and_precision(answer: httpx.Response, device: str, precision: str) -> None:
    assert answer.headers["x-pixelmend-device"].startswith(device)
    assert answer.headers["x-pixelmend-precision"] == precision
