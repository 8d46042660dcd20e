"""What a replica runs: a worker process under its supervisor, as in a service, with a spool of its own."""

import asyncio
import itertools
import platform
import shutil
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pixelmend.core.config import Settings
from pixelmend.core.errors import WrongResult
from pixelmend.core.telemetry import Logger
from pixelmend.tasks.image import ImageTask
from pixelmend.video.parts import FinishedFiles
from pixelmend.worker.cluster.answer import Ended, Part, Report, chunk_parts, finished_parts
from pixelmend.worker.cluster.brought import BroughtFiles
from pixelmend.worker.cluster.scaling import LONG_JOBS, LONG_JOBS_WAITING
from pixelmend.worker.cluster.transfer import receive
from pixelmend.worker.protocol import (
    Cancel,
    CommandRequest,
    CommandResponse,
    Done,
    Failed,
    FromWorker,
    Heartbeat,
    Manage,
    Models,
    Progress,
    Ready,
    Submit,
    from_worker_codec,
    to_worker_codec,
)
from pixelmend.worker.spawning import Spawn, spawn
from pixelmend.worker.supervisor import Supervisor

KEPT_MESSAGES = 1000
"""Those of a busy worker in minutes; the gateway asks every second."""

ALIVE_PERIOD_S = 5.0
"""So often a job's answer says that it goes on, if nothing else is to be said."""


@dataclass(eq=False, slots=True)
class _Life:
    """What the present worker has told, as a newcomer has to hear it. number: from 1."""

    number: int
    models: tuple[FromWorker, ...] = ()
    arriving: list[FromWorker] = field(default_factory=list)
    ready: Ready | None = None
    messages: deque[tuple[int, bytes]] = field(default_factory=lambda: deque(maxlen=KEPT_MESSAGES))
    last: int = 0


