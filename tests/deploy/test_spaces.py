"""The Space as it is pushed, run outside of ZeroGPU with the real `gradio` and `spaces`."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.deploy.proxy import free_port
from tests.pictures import decoded, encoded, photo
from tests.service import RunningService

pytestmark = pytest.mark.full

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-spaces" / "bin" / "python"
START_TIMEOUT_S = 120.0


def environment(folder: Path, **more: str) -> dict[str, str]:
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("PIXELMEND_", "PYTHON"))}
    return ours | {
        "PIXELMEND_DEVICE": "cpu",
        "PIXELMEND_DATA_DIR": str(folder / "data"),
        "GRADIO_ANALYTICS_ENABLED": "False",
        "GRADIO_TEMP_DIR": str(folder / "gradio"),
        "HF_HUB_OFFLINE": "1",
        **more,
    }


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What assemble.sh makes."""
    assert PYTHON.exists(), "the Space's environment is missing: make .venv-spaces/.stamp"
    folder = tmp_path_factory.mktemp("space")
    subprocess.run([ROOT / "deploy" / "spaces" / "assemble.sh", folder], check=True)
    return folder


@pytest.fixture(scope="module")
def page(space: Path) -> Iterator[httpx.Client]:
    port = free_port()
    with (space / "log").open("wb") as log:
        process = subprocess.Popen(
            [PYTHON, "app.py"],
            cwd=space,
            env=environment(space, GRADIO_SERVER_PORT=str(port)),
            stdout=log,
            stderr=log,
        )
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
        try:
            deadline_s = time.monotonic() + START_TIMEOUT_S
            while True:
                assert process.poll() is None, (space / "log").read_text()
                assert time.monotonic() < deadline_s, (space / "log").read_text()
                try:
                    client.get("/config").raise_for_status()
                    break
                except httpx.HTTPError:
                    time.sleep(0.1)
            yield client
        finally:
            process.terminate()
            process.wait(20)


def uploaded(page: httpx.Client, name: str, data: bytes) -> dict[str, Any]:
    response = page.post("/gradio_api/upload", files={"files": (name, data)})
    return {"path": response.json()[0], "meta": {"_type": "gradio.FileData"}}


def called(page: httpx.Client, function: str, *values: Any) -> tuple[str, Any]:
    """The kind of the last event and its data."""
    begun = page.post(f"/gradio_api/call/{function}", json={"data": values})
    lines = page.get(f"/gradio_api/call/{function}/{begun.json()['event_id']}").text.splitlines()
    events = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    return events[-1], json.loads(data[-1])


def file_of(page: httpx.Client, value: dict[str, Any]) -> bytes:
    return page.get(f"/gradio_api/file={value['path']}").content


def test_page_upscales_as_the_service_does(page: httpx.Client, service: RunningService) -> None:
    picture = encoded(photo(side_px=60))
    for _ in range(2):  # the second time the model is open
        event, values = called(page, "upscale", uploaded(page, "a.png", picture), "pixelmend-x4", 4, "png")
        assert event == "complete", values
        assert "240x240 px by pixelmend-x4" in values[1]
    served = service.client.post("/api/upscale", files={"file": picture})
    assert np.array_equal(decoded(file_of(page, values[0])), decoded(served.content))


def test_page_inpaints_what_was_painted_over(page: httpx.Client, service: RunningService) -> None:
    image = photo(side_px=90)
    layer = np.zeros((45, 45, 4), np.uint8)  # painted on a smaller preview
    layer[10:20, 10:25] = (255, 0, 0, 128)
    mask = np.kron(layer[:, :, 3] > 0, np.ones((2, 2), np.uint8)).astype(np.uint8) * 255
    painted = {
        "background": uploaded(page, "b.png", encoded(image[::2, ::2])),
        "layers": [uploaded(page, "l.png", encoded(layer))],
        "composite": None,
    }
    event, values = called(page, "erase", uploaded(page, "a.png", encoded(image)), painted, 4, "png")
    assert event == "complete", values
    files = {"file": encoded(image), "mask": encoded(mask)}
    served = service.client.post("/api/inpaint", files=files)
    assert np.array_equal(decoded(file_of(page, values[0])), decoded(served.content))


def test_what_is_wrong_is_said_in_words(page: httpx.Client, space: Path) -> None:
    event, _ = called(page, "upscale", uploaded(page, "a.png", b"no picture"), "pixelmend-x4", 4, "png")
    assert event == "error"
    assert "The file is not an image of a supported format" in (space / "log").read_text()


def test_process_of_the_page_initialises_no_cuda(space: Path) -> None:
    looked = (
        "import sys, app; app.page(); torch = sys.modules.get('torch'); "
        "assert 'pixelmend.engine' not in sys.modules; "
        "assert torch is None or not torch.cuda.is_initialized()"
    )
    ran = subprocess.run(
        [PYTHON, "-c", looked], cwd=space, env=environment(space), capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


def test_what_is_pushed_names_the_version_that_was_tested(space: Path) -> None:
    pinned = (ROOT / "requirements" / "spaces.txt").read_text()
    version = (space / "README.md").read_text().partition("sdk_version: ")[2].split()[0]
    assert f"\ngradio=={version} " in pinned
    asked = (space / "requirements.txt").read_text().split()
    assert "spandrel" in asked
    assert not {"torch", "torchvision", "gradio", "spaces"} & set(asked)
