"""Replicas in a Ray cluster, deployed by Ray Serve and called by its handle. Imports Ray."""

import asyncio
import contextlib
import logging
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import ray
from ray import serve
from ray.exceptions import RayError, RayTaskError

from pixelmend.core.config import Settings
from pixelmend.core.telemetry import Logger
from pixelmend.worker.cluster.answer import Part
from pixelmend.worker.cluster.application import DEPLOYMENT, application_of
from pixelmend.worker.cluster.deployment import NotRouted, ReplicaGone
from pixelmend.worker.cluster.router import Target

ROUTING_LOOK_S = 0.2
JOINING_TIMEOUT_S = 60.0


class RayDeployment:
    """See `Deployment`."""

    def __init__(self, settings: Settings, log: Logger) -> None:
        self._settings = settings
        self._log = log
        self._handle: Any = None
        self._node: subprocess.Popen[bytes] | None = None
        self._present: frozenset[str] = frozenset()
        self._seen_s = 0.0

    async def start(self) -> None:
        await asyncio.to_thread(self._start)

    async def check(self) -> None:
        await asyncio.to_thread(ray.nodes)

    async def replicas(self) -> frozenset[str]:
        if not self._present:
            # No call brings news of replicas if there is none to call: ask for one that cannot be.
            with contextlib.suppress(NotRouted):
                await self.call("", "hello")
        return self._present

    async def call(self, replica: str, method: str, *arguments: Any) -> Any:
        target = Target(replica)
        response = self._handle.call.remote(target, method, *arguments)
        async with self._routed(target, response) as first:
            try:
                return await first(response)
            except RayTaskError as error:
                raise error.cause from None
            except RayError as error:
                raise ReplicaGone(_in_words(error)) from None

    async def stream(self, replica: str, method: str, *arguments: Any) -> AsyncIterator[Part]:
        target = Target(replica)
        response = self._handle.options(stream=True).stream.remote(target, method, *arguments)
        async with self._routed(target, response) as first:
            try:
                with contextlib.suppress(StopAsyncIteration):
                    part = await first(anext(response))
                    while True:
                        yield part
                        part = await anext(response)
            except RayTaskError as error:
                raise error.cause from None
            except RayError as error:
                raise ReplicaGone(_in_words(error)) from None

    def put(self, data: bytes) -> Any:
        return ray.put(data)

    async def stop(self, *, ends: bool) -> None:
        await asyncio.to_thread(self._stop, ends)

    @contextlib.asynccontextmanager
    async def _routed(self, target: Target, response: Any) -> AsyncIterator[Any]:
        """What awaits the first answer; raises NotRouted if the router does not find the replica."""

        async def first(answer: Any) -> Any:
            waiting = asyncio.ensure_future(_awaited(answer))
            # Retrieved in any case, so that asyncio does not complain of it.
            waiting.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
            try:
                while not waiting.done():
                    await asyncio.wait({waiting}, timeout=ROUTING_LOOK_S)
                    self._note(target)
                    if not waiting.done() and target.offered is not True:
                        raise NotRouted(str(target))
                return waiting.result()
            finally:
                waiting.cancel()

        done = False
        try:
            yield first
            done = True
        finally:
            self._note(target)
            if not done:
                response.cancel()

    def _note(self, target: Target) -> None:
        """A job's request was routed minutes ago: what it saw is older than what others have seen since."""
        if target.present is not None and target.seen_s > self._seen_s:
            self._present, self._seen_s = target.present, target.seen_s

    # --- on a thread ----------------------------------------------------------------------------------

    def _start(self) -> None:
        for name in ("ray", "ray.serve"):
            logging.getLogger(name).setLevel(logging.ERROR)
        try:
            if self._settings.cluster == "local":
                self._start_cluster()
            else:
                self._join(self._settings.cluster)
        except Exception as error:  # Ray raises a dozen kinds
            raise ConnectionError(f"cluster={self._settings.cluster}: {_in_words(error)}") from error
        serve.start(proxy_location="Disabled")
        if self._settings.cluster_deploy:
            self._deploy()
        self._handle = serve.get_deployment_handle(DEPLOYMENT, self._settings.cluster_app)

    def _start_cluster(self) -> None:
        replicas = max(self._settings.cluster_max_replicas, self._settings.cluster_min_replicas)
        ray.init(
            address="local",
            num_cpus=max(1, round(replicas * self._settings.cluster_replica_cpus)),
            object_store_memory=self._settings.cluster_object_store_bytes,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            _node_ip_address="127.0.0.1",
        )

    def _join(self, address: str) -> None:
        """As a node that lends nothing, unless this machine is one already."""
        joining = {"address": address, "log_to_driver": False, "logging_level": logging.ERROR}
        try:
            ray.init(**joining)
        except Exception as error:
            self._log.info("this machine becomes a node of the cluster", reason=_in_words(error))
            command = [
                sys.executable,
                "-m",
                "ray.scripts.scripts",
                "start",
                "--block",
                f"--address={address}",
            ]
            store = f"--object-store-memory={self._settings.cluster_object_store_bytes}"
            self._node = subprocess.Popen([*command, "--num-cpus=0", "--num-gpus=0", store])
            try:
                self._node.wait(JOINING_TIMEOUT_S / 4)
            except subprocess.TimeoutExpired:
                ray.init(**joining)
            else:
                raise ConnectionError(f"no node could be started: {_in_words(error)}") from error

    def _deploy(self) -> None:
        """Roll the application out, as far as it is not there with these settings already."""
        name = self._settings.cluster_app
        target = serve.RunTarget(application_of(self._settings), name=name, route_prefix=None)
        # Not until all replicas run: one that has no room yet must not keep the others from working.
        serve.run_many([target], wait_for_applications_running=False)

    def _stop(self, ends: bool) -> None:
        if ends and (self._settings.cluster_deploy or self._settings.cluster == "local"):
            serve.delete(self._settings.cluster_app)
        ray.shutdown()
        if self._node is not None:
            self._node.terminate()
            self._node.wait()


async def _awaited(answer: Any) -> Any:
    return await answer


def _in_words(error: BaseException) -> str:
    """Ray's explanations go on for pages."""
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__