class Engine:
    """Belongs to one event loop. Nothing here knows of Ray: the test of the seam calls it as it is."""

    def __init__(self, settings: Settings, folder: Path, log: Logger, spawn: Spawn = spawn) -> None:
        """settings: of the service; memory and device become the replica's own. folder: of this replica."""
        self.folder = folder
        self._settings = _own_settings(settings, self.folder)
        self._spool = self.folder / "spool"
        for folder in (self._spool, self.folder / "brought", self._settings.models_dir):
            folder.mkdir()
        self._brought = BroughtFiles(self.folder / "brought")
        self._supervisor = Supervisor(self._settings, log, spawn=spawn, tap=self._on_message)
        self._incoming, self._outgoing = to_worker_codec(), from_worker_codec()
        self._numbers = itertools.count(1)
        self._lives = itertools.count(1)
        self._life: _Life | None = None
        self._ended: Ended | None = None
        self._jobs: dict[str, asyncio.Queue[Progress | Done | Failed | None]] = {}
        self._given_up: set[str] = set()
        """Jobs that the worker may still write for."""
        self._commands: dict[str, asyncio.Event] = {}
        self._files: set[tuple[str, str]] = set()
        self._long_jobs, self._long_jobs_waiting = 0, 0

    def load(self) -> dict[str, float]:
        """For Serve's autoscaling."""
        return {LONG_JOBS: self._long_jobs, LONG_JOBS_WAITING: self._long_jobs_waiting}

    def start(self) -> None:
        self._supervisor.start(self, 0)

    async def wait_until_ready(self) -> None:
        """Until the first worker is ready, or cannot start; the reason is then told in reports."""
        while not (self._supervisor.status().ready or self._supervisor.status().failed_starts):
            await asyncio.sleep(0.05)

    async def stop(self) -> None:
        await self._supervisor.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- what the gateway calls -----------------------------------------------------------------------

    async def hello(self) -> tuple[str, frozenset[tuple[str, str]]]:
        """The machine's name, and the model files that are here: names and sha256."""
        return platform.node(), frozenset(self._files)

    async def report(self, life: int, after: int, long_jobs_waiting: int) -> Report:
        """What is new since message `after` of that life; of another life, all that counts.

        long_jobs_waiting: at the service, for any replica.
        """
        self._brought.remove_given_up()
        self._long_jobs_waiting = long_jobs_waiting
        now = self._life
        if now is None:
            return Report(0, 0, (), self._ended, None)
        if life == now.number:
            lines = [line for number, line in now.messages if number > after]
        else:
            known = (*now.models, *([now.ready] if now.ready else []))
            lines = [self._outgoing.encode(message) for message in known]
        status = self._supervisor.status()
        age = status.step_age_s if status.ready else None
        return Report(now.number, now.last, tuple(lines), self._ended, age)

    async def tell(self, line: bytes) -> None:
        """A message to the worker. Returns at once, of a command once it has been answered."""
        message = self._incoming.decode(line)
        match message:
            case Manage(management=management):
                share = self._settings.cluster_memory_share
                percent = management.max_memory_usage_percent * share
                self._supervisor.manage(replace(management, max_memory_usage_percent=percent))
            case CommandRequest(request_id=request_id):
                answered = self._commands[request_id] = asyncio.Event()
                try:
                    if self._supervisor.send(message):
                        await answered.wait()
                finally:
                    self._commands.pop(request_id, None)
            case _:
                self._supervisor.send(message)

    async def keep_model_file(self, name: str, sha256: str, chunks: Sequence[Any]) -> None:
        """Raises WrongResult if other bytes came, and StorageFull."""
        path = self._settings.models_dir / Path(name).name
        arriving = path.with_name(f".{next(self._numbers)}-{path.name}")
        found = await receive(arriving, chunks)
        if found != sha256:
            arriving.unlink(missing_ok=True)
            raise WrongResult(f"model file {path.name} came with sha256 {found[:12]}, not {sha256[:12]}")
        arriving.replace(path)
        self._files = {(own, digest) for own, digest in self._files if own != name} | {(name, sha256)}

    async def bring(self, key: str, name: str, chunks: Sequence[Any]) -> None:
        """More of a long job's file, before its `run` with that key. Raises StorageFull."""
        await self._brought.add(key, name, chunks)

    async def run(
        self, life: int, line: bytes, image: Sequence[Any], mask: Sequence[Any] | None, key: str | None = None
    ) -> AsyncIterator[Part]:
        """A job's progress, its result in chunks, and its end. Left early, the worker gives the job up.

        key: of files that were brought, in the place of an image.
        """
        submit = self._incoming.decode(line)
        assert isinstance(submit, Submit)
        task = self._own_task(submit.task)
        messages: asyncio.Queue[Progress | Done | Failed | None] = asyncio.Queue()
        ended = False
        is_long = task.parts_path is not None
        self._long_jobs += is_long
        try:
            if key is None:
                await receive(task.input_path, image)
            if mask is not None and task.mask_path is not None:
                await receive(task.mask_path, mask)
            own = self._life is not None and self._life.number == life
            if key is not None and task.parts_path is not None:
                own = self._brought.hand_over(key, task.input_path, task.parts_path) and own
            finished = None if task.parts_path is None else FinishedFiles(task.parts_path)
            if finished is not None:
                finished.new()  # what was brought is on the other side already
            if not own or not self._supervisor.send(replace(submit, task=task)):
                yield Part("stale")
                ended = True
                return
            self._jobs[task.id] = messages
            yield Part("taken")
            while not ended:
                try:
                    message = await asyncio.wait_for(messages.get(), ALIVE_PERIOD_S)
                except TimeoutError:
                    yield Part("alive")
                    continue
                ended = not isinstance(message, Progress)
                if finished is not None and not isinstance(message, Done | Failed):
                    async for part in finished_parts(finished):
                        yield part
                if message is None:
                    yield Part("lost")
                    continue
                if isinstance(message, Done):
                    with task.output_path.open("rb") as file:
                        yield Part("result")
                        async for part in chunk_parts(file):
                            yield part
                told = replace(message, task_id=submit.task.id)
                yield Part("message", self._outgoing.encode(told))
        finally:
            self._long_jobs -= is_long
            if self._jobs.pop(task.id, None) is not None and not ended:
                self._given_up.add(task.id)
                self._supervisor.send(Cancel(task.id))
            self._remove_files(task.id)

    # --- events of the worker -------------------------------------------------------------------------

    def _on_message(self, message: FromWorker) -> None:
        """All that comes of the worker."""
        life = self._life = self._life or _Life(next(self._lives))
        match message:
            case Heartbeat() | Progress() | Done() | Failed():
                return  # reports say so as well; what is of a job goes with it
            case Models(last=last):
                life.arriving.append(message)
                if last:
                    life.models, life.arriving = tuple(life.arriving), []
            case Ready():
                life.ready = message
            case CommandResponse(request_id=request_id) if request_id in self._commands:
                self._commands[request_id].set()
            case _:
                pass
        life.last += 1
        life.messages.append((life.last, self._outgoing.encode(message)))

    def on_worker_ready(self, index: int) -> None:
        pass

    def on_worker_message(self, index: int, message: FromWorker) -> None:
        if isinstance(message, Progress | Done | Failed):
            task_id = message.task_id
            if task_id in self._jobs:
                self._jobs[task_id].put_nowait(message)
            elif task_id in self._given_up and not isinstance(message, Progress):
                self._given_up.remove(task_id)
                self._remove_files(task_id)

    def on_worker_lost(self, index: int, reason: str, *, by_itself: bool, crashed: bool = False) -> None:
        if self._life is not None:
            self._ended, self._life = Ended(self._life.number, reason, by_itself, crashed), None
        for answered in self._commands.values():
            answered.set()
        for job in self._jobs.values():
            job.put_nowait(None)
        while self._given_up:
            self._remove_files(self._given_up.pop())

    def _remove_files(self, task_id: str) -> None:
        """Remove the job's files, finished or partial."""
        for path in self._spool.glob(f"{task_id}.*"):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def _own_task(self, task: ImageTask) -> ImageTask:
        """With paths in the spool of this replica, and a name that no earlier attempt has had here."""
        stem = f"{task.id}-{next(self._numbers)}"
        return replace(
            task,
            id=stem,
            input_path=self._spool / f"{stem}.in",
            mask_path=self._spool / f"{stem}.mask" if task.mask_path is not None else None,
            output_path=self._spool / f"{stem}.out{task.output_path.suffix}",
            parts_path=self._spool / f"{stem}.parts" if task.parts_path is not None else None,
        )


def _own_settings(settings: Settings, folder: Path) -> Settings:
    """As a replica has them: own folders, a share of a device's memory, and the device that it is lent."""
    device = settings.device
    if device == "auto" and not settings.cluster_replica_gpus:
        device = "cpu"
    return settings.model_copy(
        update={
            "data_dir": folder,
            "models_dir": folder / "models",
            "device": device,
            "max_memory_usage_percent": settings.max_memory_usage_percent * settings.cluster_memory_share,
        }
    )
