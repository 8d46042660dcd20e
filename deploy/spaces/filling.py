"""Filling without a network: in a worker of its own that has no GPU, since it would not use one.

The page's process has no engine, so that what ZeroGPU forks from it has none of its threads and locks.
"""

import asyncio
import os
import threading
from pathlib import Path

from pixelmend.cli.files import FileJob
from pixelmend.cli.local import LocalEngine, local_engine
from pixelmend.cli.outcomes import Outcome
from pixelmend.cli.request import Request
from pixelmend.core.config import Settings
from pixelmend.core.telemetry import Logger


class Filler:
    """Called by any number of threads. Its worker is started by the first use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._engine: LocalEngine | None = None
        threading.Thread(target=self._loop.run_forever, name="filler", daemon=True).start()

    def run(self, source: Path, mask: Path, result: Path, request: Request) -> Outcome:
        """Returns with the result at its path, or with an error. Raises NoWorker if no worker starts."""
        with self._lock:
            if self._engine is None:
                self._engine = asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()
        work = self._engine.process(FileJob(source, result, mask), request, lambda _, __: None)
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _open(self) -> LocalEngine:
        # Workers find the package beside this file wherever the Space was started.
        here = str(Path(__file__).parent)
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))
        self._opened = local_engine(Settings(device="cpu"), Logger(process="space"))
        engine = await self._opened.__aenter__()
        try:
            await engine.wait_until_ready()
        except BaseException as error:
            await self._opened.__aexit__(type(error), error, error.__traceback__)
            raise
        return engine
