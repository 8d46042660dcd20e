"""A checkout whose package is not installed: what a guide says works as it is typed."""

import os
import re
import signal
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from pixelmend.api.asgi import WITHOUT_OUR_SERVER
from pixelmend.core.version import VERSION
from tests.pictures import decoded, encoded, photo
from tests.ports import free_port
from tests.service import RunningService

ROOT = Path(__file__).parents[2]
BACKEND = ROOT / "backend"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with what the package needs and without the package."""
    folder = tmp_path_factory.mktemp("plain")
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    # What is named so is searched, and its own .pth files (the editable package) are not read.
    (packages / "needed.pth").write_text(os.pathsep.join(p for p in sys.path if p.endswith("site-packages")))
    found = folder / "bin" / "python"
    without = subprocess.run([found, "-c", "import pixelmend"], cwd=folder, capture_output=True, check=False)
    assert b"No module named 'pixelmend'" in without.stderr
    return found


def environment(folder: Path, **settings: object) -> dict[str, str]:
    theirs = ("PIXELMEND_", "PYTHON", "VIRTUAL_ENV")
    own = {
        "device": "cpu",
        "data_dir": folder / "data",
        "models_dir": folder / "models",
        "log_format": "json",
    }
    own |= {"env_file": "", "config": "", **settings}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(theirs)}
    return inherited | {f"PIXELMEND_{name.upper()}": str(value) for name, value in own.items()}


@contextmanager
def started(folder: Path, port: int, *command: object) -> Iterator[RunningService]:
    """As it is typed in `backend`."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=BACKEND,
            env=environment(folder),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    running = RunningService(process, folder)
    running.base_url = f"http://127.0.0.1:{port}"
    running.client = httpx.Client(
        base_url=running.base_url, timeout=120, transport=httpx.HTTPTransport(retries=10)
    )
    try:
        yield running
    finally:
        running.client.close()
        process.send_signal(signal.SIGTERM)
        process.wait(45)


def ran(*command: object, folder: Path, **settings: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        cwd=BACKEND,
        env=environment(folder, **settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def until_ready(service: RunningService) -> None:
    while True:
        service.require_running()
        try:
            service.client.get("/livez")
            break
        except httpx.TransportError:
            continue
    service.wait_until_ready()


def upscaled(service: RunningService) -> tuple[int, ...]:
    answer = service.client.post("/api/upscale", files={"file": encoded(photo(side_px=40))})
    assert answer.status_code == 200, answer.text
    return decoded(answer.content).shape


def test_api_server_serves_as_the_command_does(python: Path, tmp_path: Path) -> None:
    port = free_port()
    command = (python, "api_server.py", "--port", port, "--log-level", "warning")
    with started(tmp_path, port, *command) as service:
        until_ready(service)
        assert upscaled(service) == (160, 160, 3)
        assert service.client.get("/api/info").json()["version"] == VERSION
    assert service.process.returncode == 0
    assert '"level": "info"' not in service.log
    assert WITHOUT_OUR_SERVER not in service.log


def test_foreign_uvicorn_serves_too_and_says_what_is_missing(python: Path, tmp_path: Path) -> None:
    port = free_port()
    command = (python, "-m", "uvicorn", "api_server:app", "--host", "0.0.0.0", "--port", port)
    with started(tmp_path, port, *command) as service:
        until_ready(service)
        assert upscaled(service) == (160, 160, 3)
        assert service.job(service.post_job(encoded(photo(side_px=32))).json()["id"])["task"] == "upscale"
        umask = Path(f"/proc/{service.process.pid}/status")
        if umask.exists():
            assert re.search(r"^Umask:\s+0077$", umask.read_text(), re.MULTILINE)
    assert WITHOUT_OUR_SERVER in service.log


@pytest.mark.full
def test_second_process_of_one_data_directory_says_why_it_ends(python: Path, tmp_path: Path) -> None:
    port = free_port()
    with started(tmp_path, port, python, "api_server.py", "--port", port) as service:
        until_ready(service)
        other = ran(python, "-m", "uvicorn", "api_server:app", "--port", free_port(), folder=tmp_path)
    assert other.returncode != 0
    assert "another service has" in other.stderr


@pytest.mark.parametrize("command", [("api_server.py",), ("-m", "uvicorn", "api_server:app", "--port", "0")])
def test_setting_that_is_wrong_ends_either_by_name(
    python: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    ended = ran(python, *command, folder=tmp_path, tile_px=1)
    assert ended.returncode != 0
    assert "tile_px" in ended.stderr


def test_models_can_be_listed_without_installation(python: Path, tmp_path: Path) -> None:
    listed = ran(python, ROOT / "download_models.py", "--list", folder=tmp_path)
    assert listed.returncode == 0, listed.stderr
    assert "RealESRGAN_x4plus" in listed.stdout


def test_what_is_missing_is_said_with_the_command_that_installs_it(tmp_path: Path) -> None:
    venv.create(tmp_path / "empty", symlinks=True)
    for script in (BACKEND / "api_server.py", ROOT / "download_models.py"):
        ended = ran(tmp_path / "empty" / "bin" / "python", script, folder=tmp_path)
        assert ended.returncode == 1
        assert "is not installed for" in ended.stderr
        assert f"-m pip install -r {BACKEND / 'requirements.txt'}" in ended.stderr


def test_requirements_are_the_services_own_with_their_hashes(tmp_path: Path) -> None:
    """This environment has them all, so that nothing is to be done; nothing is fetched."""
    uv = Path(sys.executable).parent / "uv"
    dry = (uv, "pip", "install", "--dry-run", "--offline", "--python", sys.executable, "--require-hashes")
    looked = ran(*dry, "-r", BACKEND / "requirements.txt", folder=tmp_path)
    assert looked.returncode == 0, looked.stderr
    assert "Would make no changes" in looked.stderr


def test_script_for_macs_is_the_one_in_deploy() -> None:
    if os.uname().sysname == "Darwin":
        return
    ended = ran("bash", BACKEND / "run_mac.sh", folder=BACKEND)
    assert (ended.returncode, ended.stderr) == (
        1,
        "run_mac.sh: this is for macOS; elsewhere it is: make run\n",
    )
