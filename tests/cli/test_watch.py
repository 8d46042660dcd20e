"""`pixelmend watch` as a process, and what it remembers."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pixelmend.cli.watch_state import Entry, Fingerprint, WatchState
from pixelmend.core.errors import InvalidParameter
from pixelmend.video.inspection import inspect
from tests.pictures import decoded, encoded, photo
from tests.video.clips import Clip, constant_rate, make

DONE = Entry(Fingerprint(10, 20), "a.png", None, "x4")


def environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PIXELMEND_")}
    return kept | {"PIXELMEND_DEVICE": "cpu", "COLUMNS": "300", "PYTHONUNBUFFERED": "1"}


def command(folder: Path, out: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "pixelmend.cli", "watch", str(folder), str(out), *more]


@contextmanager
def watching(folder: Path, out: Path) -> Iterator[Path]:
    """A running watch; its log."""
    log = folder.parent / "log"
    with log.open("w") as target:
        process = subprocess.Popen(
            command(folder, out, "--interval", "0.3"), env=environment(), stdout=target, stderr=target
        )
    try:
        until(lambda: "watching" in log.read_text(), process)
        yield log
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


def until(condition: Callable[[], bool], process: subprocess.Popen[bytes] | None = None) -> None:
    deadline_s = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline_s
        assert process is None or process.poll() is None
        time.sleep(0.05)


def test_files_are_upscaled_once_they_stop_growing_and_are_remembered(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    (folder / "deep").mkdir(parents=True)
    whole = encoded(photo(side_px=40), "JPEG")
    (folder / "early.jpg").write_bytes(whole)
    with watching(folder, out) as log:
        until((out / "early.png").exists)
        with (folder / "deep" / "slow.jpg").open("wb") as growing:
            for start in range(0, len(whole), len(whole) // 12 + 1):
                growing.write(whole[start : start + len(whole) // 12 + 1])
                growing.flush()
                time.sleep(0.15)
        (folder / "early.bmp").write_bytes(encoded(photo("coffee", side_px=20), "BMP"))
        (folder / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n but no more")
        until(lambda: (out / "deep" / "slow.png").exists() and "bad.png: " in log.read_text())
        until((out / "early.bmp.png").exists)
    assert decoded((out / "early.png").read_bytes()).shape == (160, 160, 3)
    assert decoded((out / "deep" / "slow.png").read_bytes()).shape == (160, 160, 3)
    assert decoded((out / "early.bmp.png").read_bytes()).shape == (80, 80, 3)
    text = log.read_text()
    assert text.count("slow.jpg: ") == 0, text  # it was never taken half-written
    assert not list(out.rglob("*.part"))

    # What is done stays done, though its result was taken away; what has changed is done again.
    (out / "early.png").unlink()
    (folder / "bad.png").write_bytes(encoded(photo(side_px=30)))
    again = subprocess.run(
        command(folder, out, "--interval", "0.2", "--once"),
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert again.returncode == 0, again.stdout + again.stderr
    assert not (out / "early.png").exists()
    assert decoded((out / "bad.png").read_bytes()).shape == (120, 120, 3)


@pytest.mark.full
def test_films_and_images_are_done_in_their_own_kinds(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    make(folder / "film.mkv", Clip(constant_rate(4)))
    (folder / "photo.jpg").write_bytes(encoded(photo(side_px=32), "JPEG"))
    run = subprocess.run(
        command(folder, out, "--once", "--interval", "0.1", "--scale", "2"),
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert decoded((out / "photo.png").read_bytes()).shape[:2] == (64, 64)
    header = inspect(out / "film.mkv").header
    assert (header.frames, str(header.size)) == (4, "192x128")


def test_once_says_by_its_status_that_a_file_failed(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n but no more")
    done = subprocess.run(
        command(tmp_path / "in", tmp_path / "out", "--interval", "0.2", "--once"),
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1
    assert "bad.png: " in done.stdout


@pytest.mark.full
@pytest.mark.parametrize(
    ("folder", "out", "reason"),
    [
        ("nowhere", "out", "no such folder"),
        ("in", ".", "would be sources again"),
        ("in", "in", "sources again"),
    ],
)
def test_folders_that_cannot_be_used_are_refused(tmp_path: Path, folder: str, out: str, reason: str) -> None:
    (tmp_path / "in").mkdir()
    done = subprocess.run(
        command(tmp_path / folder, tmp_path / out),
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert reason in done.stderr


def test_a_ledger_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    first = WatchState(path)
    first.record("a.jpg", DONE)
    first.record("b.jpg", Entry(Fingerprint(1, 2), None, "it is damaged"))
    second = WatchState(path)
    assert second.knows("a.jpg", DONE.source, "x4")
    assert not second.knows("a.jpg", DONE.source, "x2")
    assert not second.knows("a.jpg", Fingerprint(10, 21), "x4")
    assert not second.knows("c.jpg", DONE.source, "x4")
    assert second.knows("b.jpg", Fingerprint(1, 2), "x2")  # as an earlier version wrote it
    assert second.owner_of("a.png") == "a.jpg"
    assert second.owner_of("b.png") is None
    assert [p.name for p in tmp_path.iterdir()] == ["ledger"]


@pytest.mark.parametrize("content", ["", "[]", "[1]", '{"a": 1}', '{"a": {"source": {}}}', "{"])
def test_what_is_no_ledger_is_refused_by_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "ledger"
    path.write_text(content)
    with pytest.raises(InvalidParameter, match="ledger does not hold what is done"):
        WatchState(path)


def test_a_ledger_that_cannot_be_written_keeps_what_it_has(tmp_path: Path) -> None:
    ledger = WatchState(tmp_path / "ledger")
    ledger.record("a.jpg", DONE)
    (tmp_path / "ledger.part").mkdir()
    with pytest.raises(OSError, match="directory"):
        ledger.record("b.jpg", DONE)
    assert not ledger.knows("b.jpg", DONE.source, "x4")
    assert list(json.loads((tmp_path / "ledger").read_text())) == ["a.jpg"]
