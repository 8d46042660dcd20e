"""Processes, folders and threads end with the object that made them, however it ends."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from pixelmend import Inpainter, Upscaler
from pixelmend.core.errors import Cancelled, NoWorker
from tests.library.pictures import pictures

RGB = pictures()["rgb"]
LARGE = np.tile(RGB, (5, 5, 1))
"""Large enough for several tiles."""
TIMEOUT_S = 60.0

OPEN = """
import sys, time
import numpy as np
from pixelmend import Upscaler
upscaler = Upscaler(device="cpu")
image = np.full((40, 40, 3), 90, np.uint8)
upscaler.enhance(image, scale=2)
import psutil
print(psutil.Process().children()[0].pid, upscaler._spool.path, flush=True)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where folders of the library are made; empty in the end."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


def worker_of(pid: int | None = None) -> psutil.Process:
    for _ in range(int(TIMEOUT_S / 0.02)):
        for child in psutil.Process(pid).children():
            try:
                if "pixelmend.worker.process" in child.cmdline():
                    return child
            except psutil.Error:  # it has just ended
                continue
        time.sleep(0.02)
    raise AssertionError("there is no worker")


def script(text: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", text],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=TIMEOUT_S,
    )


def gone(pid: int) -> bool:
    for _ in range(int(TIMEOUT_S / 0.02)):
        if not psutil.pid_exists(pid):
            return True
        time.sleep(0.02)
    return False


def test_close_ends_the_process_the_threads_and_the_folder(temporary: Path) -> None:
    threads = set(threading.enumerate())
    upscaler = Upscaler(device="cpu")
    upscaler.enhance(RGB, scale=2)
    worker = worker_of()
    assert [path.stat().st_mode & 0o777 for path in temporary.iterdir()] == [0o700]
    upscaler.close()
    upscaler.close()
    assert not worker.is_running()
    assert list(temporary.iterdir()) == []
    assert set(threading.enumerate()) <= threads
    with pytest.raises(RuntimeError, match="this Upscaler is closed"):
        upscaler.enhance(RGB)


@pytest.mark.full
def test_an_object_that_is_dropped_ends_as_well(temporary: Path) -> None:
    upscaler = Inpainter(device="cpu")
    worker = worker_of()
    del upscaler
    assert gone(worker.pid)


@pytest.mark.full
def test_close_while_it_starts_and_while_it_computes() -> None:
    Upscaler(device="cpu").close()
    upscaler = Upscaler(device="cpu")
    started = threading.Event()
    failures: list[Exception] = []

    def call() -> None:
        try:
            upscaler.enhance(LARGE, on_progress=lambda fraction: started.set())
        except Cancelled as error:
            failures.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    assert started.wait(TIMEOUT_S)
    upscaler.close()
    thread.join()
    assert len(failures) == 1


@pytest.mark.full
def test_a_killed_worker_is_replaced_and_the_call_succeeds() -> None:
    with Upscaler(device="cpu") as upscaler:
        expected = upscaler.enhance(LARGE)
        kills: list[int] = []

        def kill_once(fraction: float) -> None:
            if not kills:
                kills.append(worker_of().pid)
                os.kill(kills[0], signal.SIGKILL)

        np.testing.assert_array_equal(upscaler.enhance(LARGE, on_progress=kill_once), expected)
        assert worker_of().pid != kills[0]
        os.kill(worker_of().pid, signal.SIGKILL)  # while it is idle
        np.testing.assert_array_equal(upscaler.enhance(LARGE), expected)


@pytest.mark.full
def test_a_call_that_loses_two_workers_fails_and_the_next_one_does_not() -> None:
    with Upscaler(device="cpu") as upscaler:
        killed: set[int] = set()
        stop = threading.Event()

        def keep_killing() -> None:
            while not stop.wait(0.01):
                for child in psutil.Process().children():
                    if child.pid in began - killed:
                        killed.add(child.pid)
                        child.kill()

        began: set[int] = set()
        killer = threading.Thread(target=keep_killing)
        killer.start()
        with pytest.raises(NoWorker, match="lost 2 times during this call: ended by SIGKILL"):
            upscaler.enhance(LARGE, on_progress=lambda fraction: began.add(worker_of().pid))
        stop.set()
        killer.join()
        assert len(killed) == 2
        assert upscaler.enhance(RGB, scale=2).shape == (128, 128, 3)


def test_nothing_is_left_of_a_script_that_closes_nothing(tmp_path: Path) -> None:
    done = script(OPEN, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    pid, folder = done.stdout.split()
    assert gone(int(pid))
    assert not Path(folder).exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tmp"], "it writes into no other folder"


@pytest.mark.full
def test_nothing_is_left_of_a_script_that_fails_during_a_call(tmp_path: Path) -> None:
    fails = "upscaler.enhance(np.tile(image, (40, 40, 1)), on_progress=lambda fraction: 1 / 0)"
    done = script(OPEN + fails, tmp_path)
    assert done.stderr.endswith("ZeroDivisionError: division by zero\n")
    assert done.stderr.count("Traceback") == 1
    assert gone(int(done.stdout.split()[0]))


@pytest.mark.full
def test_a_process_that_is_killed_takes_its_worker_along(tmp_path: Path, temporary: Path) -> None:
    command = [sys.executable, "-c", OPEN + "time.sleep(600)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert process.stdout is not None
        worker, folder = process.stdout.readline().split()
        process.kill()
    assert gone(int(worker))
    # No process was left to remove its folder; the next one does.
    assert Path(folder).exists()
    os.utime(folder, (0, 0))
    Upscaler(device="cpu").close()
    assert not Path(folder).exists()


@pytest.mark.full
def test_a_fork_is_told_that_it_has_no_engine(tmp_path: Path) -> None:
    forks = """
import os
if not os.fork():
    try:
        upscaler.enhance(image)
    except RuntimeError as error:
        print(error, flush=True)
    sys.exit()
os.wait()
print(upscaler.enhance(image, scale=2).shape)
"""
    done = script(OPEN + forks, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert "forked from it; make one here" in lines[1]
    assert lines[2:] == ["(80, 80, 3)"]


def test_neither_the_import_nor_a_call_loads_what_only_the_engine_needs(tmp_path: Path) -> None:
    heavy = "[name for name in ('torch', 'openvino', 'pyvips', 'fastapi', 'typer') if name in sys.modules]"
    bare = (
        "import sys; import pixelmend; print([m for m in ('numpy', 'torch', 'pydantic') if m in sys.modules])"
    )
    assert script(bare, tmp_path).stdout == "[]\n"
    assert script(f"{OPEN}print({heavy})", tmp_path).stdout.splitlines()[1:] == ["[]"]


def test_public_names_are_there_and_no_others() -> None:
    import pixelmend

    assert {"Upscaler", "Inpainter"} <= set(dir(pixelmend))
    assert all(getattr(pixelmend, name).__doc__ for name in pixelmend.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'Enhancer'"):
        _ = pixelmend.Enhancer
