"""How long results are kept: until their time, as far as there is room, and while a client reads them."""

import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence

from pixelmend.core.errors import StorageFull
from pixelmend.core.telemetry import Logger
from pixelmend.jobs.model import JobRecord, StoredResult
from pixelmend.jobs.spool import Spool
from pixelmend.jobs.store import JobStore

REMEMBERED_S = 24 * 3600.0
"""An ended job without a result is known for this long, so that its client learns how it ended."""


def _to_expire(results: Sequence[JobRecord], excess_bytes: int) -> Iterator[JobRecord]:
    """Again and again the oldest of the owner that has the most bytes: none fills the room of the others.

    results: the oldest first. The newest of all stays, however large, for its client to fetch.
    """
    by_owner: dict[str, deque[JobRecord]] = {}
    held_bytes = Counter[str]()
    for record in results:
        by_owner.setdefault(record.owner, deque()).append(record)
        held_bytes[record.owner] += _size_bytes(record)
    if results:
        by_owner[results[-1].owner].pop()
    while excess_bytes > 0 and any(by_owner.values()):
        owner = max((owner for owner, left in by_owner.items() if left), key=held_bytes.__getitem__)
        record = by_owner[owner].popleft()
        held_bytes[owner] -= _size_bytes(record)
        excess_bytes -= _size_bytes(record)
        yield record


def _size_bytes(record: JobRecord) -> int:
    return record.result.size_bytes if record.result else 0


class Retention:
    """Belongs to one event loop."""

    def __init__(self, store: JobStore, spool: Spool, max_bytes: int, log: Logger) -> None:
        self._store = store
        self._spool = spool
        self._max_bytes = max_bytes
        self._log = log
        self._holders: Counter[str] = Counter()
        self._pending_removal: dict[str, StoredResult | None] = {}

    def hold(self, job_id: str) -> None:
        """Keep the job's files until `release`, whatever happens to the job."""
        self._holders[job_id] += 1

    def release(self, job_id: str) -> None:
        self._holders[job_id] -= 1
        if self._holders[job_id] <= 0:
            del self._holders[job_id]
            if job_id in self._pending_removal:
                self._spool.remove(job_id, self._pending_removal.pop(job_id))

    def discard(self, record: JobRecord) -> None:
        """Remove the job's files, as soon as no lease holds them."""
        if record.id in self._holders:
            self._pending_removal[record.id] = record.result
        else:
            self._spool.remove(record.id, record.result)

    async def expire(self, *records: JobRecord) -> None:
        """The row first: a result that is listed is there."""
        await self._store.expire([record.id for record in records])
        for record in records:
            self.discard(record)

    async def sweep(self) -> None:
        """Expire what is overdue, then the oldest results beyond the bound on bytes."""
        overdue = await self._store.overdue()
        if overdue:
            await self.expire(*overdue)
        await self._store.forget(time.time() - REMEMBERED_S)
        excess = await self._store.result_bytes() - self._max_bytes
        if excess <= 0:
            return
        for record in _to_expire(await self._store.results(), excess):
            self._log.info("result removed for lack of room", job=record.id)
            await self.expire(record)

    async def try_sweep(self) -> None:
        """As `sweep`, later if it cannot be now."""
        try:
            await self.sweep()
        except (StorageFull, OSError) as error:
            self._log.warning("results could not be swept", reason=str(error))

    async def require_room(self, incoming_bytes: int = 0) -> None:
        """As the spool's; but results that no client was promised make room first."""
        try:
            self._spool.require_room(incoming_bytes)
            return
        except StorageFull:
            unclaimed = [record for record in await self._store.results() if not record.is_async]
        for record in unclaimed:
            await self.expire(record)
            try:
                self._spool.require_room(incoming_bytes)
                return
            except StorageFull:
                continue
        self._spool.require_room(incoming_bytes)
