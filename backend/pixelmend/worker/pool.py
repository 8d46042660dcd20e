"""The workers of a service, one for each device, and which of them a job or a model goes to."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

from pixelmend.core.config import Profile
from pixelmend.models.description import ProfileDescription
from pixelmend.worker.memory import WorkerMemory
from pixelmend.worker.protocol import Command, LoadModel, PinModel, PreloadProfile, ToWorker
from pixelmend.worker.status import WorkerStatus, merged
from pixelmend.worker.supervisor import WorkerEvents


class WorkerHandle(Protocol):
    """What the pool needs of a worker; `Supervisor` is the real one. model_loads: as the pool's."""

    memory: WorkerMemory
    model_loads: Counter[str]

    def start(self, events: WorkerEvents, index: int) -> None: ...

    def status(self) -> WorkerStatus: ...

    def send(self, message: ToWorker) -> bool:
        """False if there is no worker to take it."""
        ...

    async def stop(self) -> None: ...


class WorkerPool:
    """Belongs to one event loop. Workers are told apart by their index."""

    def __init__(self, workers: Sequence[WorkerHandle]) -> None:
        self._workers = tuple(workers)

    def __len__(self) -> int:
        return len(self._workers)

    def start(self, events: WorkerEvents) -> None:
        for index, worker in enumerate(self._workers):
            worker.start(events, index)

    async def stop(self) -> None:
        await asyncio.gather(*(worker.stop() for worker in self._workers))

    def send(self, index: int, message: ToWorker) -> bool:
        """False if that worker does not take it."""
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

    @property
    def memories(self) -> tuple[WorkerMemory, ...]:
        """By index."""
        return tuple(worker.memory for worker in self._workers)

    @property
    def model_loads(self) -> Counter[str]:
        """How often each model was opened, by all workers so far."""
        return sum((worker.model_loads for worker in self._workers), Counter[str]())

    async def execute(self, command: Command) -> None:
        """Returns once it has happened. Raises NoWorker, and why a worker could not.

        What opens models goes to the device that has the model already, or to the one with the most room;
        what unloads them, to all.
        """
        match command:
            case LoadModel(model=model) | PinModel(model=model, pinned=True):
                await self.memories[self.preferred(model, {})[0]].execute(command)
            case PreloadProfile():
                await self.memories[self.preferred("", {})[0]].execute(command)
            case _:
                await asyncio.gather(*(memory.execute(command) for memory in self.memories))

    def profiles(self, configured: Mapping[str, Profile]) -> list[ProfileDescription]:
        active = {name for memory in self.memories for name in memory.active_profiles}
        return [
            ProfileDescription(name=name, active=name in active, **profile.model_dump())
            for name, profile in configured.items()
        ]
