"""The wheel: what is in it, and that a fresh environment serves the page and upscales with nothing else."""

import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.pictures import decoded, encoded, photo
from tests.ports import free_port
from tests.service import RunningService

ROOT = Path(__file__).parents[2]
OUR_UV = Path(sys.executable).parent / "uv"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what git knows of, so that nothing that was built here is in it."""
    folder = tmp_path / "checkout"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        if not name.startswith("tests/") and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def built_wheel(checkout: Path) -> tuple[Path, str]:
    """And what was said while it was built."""
    out = checkout.parent / "wheels"
    command: list[str | Path] = [
        OUR_UV,
        "build",
        "--wheel",
        "--no-build-isolation",
        "--python",
        sys.executable,
        "--out-dir",
        out,
    ]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = out.glob("pixelmend-*.whl")
    return wheel, done.stdout + done.stderr


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as file:
        return set(file.namelist())


def test_wheel_has_the_page_that_is_built_and_what_a_start_needs(checkout: Path) -> None:
    page = checkout / "frontend" / "dist"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text("page")
    (page / "assets" / "main-abcdefgh.js").write_text("1")
    gone = checkout / "build" / "lib" / "pixelmend" / "webapp" / "assets" / "gone-abcdefgh.js"
    gone.parent.mkdir(parents=True)
    gone.write_text("of an earlier build")
    names = names_in(built_wheel(checkout)[0])
    assert {name for name in names if "/webapp/" in name} == {
        "pixelmend/webapp/index.html",
        "pixelmend/webapp/assets/main-abcdefgh.js",
    }
    tracked = subprocess.run(
        ["git", "ls-files", "backend/pixelmend"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    needed = {name.removeprefix("backend/") for name in tracked.stdout.split() if (ROOT / name).is_file()}
    assert needed <= names
    assert not any(name.startswith(("tests", "frontend", "backend")) for name in names)


def test_wheel_without_a_page_says_so(checkout: Path) -> None:
    (checkout / "frontend" / "scripts" / "make.sh").unlink()
    wheel, said = built_wheel(checkout)
    assert "the page is not built, and so it is not in the wheel" in said
    assert not any("webapp" in name for name in names_in(wheel))


def test_make_wheel_fails_if_the_page_cannot_be_built(checkout: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("bash", "sh", "dirname", "env", "make"):
        (tools / name).symlink_to(shutil.which(name) or "")
    command = ["make", "--old-file=.venv/bin/uv", "wheel"]
    environment = {**os.environ, "PATH": str(tools)}
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "web app: not built, since Node.js" in done.stderr
    assert not (checkout / "dist").exists()


@contextmanager
def served(pixelmend: Path, folder: Path) -> Iterator[RunningService]:
    others = ("PIXELMEND_", "PYTHON", "VIRTUAL_ENV", "XDG_")
    own = {"PIXELMEND_DEVICE": "cpu", "HOME": str(folder)}
    environment = {name: value for name, value in os.environ.items() if not name.startswith(others)} | own
    port = free_port()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [pixelmend, "serve", "--port", str(port)], cwd=folder, env=environment, stdout=log, stderr=log
        )
    running = RunningService(process, folder)
    running.base_url = f"http://127.0.0.1:{port}"
    transport = httpx.HTTPTransport(retries=10)
    running.client = httpx.Client(base_url=running.base_url, timeout=120, transport=transport)
    try:
        yield running
    finally:
        running.client.close()
        process.send_signal(signal.SIGTERM)
        process.wait(45)


@pytest.mark.full
@pytest.mark.timeout(900)
def test_fresh_environment_serves_the_page_and_upscales(checkout: Path, tmp_path: Path) -> None:
    assert shutil.which("npm"), "Node.js is missing, which builds the page"
    wheel, _ = built_wheel(checkout)
    fresh, elsewhere = tmp_path / "fresh", tmp_path / "elsewhere"
    elsewhere.mkdir()
    subprocess.run([OUR_UV, "venv", "--quiet", "--python", sys.executable, fresh], check=True)
    install: list[str | Path] = [OUR_UV, "pip", "install", "--quiet", "--python", fresh / "bin/python"]
    install += ["--constraint", ROOT / "requirements" / "base.txt", wheel]
    subprocess.run(install, check=True)
    shutil.rmtree(checkout)
    assert not list(fresh.glob("lib/python*/site-packages/torch"))

    with served(fresh / "bin" / "pixelmend", elsewhere) as service:
        service.wait_until_ready()
        page = service.client.get("/")
        assert '<div id="root"' in page.text
        scripts = re.findall(r'"\.?(/assets/[^"]+\.js)"', page.text)
        assert scripts
        for script in scripts:
            answer = service.client.get(script)
            assert answer.status_code == 200
            assert "javascript" in answer.headers["content-type"]
        answer = service.client.post("/api/upscale", files={"file": encoded(photo(side_px=40))})
        assert answer.status_code == 200, answer.text
        assert decoded(answer.content).shape == (160, 160, 3)
        assert "only the API is served" not in service.log
    assert service.process.returncode == 0
    assert (elsewhere / ".local/share/pixelmend/data/jobs.db").is_file()
    assert not (elsewhere / "data").exists()
