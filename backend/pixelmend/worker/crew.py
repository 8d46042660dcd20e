"""The workers of a service, one for each device, and which of them a job or a model goes to."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from pixelmend.models.description import ModelDescription
from pixelmend.worker.protocol import FromWorker, ToWorker
from pixelmend.worker.supervisor import WorkerEvents, WorkerStatus


class WorkerLink(Protocol):
    """What the crew needs of a worker; `Supervisor` is the real one."""

    def start(self, events: WorkerEvents) -> None: ...

    def status(self) -> WorkerStatus: ...

    def send(self, message: ToWorker) -> bool:
        """False where there is no worker to hear it."""
        ...

    async def stop(self) -> None: ...


class CrewEvents(Protocol):
    """Who uses the workers; called on the event loop."""

    def worker_ready(self) -> None: ...

    def on_worker_message(self, message: FromWorker) -> None: ...

    def worker_lost(self, index: int, reason: str, *, by_itself: bool) -> None: ...


class Crew:
    """Belongs to one event loop. Workers are told apart by their index."""

    def __init__(self, workers: Sequence[WorkerLink]) -> None:
        self._workers = tuple(workers)

    def __len__(self) -> int:
        return len(self._workers)

    def start(self, events: CrewEvents) -> None:
        for index, worker in enumerate(self._workers):
            worker.start(_OneOfThem(events, index))

    async def stop(self) -> None:
        await asyncio.gather(*(worker.stop() for worker in self._workers))

    def send(self, index: int, message: ToWorker) -> bool:
        """False where that worker does not hear it."""
        return self._workers[index].send(message)

    def statuses(self) -> list[WorkerStatus]:
        return [worker.status() for worker in self._workers]

    def status(self) -> WorkerStatus:
        """As if they were one."""
        return merged(self.statuses())

    def preferred(self, model_id: str, busy_px: Mapping[int, int]) -> list[int]:
        """Workers in the order in which a job for that model would have them.

        busy_px: result pixels of what each does already. One that does nothing comes before one that is busy,
        one that has the model open before one that has not, then the one with the most room.
        """
        statuses = self.statuses()

        def cost(index: int) -> tuple[int, bool, int]:
            status = statuses[index]
            is_open = any(model.id == model_id and model.loaded for model in status.models)
            return busy_px.get(index, 0), not is_open, -(status.room_bytes or 0)

        return sorted(range(len(statuses)), key=cost)


class _OneOfThem:
    def __init__(self, events: CrewEvents, index: int) -> None:
        self._events = events
        self._index = index

    def worker_ready(self) -> None:
        self._events.worker_ready()

    def on_worker_message(self, message: FromWorker) -> None:
        self._events.on_worker_message(message)

    def worker_lost(self, reason: str, *, by_itself: bool) -> None:
        self._events.worker_lost(self._index, reason, by_itself=by_itself)


def merged(statuses: Sequence[WorkerStatus]) -> WorkerStatus:
    """One status of several: ready where any is, with everything that any of them has."""
    if len(statuses) == 1:
        return statuses[0]
    ready = [status for status in statuses if status.ready]
    ages = [status.heartbeat_age_s for status in statuses if status.heartbeat_age_s is not None]
    problems = [status.problem for status in (ready or statuses) if status.problem]
    return WorkerStatus(
        ready=bool(ready),
        heartbeat_age_s=min(ages, default=None),
        step_age_s=max(status.step_age_s for status in statuses),
        device=next((status.device for status in (*ready, *statuses) if status.device), None),
        models=_merged_models(model for status in statuses for model in status.models),
        problem=problems[0] if problems else None,
        restarts=sum(status.restarts for status in statuses),
        failed_starts=min(status.failed_starts for status in statuses),
        room_bytes=max((status.room_bytes or 0 for status in statuses), default=None),
    )


def _merged_models(models: Iterable[ModelDescription]) -> tuple[ModelDescription, ...]:
    by_id: dict[str, ModelDescription] = {}
    for model in models:
        known = by_id.get(model.id)
        if known is None:
            by_id[model.id] = model
            continue
        first, other = (model, known) if model.loaded and not known.loaded else (known, model)
        sizes = [each.bytes for each in (first, other) if each.bytes is not None]
        by_id[model.id] = replace(
            first,
            architecture=first.architecture or other.architecture,
            scale=first.scale or other.scale,
            execution_profile=first.execution_profile or other.execution_profile,
            problem=first.problem or other.problem,
            bytes=sum(sizes) if sizes else None,
            pinned=first.pinned or other.pinned,
            leases=first.leases + other.leases,
        )
    return tuple(by_id.values())
