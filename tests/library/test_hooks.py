"""Own code is told of alerts and of recovery: installed, named, or given as objects."""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch

from pixelmend import Alert, InvalidArgument, RecoveryEvent, Upscaler
from pixelmend.core.errors import NoWorker, WrongResult
from tests.engine.networks import compact_state
from tests.library.pictures import pictures

RGB = pictures()["rgb"]
TIMEOUT_S = 60.0

MODULE = """
import json, os
from dataclasses import asdict
from pathlib import Path

def note(kind, values):
    with Path(os.environ["NOTES"]).open("a") as file:
        file.write(json.dumps([os.getpid(), kind, values]) + chr(10))

class Own:
    def on_alert(self, alert):
        note("alert", asdict(alert))
        raise OSError("the pager is out of order")

    def on_recovery(self, event):
        note("recovery", asdict(event))
        raise OSError("the pager is out of order")

    def before_retry(self):
        note("before", {})

def on_alert(alert):
    note("module", asdict(alert))

nothing = 7
"""


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module `own_hooks` that writes into the file; memory that gives an alert at once, and one step of
    recovery.
    """
    code = tmp_path / "code"
    code.mkdir()
    (code / "own_hooks.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", str(code))
    monkeypatch.setenv("NOTES", str(tmp_path / "notes"))
    monkeypatch.setenv("PIXELMEND_RECOVERY", '{"wrong_result": ["retry"]}')
    monkeypatch.setenv("PIXELMEND_CLEANUP_THRESHOLD_PERCENT", "0.1")
    monkeypatch.setenv("PIXELMEND_MEMORY_MONITORING_INTERVAL", "0.1")
    return tmp_path / "notes"


def install(folder: Path, *points: str) -> None:
    """As pip would have done it."""
    made = folder / "code" / "own_hooks-1.0.dist-info"
    made.mkdir()
    (made / "METADATA").write_text("Metadata-Version: 2.1\nName: own-hooks\nVersion: 1.0\n")
    lines = [f"{index} = {point}" for index, point in enumerate(points)]
    (made / "entry_points.txt").write_text("\n".join(["[pixelmend.hooks]", *lines, ""]))


def noted(notes: Path, kind: str) -> list[Any]:
    """Waits for the first one."""
    deadline_s = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline_s:
        lines = [json.loads(line) for line in notes.read_text().splitlines()] if notes.exists() else []
        found = [line for line in lines if line[1] == kind]
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"no {kind} was noted")


def white_model(folder: Path) -> Path:
    """A network that paints everything white, which is never taken for a result."""
    state = compact_state()
    last = list(state)[-1]
    state[last] = state[last] * 0 + 9
    safetensors.torch.save_file(state, folder / "white.safetensors")
    return folder / "white.safetensors"


class Recorder:
    def __init__(self) -> None:
        self.alerts: list[Alert] = []
        self.events: list[RecoveryEvent] = []

    def on_alert(self, alert: Alert) -> None:
        self.alerts.append(alert)

    def on_recovery(self, event: RecoveryEvent) -> None:
        self.events.append(event)


@pytest.mark.full
def test_installed_and_given_hooks_are_told_and_may_fail(notes: Path, tmp_path: Path) -> None:
    install(tmp_path, "own_hooks:Own", "own_hooks", "no_such_module", "own_hooks:nothing")
    recorder = Recorder()
    with Upscaler(white_model(tmp_path), device="cpu", hooks=[recorder]) as upscaler:
        with pytest.raises(WrongResult, match="an output tile is wrong"):
            upscaler.enhance(RGB)
        with Upscaler(device="cpu") as other:  # hooks that failed do not keep it from computing
            assert other.enhance(RGB, scale=2).shape == (128, 128, 3)
        assert noted(notes, "before")
        worker, _, recovery = noted(notes, "recovery")[0]
        assert (recovery["model"], recovery["failure"], recovery["step"]) == (
            "white",
            "wrong_result",
            "retry",
        )
        assert recovery["succeeded"] is False
        assert worker == noted(notes, "before")[0][0]
        assert {line[2]["kind"] for line in noted(notes, "alert")} >= {"device-memory"}
        assert noted(notes, "module")[0][2]["state"] == "raised"
    assert asdict(recorder.events[0]) == recovery
    assert recorder.alerts[0].kind == "device-memory"


def test_named_hooks_are_imported_by_the_process_of_the_engine(notes: Path) -> None:
    with Upscaler(device="cpu", hooks=["own_hooks:Own"]) as upscaler:
        assert upscaler.enhance(RGB, scale=2).shape == (128, 128, 3)
        assert noted(notes, "alert")


def test_a_named_hook_that_is_not_there_is_an_error(notes: Path) -> None:
    with (
        Upscaler(device="cpu", hooks=["own_hooks:Nothing"]) as upscaler,
        pytest.raises(NoWorker, match="hooks='own_hooks:Nothing' cannot be loaded: AttributeError"),
    ):
        upscaler.enhance(RGB)


def test_objects_are_checked_at_once() -> None:
    class Frees(Recorder):
        def before_retry(self) -> None:
            pass

    with pytest.raises(InvalidArgument, match="Frees has before_retry"):
        Upscaler(hooks=[Frees()])
    with pytest.raises(InvalidArgument, match="Recorder is no object with any of on_alert"):
        Upscaler(hooks=[Recorder])
    with pytest.raises(InvalidArgument, match="object is no object with any of"):
        Upscaler(hooks=[object()])
    with pytest.raises(InvalidArgument, match="hooks='own hooks'"):
        Upscaler(hooks=["own hooks"])


def test_in_process_objects_are_told_as_well(notes: Path, tmp_path: Path) -> None:
    class Frees(Recorder):
        freed = 0

        def before_retry(self) -> None:
            self.freed += 1

    hook = Frees()
    white = white_model(tmp_path)
    with Upscaler(white, device="cpu", in_process=True, hooks=[hook]) as upscaler:
        with pytest.raises(WrongResult):
            upscaler.enhance(RGB)
        deadline_s = time.monotonic() + TIMEOUT_S
        while not hook.alerts and time.monotonic() < deadline_s:
            time.sleep(0.05)
    assert hook.alerts[0].state == "raised"
    assert hook.freed == len(hook.events) >= 1
