"""Between the API process and the replicas: sessions, jobs with their files, commands.

It runs in a process of its own (`gateway_process.py`): Ray's library ends the process in which it loses the
cluster's head, and the API process has to outlive that.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pixelmend.core.config import Settings
from pixelmend.core.errors import Cancelled, NoWorker, PixelmendError
from pixelmend.core.telemetry import Logger
from pixelmend.worker.cluster.answer import Report
from pixelmend.worker.cluster.deployment import Deployment, NotRouted, ReplicaGone
from pixelmend.worker.cluster.messages import (
    Alive,
    FromGateway,
    FromSession,
    Joined,
    Left,
    Retiring,
    ToSession,
    Unavailable,
    Waiting,
)
from pixelmend.worker.cluster.remote_job import NotHeard, RemoteJob, taking_timeout_s
from pixelmend.worker.cluster.transfer import chunks_of
from pixelmend.worker.cluster.weights import ModelFiles, models_of
from pixelmend.worker.protocol import (
    Cancel,
    CommandRequest,
    CommandResponse,
    Done,
    Failed,
    FromWorker,
    Heartbeat,
    Manage,
    Returned,
    Submit,
    failure,
    from_worker_codec,
    problem_of,
    to_worker_codec,
)

REPORT_PERIOD_S = 1.0
HEAD_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 30.0
"""A question is answered in milliseconds; a cluster that loses a machine may lose a question."""


@dataclass(eq=False, slots=True)
class Link:
    """A replica. life, session: of its present worker; 0 and empty without one. after: the last message.
    management: the settings that it was told last.
    """

    replica: str
    node: str
    files: set[tuple[str, str]]
    life: int = 0
    session: str = ""
    after: int = 0
    retiring: bool = False
    management: Manage | None = None
    jobs: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)
    reporting: asyncio.Lock = field(default_factory=asyncio.Lock)
    sending: asyncio.Lock = field(default_factory=asyncio.Lock)


class Gateway:
    """Belongs to one event loop. send: to the API process, in order."""

    def __init__(
        self, settings: Settings, deployment: Deployment, send: Callable[[FromGateway], None], log: Logger
    ) -> None:
        self._deployment = deployment
        self._send = send
        self._log = log
        self._files = ModelFiles(settings.models_dir)
        self._links: dict[str, Link] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._long_jobs_waiting = 0
        self._incoming, self._outgoing = from_worker_codec(), to_worker_codec()

    async def run(self) -> None:
        """Until it is cancelled."""
        self._send(Unavailable("the cluster is being joined"))
        await self._deployment.start()
        self._spawn(self._watch_head())
        try:
            while True:
                await self._look()
                await asyncio.sleep(REPORT_PERIOD_S)
        finally:
            for task in [*self._tasks, *(job for link in self._links.values() for job in link.jobs.values())]:
                task.cancel()

    def take(self, told: ToSession | Waiting) -> None:
        """Returns at once."""
        if isinstance(told, Waiting):
            self._long_jobs_waiting = told.long_jobs
            return
        link = next((each for each in self._links.values() if each.session == told.session), None)
        match told.message:
            case Submit(task=task) as submit:
                if link is None or link.retiring:
                    self._send(FromSession(told.session, Returned(task.id)))
                else:
                    link.jobs[task.id] = asyncio.create_task(self._run(link, told.session, submit))
            case Cancel(task_id=task_id):
                if link is not None and task_id in link.jobs:
                    link.jobs[task_id].cancel()
            case CommandRequest() as message if link is not None:
                self._spawn(self._command(link, told.session, message))
            case Manage() as message if link is not None:
                link.management = message
                self._spawn(self._manage(link, message))
            case _:
                pass  # its session is over, which the other side hears

    # --- replicas -------------------------------------------------------------------------------------

    async def _watch_head(self) -> None:
        while True:
            try:
                await asyncio.wait_for(self._deployment.check(), HEAD_TIMEOUT_S)
                self._send(Alive())
            except (TimeoutError, ConnectionError) as error:
                why = str(error) or f"nothing within {HEAD_TIMEOUT_S:g} s"
                self._send(Unavailable(f"the cluster's head does not answer: {why}"))
            await asyncio.sleep(REPORT_PERIOD_S)

    async def _look(self) -> None:
        """Find replicas that have come or gone."""
        present = await self._deployment.replicas()
        for replica in present - self._links.keys():
            with contextlib.suppress(ReplicaGone, NotRouted):
                node, files = await self._asked(replica, "hello")
                self._links[replica] = link = Link(replica, node, set(files))
                self._spawn(self._follow(link))
        for link in list(self._links.values()):
            if link.replica not in present and not link.retiring:
                link.retiring = True
                if link.session:
                    self._send(Retiring(link.session))
            if link.retiring and not link.jobs:
                self._leave(link, "it takes no more work", expected=True)

    async def _follow(self, link: Link) -> None:
        while not link.retiring and self._links.get(link.replica) is link:
            with contextlib.suppress(NotRouted):
                try:
                    await self._report(link)
                except ReplicaGone as error:
                    self._leave(link, str(error))
                    return
            await asyncio.sleep(REPORT_PERIOD_S)

    async def _report(self, link: Link) -> None:
        """Pass on what its worker has told, and what has become of it."""
        async with link.reporting:
            waiting = self._long_jobs_waiting
            report: Report = await self._asked(link.replica, "report", link.life, link.after, waiting)
            if link.life and report.life != link.life:
                ended = report.ended
                known = ended is not None and ended.life == link.life
                self._end_session(
                    link,
                    ended.reason if ended and known else "its worker was replaced",
                    by_itself=bool(ended and known and ended.by_itself),
                    crashed=bool(ended and known and ended.crashed),
                )
            if report.life and not link.life:
                link.life, link.session = report.life, f"{link.replica}.{report.life}"
                self._send(Joined(link.session, link.replica, link.node))
            link.after = report.last
            for line in report.messages:
                self._send(FromSession(link.session, self._incoming.decode(line)))
            if report.step_age_s is not None and link.session:
                self._send(FromSession(link.session, Heartbeat(report.step_age_s)))

    async def _asked(self, replica: str, question: str, *arguments: Any) -> Any:
        """The answer, which takes the replica no time. Raises NotRouted, and ReplicaGone if none comes."""
        try:
            call = self._deployment.call(replica, question, *arguments)
            return await asyncio.wait_for(call, ANSWER_TIMEOUT_S)
        except TimeoutError:
            raise ReplicaGone(f"replica {replica} answers nothing within {ANSWER_TIMEOUT_S:g} s") from None

    def _leave(self, link: Link, reason: str, *, expected: bool = False) -> None:
        if self._links.get(link.replica) is link:
            del self._links[link.replica]
            self._log.warning("replica left", replica=link.replica, node=link.node, reason=reason)
            self._end_session(link, reason, by_itself=False, expected=expected)

    def _end_session(
        self, link: Link, reason: str, *, by_itself: bool, expected: bool = False, crashed: bool = False
    ) -> None:
        for job in link.jobs.values():
            job.cancel()
        link.jobs.clear()
        session, link.session, link.life, link.after = link.session, "", 0, 0
        if session:
            self._send(Left(session, reason, by_itself, expected, crashed))

    # --- work -----------------------------------------------------------------------------------------

    async def _run(self, link: Link, session: str, submit: Submit) -> None:
        task = submit.task
        job = RemoteJob(self._deployment, link.replica, link.life, submit, self._outgoing.encode(submit))
        try:
            await self._send_models(link, task.options.models)
            ended = False
            async for line in job.messages():
                message = self._incoming.decode(line)
                ended = ended or isinstance(message, Done | Failed)
                self._tell_of(link, session, message)
            if not ended:
                await self._report(link)  # which ends the session if its worker has ended
                await asyncio.sleep(REPORT_PERIOD_S)
                self._give_back(link, session, task.id, "its answer ended before it did")
        except NotHeard as error:
            self._give_back(link, session, task.id, str(error))
        except NotRouted:
            link.retiring = True
            self._send(Retiring(session))
            self._tell_of(link, session, Returned(task.id))
        except ReplicaGone as error:
            self._leave(link, str(error))
        except asyncio.CancelledError:
            # Nothing is told of a session that is over; else the job was cancelled.
            self._tell_of(link, session, failure(task.id, Cancelled(f"job {task.id} was cancelled")))
        except Exception as error:
            if not isinstance(error, PixelmendError | OSError):
                self._log.exception("a bug failed a job on its way", job=task.id)
            self._tell_of(link, session, failure(task.id, error))
        finally:
            link.jobs.pop(task.id, None)

    def _give_back(self, link: Link, session: str, task_id: str, reason: str) -> None:
        """To the queue, unless the session is over, with which all of its jobs go back."""
        if link.session == session:
            self._log.warning("job given back", job=task_id, replica=link.replica, reason=reason)
            self._send(FromSession(session, Returned(task_id)))

    async def _command(self, link: Link, session: str, message: CommandRequest) -> None:
        try:
            await self._send_models(link, models_of(message.command))
            await self._deployment.call(link.replica, "tell", self._outgoing.encode(message))
            await self._report(link)
        except (ReplicaGone, NotRouted):
            pass  # the session ends, and with it the command
        except Exception as error:
            known = NoWorker(str(error)) if isinstance(error, NotHeard) else error
            self._tell_of(link, session, CommandResponse(message.request_id, problem_of(known)))

    async def _manage(self, link: Link, message: Manage) -> None:
        """Again until it is heard, unless the settings have changed once more or the replica is gone."""
        while link.management is message and self._links.get(link.replica) is link:
            try:
                await self._asked(link.replica, "tell", self._outgoing.encode(message))
                break
            except NotRouted:
                break
            except ReplicaGone:
                await asyncio.sleep(REPORT_PERIOD_S)

    async def _send_models(self, link: Link, models: tuple[str, ...]) -> None:
        """Model files that the replica does not have with these bytes. Raises NotHeard as well."""
        async with link.sending:
            for path, sha256 in await asyncio.to_thread(self._files.of, models):
                if (path.name, sha256) in link.files:
                    continue
                chunks = await asyncio.to_thread(self._references, path)
                keeping = self._deployment.call(link.replica, "keep_model_file", path.name, sha256, chunks)
                limit_s = taking_timeout_s(path.stat().st_size)
                try:
                    await asyncio.wait_for(keeping, limit_s)
                except TimeoutError:
                    what = f"replica {link.replica} does not have model file {path.name}"
                    raise NotHeard(f"{what} after {limit_s:.0f} s") from None
                link.files = {held for held in link.files if held[0] != path.name} | {(path.name, sha256)}
                self._log.info("model file sent", replica=link.replica, file=path.name, sha256=sha256)

    def _references(self, path: Path) -> list[Any]:
        return [self._deployment.put(chunk) for chunk in chunks_of(path)]

    def _tell_of(self, link: Link, session: str, message: FromWorker) -> None:
        if link.session == session:
            self._send(FromSession(session, message))

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
