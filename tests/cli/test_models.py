"""`pixelmend models` as a user calls it, and in this process with a catalog of the test's own."""

import hashlib
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from typer.testing import CliRunner, Result

from pixelmend.cli.models import models_app
from pixelmend.core.config import Settings
from pixelmend.models.catalog import Catalog, ModelEntry, load_catalog
from tests.models.server import Exchange, FileServer, Honest, always, running_server

ROOT = Path(__file__).parents[2]
CONTENT = random.Random(3).randbytes(200_000)


@pytest.fixture
def server() -> Iterator[FileServer]:
    with running_server() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models"


def run(server: FileServer, folder: Path, *arguments: str, mirror: str = "") -> Result:
    """With models a, b, c to download, of which a mixes with its partner p, beside those that ship."""

    def read_catalog(models_dir: Path) -> Catalog:
        known = {
            name: ModelEntry(
                name,
                name,
                "upscale",
                models_dir / f"{name}.pth",
                "catalog",
                scale=2,
                sha256=hashlib.sha256(CONTENT).hexdigest(),
                size_bytes=len(CONTENT),
                urls=(f"{server.url}/{name}.pth",),
                denoise_partner="p" if name == "a" else None,
            )
            for name in "abcp"
        }
        others = [e for e in load_catalog(models_dir).entries if e.origin != "catalog" and e.id not in known]
        return Catalog((*others, *known.values()))

    settings = Settings(_env_file=None, models_dir=folder, model_mirror=mirror)
    app = models_app(lambda: settings, read_catalog)
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, arguments)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# --- download ---------------------------------------------------------------------------------------------


def test_models_are_downloaded_with_their_partners(server: FileServer, folder: Path) -> None:
    server.answers |= {f"/{name}.pth": Honest(CONTENT) for name in "abcp"}
    first = run(server, folder, "download", "a", "b")
    assert first.exit_code == 0, first.output
    assert names(folder) == ["a.pth", "b.pth", "p.pth"]
    assert f"{folder / 'a.pth'}: downloaded, checksum right" in first.output
    again = run(server, folder, "download", "--all")
    assert (again.exit_code, again.output.count("there already")) == (0, 3)
    assert [path for path, _ in server.requests].count("/a.pth") == 1
    assert names(folder) == ["a.pth", "b.pth", "c.pth", "p.pth"]


def test_failures_are_all_named_and_sink_nothing_else(server: FileServer, folder: Path) -> None:
    server.answers |= {
        "/a.pth": always(404),
        "/b.pth": Honest(CONTENT),
        "/c.pth": always(200, CONTENT[:-1] + b"!"),
        "/p.pth": Honest(CONTENT),
    }
    result = run(server, folder, "download", "--all")
    assert result.exit_code == 1
    assert "2 of 4 files failed" in result.output
    assert f"a.pth was not downloaded: {server.url}/a.pth: HTTP 404 Not Found" in result.output
    assert "c.pth was not downloaded" in result.output
    assert "sha256 is" in result.output
    assert f"put it at {folder / 'a.pth'}" in result.output
    assert names(folder) == ["b.pth", "p.pth"]


def test_the_mirror_is_asked_first_and_the_origin_where_it_lacks_the_file(
    server: FileServer, folder: Path
) -> None:
    server.answers |= {
        "/near/b.pth": Honest(CONTENT),
        "/near/c.pth": always(404),
        "/c.pth": Honest(CONTENT),
    }
    result = run(server, folder, "download", "b", "c", mirror=f"{server.url}/near/")
    assert result.exit_code == 0, result.output
    assert {path for path, _ in server.requests} == {"/near/b.pth", "/near/c.pth", "/c.pth"}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["download"], "name the models to download, or --all, or --recommended; there are: a, b, c, p"),
        (["download", "a", "--all"], "name the models to download, or --all"),
        (
            ["download", "a", "no"],
            "model='no' is not known; there are: pixelmend-x4, pixelmend-x4-clean",
        ),
        (["download", "pixelmend-x4"], "'pixelmend-x4' ships with the package"),
        (["download", "mine"], "'mine' is a dropped-in file"),
        (["verify", "no"], "model='no' is not known"),
    ],
)
def test_what_makes_no_sense_is_said_and_nothing_is_done(
    server: FileServer, folder: Path, arguments: list[str], problem: str
) -> None:
    folder.mkdir()
    (folder / "mine.pth").write_bytes(b"mine")
    result = run(server, folder, *arguments)
    assert result.exit_code == 2
    assert problem in result.output
    assert server.requests == []
    assert names(folder) == ["mine.pth"]


# --- list, verify, remove ---------------------------------------------------------------------------------


def rows(result: Result) -> dict[str, list[str]]:
    """The cells of each line by its first one; a size has two words."""
    return {line.split()[0]: line.split()[1:] for line in result.output.splitlines()}


def test_list_says_what_is_where(server: FileServer, folder: Path) -> None:
    folder.mkdir()
    (folder / "a.pth").write_bytes(CONTENT)
    (folder / "b.pth").write_bytes(b"short")
    (folder / "mine.safetensors").write_bytes(b"mine")
    listed = rows(run(server, folder, "list"))
    assert listed["pixelmend-x4"][:2] == ["upscale", "x4"]
    assert listed["pixelmend-x4"][-2:] == ["Apache-2.0", "embedded"]
    assert listed["a"] == ["upscale", "x2", "200.0", "kB", "-", "present"]
    assert listed["b"][-1] == "damaged"
    assert listed["c"] == ["upscale", "x2", "200.0", "kB", "-", "absent"]
    assert listed["mine"] == ["upscale", "-", "4", "bytes", "-", "dropped-in"]


