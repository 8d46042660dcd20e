"""A worker that cannot even be spawned is told of and tried again."""

import asyncio
import sys
from pathlib import Path

import pytest

from pixelmend.core.config import Settings
from pixelmend.core.telemetry import Logger
from pixelmend.worker.protocol import FromWorker
from pixelmend.worker.supervisor import Supervisor


class Losses:
    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.ready = asyncio.Event()

    def on_worker_ready(self, index: int) -> None:
        self.ready.set()

    def on_worker_message(self, index: int, message: FromWorker) -> None:
        raise AssertionError(f"nothing was asked, and {message} came")

    def on_worker_lost(self, index: int, reason: str, *, by_itself: bool) -> None:
        assert not by_itself
        self.reasons.append(reason)


@pytest.mark.full
def test_no_process_at_all_is_told_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body() -> None:
        settings = Settings(_env_file=None, device="cpu", data_dir=tmp_path, models_dir=tmp_path)
        supervisor, losses = Supervisor(settings, Logger()), Losses()
        python = sys.executable
        monkeypatch.setattr(sys, "executable", str(tmp_path / "absent"))
        supervisor.start(losses, 0)
        try:
            while len(losses.reasons) < 2:
                await asyncio.sleep(0.01)
            status = supervisor.status()
            assert status.hopeless
            assert status.problem == "no worker process can be started: No such file or directory"
            monkeypatch.setattr(sys, "executable", python)
            await losses.ready.wait()
            assert supervisor.status().ready
            assert not supervisor.status().hopeless
            assert supervisor.status().problem is None
        finally:
            await supervisor.stop()

    asyncio.run(asyncio.wait_for(body(), 120))
