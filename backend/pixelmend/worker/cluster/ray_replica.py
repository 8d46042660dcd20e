"""The class that Serve runs: an `Engine`, started, behind two methods that take the router's target first."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil

from pixelmend.core.config import Settings
from pixelmend.core.telemetry import Logger, configure_logging
from pixelmend.worker.cluster.answer import Part
from pixelmend.worker.cluster.engine import Engine


class RayReplica:
    async def __init__(self, settings: str) -> None:  # type: ignore[misc]
        """settings: the service's, as JSON. Serve counts the replica once its worker is ready."""
        os.umask(0o077)
        parsed = Settings.model_validate_json(settings)
        configure_logging(parsed.log_level, "json")
        folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
        _remove_those_of_the_dead(folder.parent)
        self._engine = Engine(parsed, folder, Logger(process="replica"))
        self._engine.start()
        await self._engine.wait_until_ready()

    async def call(self, target: str, method: str, *arguments: Any) -> Any:
        return await getattr(self._engine, method)(*arguments)

    async def stream(self, target: str, method: str, *arguments: Any) -> AsyncIterator[Part]:
        async for part in getattr(self._engine, method)(*arguments):
            yield part

    async def record_autoscaling_stats(self) -> dict[str, float]:
        """What Serve asks for, and gives to the policy in `scaling.py`."""
        return self._engine.load()

    async def __del__(self) -> None:
        """Serve awaits it once the replica has finished what it had."""
        await self._engine.stop()


_PREFIX = "pixelmend-replica-"


def _remove_those_of_the_dead(parent: Path) -> None:
    """Folders of replicas that were killed."""
    for folder in parent.glob(f"{_PREFIX}*-*"):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdecimal() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)