def test_verify_reads_the_files_again(server: FileServer, folder: Path) -> None:
    folder.mkdir()
    (folder / "a.pth").write_bytes(CONTENT)
    (folder / "mine.pth").write_bytes(b"mine")
    sound = run(server, folder, "verify")
    assert sound.exit_code == 0
    assert "a: checksum right" in sound.output
    assert f"mine: no checksum known, sha256 {hashlib.sha256(b'mine').hexdigest()}" in sound.output
    assert "pixelmend-x4: checksum right" in sound.output
    (folder / "b.pth").write_bytes(CONTENT[:-1] + b"!")
    (folder / "mine.pth").write_bytes(b"<html>")
    wrong = run(server, folder, "verify")
    assert wrong.exit_code == 1
    assert "b: b.pth: sha256 is" in wrong.output
    assert "mine: mine.pth: this is a web page" in wrong.output
    assert "a: checksum right" in wrong.output
    assert run(server, folder, "verify", "a").exit_code == 0
    absent = run(server, folder, "verify", "c")
    assert (absent.exit_code, "run `pixelmend models download c`" in absent.output) == (1, True)


def test_remove_takes_files_away_and_refuses_what_ships(server: FileServer, folder: Path) -> None:
    folder.mkdir()
    for name in ("a.pth", "mine.pth", "b.pth.part", "b.pth.part.json"):
        (folder / name).write_bytes(CONTENT)
    result = run(server, folder, "remove", "a", "pixelmend-x4", "b", "c", "no", "mine")
    assert result.exit_code == 1
    assert "a: removed a.pth" in result.output
    assert "b: removed b.pth.part" in result.output
    assert "mine: removed mine.pth" in result.output
    assert "'pixelmend-x4' ships with the package and is not removed" in result.output
    assert "'c' has no file here" in result.output
    assert "model='no' is not known" in result.output
    assert names(folder) == []
    (folder / "mine.pth").write_bytes(b"mine")
    assert run(server, folder, "remove", "mine").exit_code == 0


# --- as a process of its own ------------------------------------------------------------------------------


def environment(**settings: str) -> dict[str, str]:
    """Nothing outside this machine can be reached: the proxy is nobody."""
    outer = {k: v for k, v in os.environ.items() if not k.startswith("PIXELMEND_")}
    for name in [name for name in outer if "proxy" in name.lower()]:
        del outer[name]
    closed = {"HTTPS_PROXY": "http://127.0.0.1:1", "NO_PROXY": "127.0.0.1", "COLUMNS": "200"}
    return outer | closed | settings


def command(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment(**settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.full
def test_a_mirror_with_wrong_files_offline_ends_with_what_to_do_by_hand(
    server: FileServer, folder: Path
) -> None:
    server.answers["/realesr-animevideov3.pth"] = always(200, b"<html>", Content_Type="text/html")
    result = command(
        "-m",
        "pixelmend.cli",
        "models",
        "download",
        "realesr-animevideov3",
        PIXELMEND_MODELS_DIR=str(folder),
        PIXELMEND_MODEL_MIRROR=server.url,
    )
    assert result.returncode == 1, result.stdout + result.stderr
    assert f"{server.url}/realesr-animevideov3.pth: answers with a web page" in result.stdout
    assert "4 attempts in vain" in result.stdout
    by_hand = "get https://github.com/xinntao/Real-ESRGAN/releases/download/v0.2.5.0/realesr-animevideov3.pth"
    assert f"By hand: {by_hand} and put it at {folder / 'realesr-animevideov3.pth'}" in result.stdout
    assert names(folder) == []


@pytest.mark.full
def test_the_script_does_the_same() -> None:
    script = str(ROOT / "download_models.py")
    listed = command(script, "--list")
    assert listed.returncode == 0, listed.stderr
    assert "migan_pipeline_v2" in listed.stdout
    unknown = command(script, "nobody")
    assert (unknown.returncode, "model='nobody' is not known" in unknown.stderr) == (2, True)


@pytest.mark.full
def test_ctrl_c_ends_a_download_and_says_what_becomes_of_it(server: FileServer, folder: Path) -> None:
    begun, go_on = Event(), Event()

    def slow(exchange: Exchange) -> None:
        exchange.begin(200, {"Content-Length": "2504012", "ETag": '"v1"'})
        exchange.wfile.write(CONTENT)
        begun.set()
        go_on.wait(60)
        exchange.wfile.write(CONTENT)

    server.answers["/realesr-animevideov3.pth"] = slow
    process = subprocess.Popen(
        [sys.executable, "-m", "pixelmend.cli", "models", "download", "realesr-animevideov3"],
        env=environment(PIXELMEND_MODELS_DIR=str(folder), PIXELMEND_MODEL_MIRROR=server.url),
        stdout=subprocess.PIPE,
        text=True,
        # Whoever starts the tests in the background has it ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with process:
        assert begun.wait(60)
        process.send_signal(signal.SIGINT)
        go_on.set()
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped; what has arrived is kept" in output
