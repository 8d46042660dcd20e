"""The examples of docs/integrations.md run as they are printed, at this service's address."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from pixelmend.core.config import Settings
from tests.api.dialects.sent import HOLE, IMAGE, TRANSPARENT_MASK, WHITE_MASK
from tests.bucket_server import bucket_server
from tests.inprocess import service_in_threads
from tests.pictures import decoded, encoded
from tests.service import ServiceClient

TEXT = (Path(__file__).parents[3] / "docs" / "integrations.md").read_text(encoding="utf-8")


def examples(heading: str, language: str) -> list[str]:
    section = re.split(r"^## ", TEXT, flags=re.MULTILINE)
    (found,) = [part for part in section if part.startswith(heading)]
    return re.findall(rf"```{language}\n(.*?)```", found, re.DOTALL)


def here(example: str, service: ServiceClient) -> str:
    """At the address of this service; nothing else of it is changed."""
    port = service.base_url.rpartition(":")[2]
    return example.replace("localhost:8000", f"127.0.0.1:{port}").replace(
        'host="localhost", port=8000', f'host="127.0.0.1", port={port}'
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "photo.jpg").write_bytes(encoded(IMAGE, "JPEG", quality=95))
    (tmp_path / "mask.png").write_bytes(TRANSPARENT_MASK)
    (tmp_path / "white.png").write_bytes(WHITE_MASK)
    return tmp_path


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def test_curl(service: ServiceClient, folder: Path) -> None:
    first, second = examples("curl", "bash")
    for example, side_px in ((first, 128), (second, 96)):
        run(["bash", "-eo", "pipefail", "-c", here(example, service)], folder)
        assert size(folder / "upscaled.png") == (side_px, side_px)


def test_openai(service: ServiceClient, folder: Path) -> None:
    (example,) = examples("OpenAI", "python")
    assert "pixelmend-x4" in run([sys.executable, "-c", here(example, service)], folder)
    assert not np.array_equal(decoded((folder / "edited.png").read_bytes())[HOLE], IMAGE[HOLE])


def test_a1111(service: ServiceClient, folder: Path) -> None:
    (example,) = examples("A client of A1111", "python")
    assert "pixelmend-x4" in run([sys.executable, "-c", here(example, service)], folder)
    assert (size(folder / "large.png"), size(folder / "rotated.png")) == ((256, 256), (128, 128))


def test_iopaint(service: ServiceClient, folder: Path) -> None:
    (example,) = examples("IOPaint", "python")
    run([sys.executable, "-c", here(example, service)], folder)
    assert size(folder / "inpainted.jpg") == (64, 64)


def test_open_webui(service: ServiceClient) -> None:
    """What Open WebUI sends with these settings."""
    (example,) = examples("Open WebUI", "ini")
    settings = dict(line.split("=", 1) for line in here(example, service).splitlines())
    answer = service.client.post(
        f"{settings['IMAGES_EDIT_OPENAI_API_BASE_URL']}/images/edits",
        headers={"Authorization": f"Bearer {settings['IMAGES_EDIT_OPENAI_API_KEY']}"},
        files={"image": ("image.png", encoded(np.dstack([IMAGE, np.where(HOLE, 0, 255).astype(np.uint8)])))},
        data={"model": settings["IMAGE_EDIT_MODEL"], "prompt": "gone", "response_format": "b64_json"},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"][0]["b64_json"]


def test_comfyui(service: ServiceClient) -> None:
    (example,) = examples("ComfyUI", "python")
    module: dict[str, Any] = {}
    exec(compile(here(example, service), "pixelmend.py", "exec"), module)
    node = module["NODE_CLASS_MAPPINGS"]["PixelmendUpscale"]()
    images = torch.from_numpy(np.stack([IMAGE, IMAGE[::-1].copy()])).float() / 255
    (result,) = getattr(node, node.FUNCTION)(images, 2.0)
    assert (result.shape, result.dtype) == ((2, 128, 128, 3), torch.float32)
    assert abs(result[0].mean() - images[0].mean()) < 0.02
    assert set(node.INPUT_TYPES()["required"]) == {"image", "factor"}


def test_n8n(service: ServiceClient) -> None:
    """What its node for HTTP requests sends with these parameters."""
    (example,) = examples("n8n", "json")
    (node,) = json.loads(here(example, service))["nodes"]
    asked = node["parameters"]
    fields = asked["bodyParameters"]["parameters"]
    binary = {
        each["name"]: encoded(IMAGE) for each in fields if each.get("parameterType") == "formBinaryData"
    }
    answer = service.client.request(
        asked["method"],
        asked["url"],
        files=binary,
        data={each["name"]: each["value"] for each in fields if "value" in each},
    )
    assert decoded(answer.content).shape == (128, 128, 3)


def test_buckets(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service has the settings that the text names."""
    (example,) = examples("Buckets", "bash")
    (section,) = [part for part in TEXT.split("\n## ") if part.startswith("Buckets")]
    named = dict(re.findall(r"`PIXELMEND_([A-Z_]+)=([^`]+)`", section))
    settings = {name.lower(): value for name, value in named.items()}
    with bucket_server() as buckets:
        for name, value in buckets.environment.items():
            monkeypatch.setenv(name, value)
        buckets.objects["pictures/photo.jpg"] = "image/jpeg", (folder / "photo.jpg").read_bytes()
        with service_in_threads(tmp_path, **settings) as own:
            job_id = run(["bash", "-eo", "pipefail", "-c", here(example, own)], folder).strip()
            deadline_s = time.monotonic() + 60
            while own.job(job_id)["delivery"]["state"] != "delivered":
                assert time.monotonic() < deadline_s, own.log_excerpt
                time.sleep(0.05)
        assert decoded(buckets.objects["results/photo-x2.png"][1]).shape == (128, 128, 3)


def test_addresses_and_settings_that_are_named_exist(service: ServiceClient) -> None:
    paths = service.client.get("/openapi.json").json()["paths"]
    rows = re.findall(r"^\| .* \| `http://localhost:8000(\S*)` \| (.*) \|$", TEXT, re.MULTILINE)
    assert len(rows) == 3
    named = set()
    for start, cells in rows:
        first, *others = re.findall(r"`([^`]+)`", cells)
        folder = start if start else first.rpartition("/")[0]
        named |= {f"{folder}/{name.rpartition('/')[2] if not start else name}" for name in (first, *others)}
    there = {path for path in paths if path.startswith(("/v1/", "/sdapi/", "/api/v1/"))}
    assert named | {"/v1/models/{model_id}"} == there
    for name in re.findall(r"PIXELMEND_([A-Z_]+)", TEXT):
        assert name.lower() in Settings.model_fields
