"""The replicas of a cluster behind the interface of the worker pool, and the gateway's process to them."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

from pixelmend.core.config import Settings
from pixelmend.core.errors import NoWorker
from pixelmend.core.management import Management
from pixelmend.core.profile import Profile
from pixelmend.core.telemetry import Logger
from pixelmend.models.memory import Alert
from pixelmend.worker.cluster.messages import (
    Alive,
    Begin,
    FromGateway,
    FromSession,
    Joined,
    Leave,
    Left,
    Retiring,
    ToGateway,
    Unavailable,
    Waiting,
    from_gateway_codec,
    to_gateway_codec,
)
from pixelmend.worker.cluster.replica_worker import ReplicaWorker
from pixelmend.worker.commands import Command, LoadModel, PinModel, PreloadProfile, ReleaseProfile
from pixelmend.worker.pool import WorkerPool
from pixelmend.worker.spawning import Spawn, WorkerProcess, describe_exit, environment, start_connected
from pixelmend.worker.state import WorkerEvents
from pixelmend.worker.status import WorkerStatus, merged

RESTART_DELAY_S = 1.0
STOP_TIMEOUT_S = 20.0


def spawn_gateway(end: socket.socket) -> subprocess.Popen[bytes]:
    """Raises OSError if no process can be started."""
    return subprocess.Popen(
        [sys.executable, "-m", "pixelmend.worker.cluster.gateway_process", str(end.fileno())],
        pass_fds=[end.fileno()],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        env=environment(os.environ),
    )


class ClusterPool(WorkerPool):
    """A worker for each replica, which come and go; a replica's place is taken again after it has left.

    Nothing is hopeless here: while there is no replica, or no head, jobs wait.
    """

    def __init__(
        self,
        settings: Settings,
        log: Logger,
        on_alert: Callable[[Alert], None] = lambda _: None,
        spawn: Spawn = spawn_gateway,
    ) -> None:
        super().__init__(())
        self._settings = settings
        self._log = log
        self._on_alert = on_alert
        self._spawn = spawn
        self._replicas: list[ReplicaWorker] = []
        self._events: WorkerEvents | None = None
        self._management: Management | None = None
        self._process: WorkerProcess | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None
        self._problem: str | None = "the cluster is being joined"
        self._long_jobs_waiting = 0
        self._outgoing = to_gateway_codec()
        self._incoming = from_gateway_codec()

    def start(self, events: WorkerEvents) -> None:
        self._events = events
        self._task = asyncio.create_task(self._keep_gateway(), name="gateway")

    async def stop(self) -> None:
        if self._task is not None:
            task, self._task = self._task, None
            self._write(Leave())
            if self._process is not None:
                try:
                    await asyncio.wait_for(asyncio.to_thread(self._process.wait), STOP_TIMEOUT_S)
                except TimeoutError:
                    self._process.kill()
                    await asyncio.to_thread(self._process.wait)
            # It ends with the gateway, unless it is about to start another one.
            await asyncio.wait({task}, timeout=2 * RESTART_DELAY_S)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await super().stop()

    def status(self) -> WorkerStatus:
        """Ready if a replica and the head are."""
        statuses = [each.status() for each in self._replicas if each.session is not None]
        problem = self._problem
        if statuses and problem is None:
            return merged(statuses)
        problem = problem or "the cluster has no replica that is ready"
        lost = sum(each.state.restarts for each in self._replicas)
        return WorkerStatus(False, None, 0.0, None, (), problem, lost, 0)

    def manage(self, management: Management) -> None:
        self._management = management
        super().manage(management)

    def expect_long_jobs(self, waiting: int) -> None:
        """They bring replicas."""
        if waiting != self._long_jobs_waiting:
            self._long_jobs_waiting = waiting
            self._write(Waiting(waiting))

    async def execute(self, command: Command, device: int | None = None) -> None:
        """As the pool's, but what opens models goes to all replicas, unless a device is named."""
        if device is not None and isinstance(command, LoadModel | PinModel):
            await super().execute(command, device)
            return
        present = [each for each in self._replicas if each.session is not None]
        if not present:
            raise NoWorker(self._problem or "the cluster has no replica that is ready")
        await asyncio.gather(*(each.memory.execute(command) for each in present))

    async def preload(self, name: str, profile: Profile) -> None:
        """All of it in every replica; devices that the profile names are those of one machine."""
        try:
            await self.execute(PreloadProfile(name, profile))
        except Exception:
            with contextlib.suppress(Exception):
                await self.execute(ReleaseProfile(name))
            raise

    def use_profiles(self, profiles: Mapping[str, Profile]) -> None:
        """Replicas are started by the cluster, with the profiles of the deployment."""

    # --- the gateway ----------------------------------------------------------------------------------

    async def _keep_gateway(self) -> None:
        while True:
            try:
                code = await self._run_gateway()
                reason = f"the gateway {describe_exit(code)}"
            except OSError as error:
                reason = f"no gateway process can be started: {error.strerror}"
            for replica in self._replicas:
                if replica.session is not None:
                    replica.leave(reason, by_itself=False, expected=False)
            if self._task is None:
                return
            self._problem = self._problem or reason
            self._log.error("the gateway to the cluster was lost", reason=reason, problem=self._problem)
            await asyncio.sleep(RESTART_DELAY_S)

    async def _run_gateway(self) -> int:
        """One gateway's life. Returns its exit status."""
        self._process, reader, self._writer = await start_connected(self._spawn)
        self._write(Begin(self._settings))
        self._write(Waiting(self._long_jobs_waiting))
        try:
            with contextlib.suppress(ConnectionError):
                while line := await reader.readline():
                    self._on_message(self._incoming.decode(line))
        finally:
            self._writer.close()
            self._writer = None
            if self._task is not None:
                self._process.kill()
        return await asyncio.to_thread(self._process.wait)

    def _write(self, message: ToGateway) -> bool:
        if self._writer is None:
            return False
        self._writer.write(self._outgoing.encode(message))
        return True

    def _on_message(self, message: FromGateway) -> None:
        match message:
            case Alive():
                was, self._problem = self._problem, None
                if was is not None:
                    self._log.info("the cluster answers")
                    self._wake()
            case Unavailable(reason=reason):
                if reason != self._problem:
                    self._log.warning("the cluster is unavailable", reason=reason)
                self._problem = reason
            case Joined():
                self._join(message)
            case FromSession(session=session, message=told):
                replica = self._replica_of(session)
                if replica is not None:
                    replica.on_message(told)
            case Retiring(session=session):
                replica = self._replica_of(session)
                if replica is not None:
                    replica.retire()
            case Left(session=session, reason=reason, expected=expected):
                replica = self._replica_of(session)
                if replica is not None:
                    level = self._log.info if expected else self._log.error
                    level("replica left", replica=replica.replica, node=replica.node, reason=reason)
                    replica.leave(
                        reason, by_itself=message.by_itself, expected=expected, crashed=message.crashed
                    )
                    self._forget_the_last(expected)

    def _join(self, joined: Joined) -> None:
        assert self._events is not None
        own = [each for each in self._replicas if each.replica == joined.replica]
        free = [each for each in self._replicas if each.session is None]
        if own or free:
            place = (own or free)[0]
        else:
            place = ReplicaWorker(self._settings, self._log, self._send, self._on_alert)
            if self._replicas:
                for command in self._kept_by_all():
                    place.memory.keep(command)
            if self._management is not None:
                place.manage(self._management)
            place.start(self._events, len(self._replicas))
            self._replicas.append(place)
            self._workers.append(place)
        place.join(joined)
        self._log.info("replica joined", replica=joined.replica, node=joined.node)

    def _kept_by_all(self) -> list[Command]:
        first, *others = [each.memory.sticky_commands for each in self._replicas]
        return [command for command in first if all(command in other for other in others)]

    def _forget_the_last(self, expected: bool) -> None:
        """Places keep their indices, so that only those at the end can go."""
        while expected and self._replicas and self._replicas[-1].session is None:
            self._replicas.pop()
            self._workers.pop()

    def _replica_of(self, session: str) -> ReplicaWorker | None:
        return next((each for each in self._replicas if each.session == session), None)

    def _send(self, message: Any) -> bool:
        return self._problem is None and self._write(message)

    def _wake(self) -> None:
        assert self._events is not None
        for index, replica in enumerate(self._replicas):
            if replica.session is not None:
                self._events.on_worker_ready(index)
