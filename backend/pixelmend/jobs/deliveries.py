"""Delivers the ends of jobs, and their results, to the addresses that submitters named: at least once."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from pixelmend.core.background import Repeated
from pixelmend.core.errors import PixelmendError
from pixelmend.core.outbound import Outbound
from pixelmend.core.telemetry import Logger
from pixelmend.jobs.delivery_rows import Delivery, DeliveryKind, DeliveryState
from pixelmend.jobs.model import JobRecord
from pixelmend.jobs.store import JobStore

MAX_FAILURES = 10
"""In one run of the service; the pauses between them take about four minutes together."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
LOOK_PERIOD_S = 0.5
MAX_AT_A_TIME = 32

Key = tuple[str, DeliveryKind, str]


class Undeliverable(Exception):
    """There is nothing to deliver, so that no further attempt makes sense."""


class Sender(Protocol):
    """Makes one attempt at a delivery of its kind."""

    field: str
    """In which a form names the address."""
    outbound: Outbound

    async def send(self, url: str, record: JobRecord) -> str | None:
        """What went wrong, in words that do not have the address, which may hold a secret; None if nothing
        did. Raises Undeliverable.
        """


@dataclass(frozen=True, slots=True)
class _Failures:
    """Failures of one address in this run. next_s: when it may be tried again, by `time.monotonic()`."""

    count: int = 0
    next_s: float = 0.0


_NONE = _Failures()


class Deliveries:
    """Looks for ended jobs of which something is still to be delivered, so that it does not matter how they
    ended, or in which run of the service. Belongs to one event loop.
    """

    def __init__(self, store: JobStore, senders: Mapping[DeliveryKind, Sender], log: Logger) -> None:
        self._store = store
        self._senders = senders
        self._log = log
        self._failures: dict[Key, _Failures] = {}
        self._sending: dict[Key, asyncio.Task[None]] = {}
        self._look = Repeated("deliveries", self._send_due, LOOK_PERIOD_S, log)

    def start(self) -> None:
        # Also with no hosts: what was promised before has to end, since results wait for it.
        self._look.start()

    async def stop(self) -> None:
        """What was not delivered is tried again after the next start."""
        await self._look.stop()
        for task in self._sending.values():
            task.cancel()
        await asyncio.gather(*self._sending.values(), return_exceptions=True)

    def taken(self, fields: dict[str, str]) -> dict[DeliveryKind, str]:
        """The addresses among a form's fields, which are removed from these. Raises InvalidParameter for one
        that nothing may be delivered to.
        """
        found = {kind: fields.pop(sender.field, "").strip() for kind, sender in self._senders.items()}
        for kind, url in found.items():
            if url:
                self._senders[kind].outbound.require(self._senders[kind].field, url)
        return {kind: url for kind, url in found.items() if url}

    async def add(self, job_id: str, urls: Mapping[DeliveryKind, str]) -> None:
        """Delivered there once the job has ended, again if it was before. Raises StorageFull."""
        if urls:
            await self._store.add_deliveries(job_id, urls)

    async def of(self, job_id: str) -> dict[DeliveryKind, Delivery]:
        """The job's, of each kind: the one that waits if there are several, else the latest."""
        found = await self._store.deliveries_of(job_id)
        return {delivery.kind: delivery for delivery in reversed(found)}

    async def _send_due(self) -> None:
        for delivery, record in await self._store.due_deliveries():
            key = delivery.job_id, delivery.kind, delivery.url
            waits = key in self._failures and time.monotonic() < self._failures[key].next_s
            if waits or key in self._sending or len(self._sending) >= MAX_AT_A_TIME:
                continue
            task = self._sending[key] = asyncio.create_task(
                self._send(key, delivery, record), name="delivery"
            )
            task.add_done_callback(partial(self._sent, key))

    def _sent(self, key: Key, _: asyncio.Task[None]) -> None:
        del self._sending[key]

    async def _send(self, key: Key, delivery: Delivery, record: JobRecord) -> None:
        attempts, is_final = delivery.attempts + 1, False
        try:
            error = await self._senders[delivery.kind].send(delivery.url, record)
        except Undeliverable as reason:
            error, is_final = str(reason), True
        except Exception as bug:  # counted like any failure, so that it ends
            self._log.error("a delivery failed by a bug", job=record.id, what=delivery.kind, exc_info=bug)
            error = type(bug).__name__
        failures = self._failures.pop(key, _NONE).count + 1
        if error is None:
            state = DeliveryState.DELIVERED
        elif is_final or failures >= MAX_FAILURES:
            state = DeliveryState.FAILED
            self._log.warning(
                "a delivery is given up", job=record.id, what=delivery.kind, attempts=attempts, reason=error
            )
        else:
            state = DeliveryState.PENDING
            pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (failures - 1))
            self._failures[key] = _Failures(failures, time.monotonic() + pause_s)
        try:
            await self._store.note_delivery(
                replace(delivery, state=state, attempts=attempts, last_error=error)
            )
        except PixelmendError as problem:  # it is delivered once more
            self._log.warning("a delivery's state was not written", job=record.id, reason=problem.message)
