"""The Space as it is pushed, with the real `gradio` and `spaces`: on ordinary hardware, and on ZeroGPU.

Its decorator schedules and forks as it does there; the API that lends devices is the test's, and lends none.
"""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import numpy as np
import pytest

from pixelmend.core.errors import CorruptImage
from tests.pictures import decoded, encoded, photo
from tests.ports import free_port
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
        "PYTHONUNBUFFERED": "1",
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
    with served(space, space / "log", [str(PYTHON), "app.py"], environment(space)) as client:
        yield client


@contextmanager
def served(space: Path, log_file: Path, command: list[str], env: dict[str, str]) -> Iterator[httpx.Client]:
    port = free_port()
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=space,
            env=env | {"GRADIO_SERVER_PORT": str(port)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
        try:
            deadline_s = time.monotonic() + START_TIMEOUT_S
            while True:
                assert process.poll() is None, log_file.read_text()
                assert time.monotonic() < deadline_s, log_file.read_text()
                try:
                    client.get("/config").raise_for_status()
                    break
                except httpx.HTTPError:
                    time.sleep(0.1)
            yield client
        finally:
            process.terminate()
            process.wait(20)
            # ZeroGPU's forks outlive the page, and each keeps half a gigabyte.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


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


# --- on ordinary hardware -----------------------------------------------------------------------------------


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


def test_what_is_wrong_is_said_in_words(page: httpx.Client) -> None:
    event, told = called(page, "upscale", uploaded(page, "a.png", b"no picture"), "pixelmend-x4", 4, "png")
    assert event == "error"
    assert told["error"].startswith("The file is not an image of a supported format: ")


def test_process_of_the_page_initialises_no_cuda(space: Path) -> None:
    looked = (
        "import sys, app; app.page(); torch = sys.modules.get('torch'); "
        "assert not [name for name in sys.modules if name.startswith('pixelmend.engine')]; "
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
    python = re.findall(
        r"^python_version: (\d+)\.(\d+)(?:\.\d+)?$", (space / "README.md").read_text(), re.MULTILINE
    )
    assert [tuple(map(int, found)) >= (3, 11) for found in python] == [True]  # the platform's own is 3.10
    asked = (space / "requirements.txt").read_text().split()
    assert "spandrel" in asked
    assert not {"torch", "torchvision", "gradio", "spaces"} & set(asked)


# --- on ZeroGPU ---------------------------------------------------------------------------------------------

# There is no device to initialise, and none to move tensors to; a file of that name finds a bug.
ON_ZERO_GPU = """
import runpy, spaces.zero.torch, computing
spaces.zero.torch.init = lambda uuid: None
spaces.zero.torch.move = lambda callback=None: None
real = computing.run
computing.run = lambda task: (
    computing.Failure("A bug", "in these words", True) if task.input_path.stem == "bug" else real(task)
)
runpy.run_path("app.py", run_name="__main__")
"""


class Devices:
    """Stands in for the API by which ZeroGPU lends devices."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, str]]] = []
        devices = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = urlsplit(self.path)
                devices.calls.append((asked.path, dict(parse_qsl(asked.query))))
                answer = {"idle": True, "nvidiaIndex": 0, "nvidiaUUID": "GPU-0", "allowToken": "token"}
                body = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def asked(self, path: str) -> list[dict[str, str]]:
        return [values for called_path, values in self.calls if called_path == path]


@dataclass(frozen=True)
class ZeroPage:
    client: httpx.Client
    devices: Devices
    log_file: Path

    def upscale(
        self, name: str, data: bytes, model: str = "pixelmend-x4", scale: float = 4
    ) -> tuple[str, Any]:
        return called(self.client, "upscale", uploaded(self.client, name, data), model, scale, "png")

    def log(self) -> str:
        return self.log_file.read_text()


@pytest.fixture
def zero(space: Path, tmp_path: Path) -> Iterator[ZeroPage]:
    devices = Devices()
    env = environment(
        tmp_path,
        SPACES_ZERO_GPU="true",
        SPACES_ZERO_DEVICE_API_URL=devices.url,
        HOME=str(tmp_path),
        PIXELMEND_MODELS_DIR=str(tmp_path / "models"),
        PIXELMEND_LOG_FORMAT="json",
    )
    (tmp_path / "models").mkdir()
    with (tmp_path / "models" / "heavy.safetensors").open("wb") as heavy:
        heavy.truncate(67_000_000)  # as large as RealESRGAN_x4plus, and no network
    log_file = tmp_path / "log"
    with served(space, log_file, [str(PYTHON), "-c", ON_ZERO_GPU], env) as client:
        yield ZeroPage(client, devices, log_file)
    devices.server.shutdown()
    devices.server.server_close()


def test_zero_gpu_computes_in_one_process_that_keeps_its_models(
    zero: ZeroPage, service: RunningService
) -> None:
    picture = encoded(photo(side_px=60))
    for _ in range(2):
        event, values = zero.upscale("a.png", picture)
        assert event == "complete", (values, zero.log())
    served_file = service.client.post("/api/upscale", files={"file": picture})
    assert np.array_equal(decoded(file_of(zero.client, values[0])), decoded(served_file.content))
    assert len(zero.devices.asked("/startup-report")) == 1
    assert len(zero.devices.asked("/schedule")) == 2
    assert len(zero.devices.asked("/allow")) == 1  # a process, of its own
    assert [values["fail"] for values in zero.devices.asked("/release")] == ["false", "false"]
    told = [json.loads(line) for line in zero.log().splitlines() if '"event": "computed"' in line]
    assert [line["reused"] for line in told] == [False, True]
    assert len({line["pid"] for line in told}) == 1


def test_zero_gpu_what_fails_there_is_said_in_words_and_ends_no_process(zero: ZeroPage) -> None:
    picture = encoded(photo(side_px=60))
    event, told = zero.upscale("cut.png", picture[: len(picture) // 2])
    assert (event, told["title"]) == ("error", "Error")
    assert told["error"].startswith(f"{CorruptImage.title}: ")
    assert len(told["error"]) > len(CorruptImage.title) + 10
    assert zero.upscale("a.png", picture)[0] == "complete"
    assert len(zero.devices.asked("/allow")) == 1
    assert [values["fail"] for values in zero.devices.asked("/release")] == ["false", "false"]


def test_zero_gpu_another_process_comes_after_a_bug(zero: ZeroPage) -> None:
    picture = encoded(photo(side_px=60))
    event, told = zero.upscale("bug.png", picture)
    assert (event, told["error"]) == ("error", "A bug: in these words")
    assert zero.upscale("a.png", picture)[0] == "complete"
    assert len(zero.devices.asked("/allow")) == 2
    assert [values["fail"] for values in zero.devices.asked("/release")] == ["true", "false"]


def test_zero_gpu_filling_takes_no_seconds_of_a_device(zero: ZeroPage) -> None:
    layer = np.zeros((90, 90, 4), np.uint8)
    layer[20:40, 20:50] = (255, 0, 0, 255)
    image = encoded(photo(side_px=90))
    painted = {
        "background": uploaded(zero.client, "b.png", image),
        "layers": [uploaded(zero.client, "l.png", encoded(layer))],
        "composite": None,
    }
    event, values = called(zero.client, "erase", uploaded(zero.client, "a.png", image), painted, 4, "png")
    assert event == "complete", (values, zero.log())
    assert decoded(file_of(zero.client, values[0])).shape == (90, 90, 3)
    assert not zero.devices.asked("/schedule")


def test_zero_gpu_seconds_follow_from_pixels_and_model(zero: ZeroPage) -> None:
    """A model's size counts, and too much is refused before any of a visitor's seconds are taken."""
    large = encoded(np.zeros((1500, 2000, 3), np.uint8))
    huge = encoded(np.zeros((6000, 6000, 3), np.uint8))
    assert zero.upscale("a.png", encoded(photo(side_px=60)))[0] == "complete"
    assert zero.upscale("b.png", large, "heavy")[0] == "error"
    seconds = [int(values["durationSeconds"]) for values in zero.devices.asked("/schedule")]
    assert 10 <= seconds[0] < seconds[1] <= 60
    event, told = zero.upscale("c.png", huge, "heavy", 2)
    assert event == "error"
    assert re.match(r"This would take about \d{3} s of a GPU, and at most 120 s", told["error"])
    assert len(zero.devices.asked("/schedule")) == 2
