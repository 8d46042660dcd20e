"""The workers of a service, one for each device, and which of them a job or a model goes to."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

from pixelmend.core.errors import InvalidParameter, PixelmendError
from pixelmend.core.management import Management
from pixelmend.core.profile import Profile
from pixelmend.models.memory import FreedMemory
from pixelmend.worker.commands import (
    Command,
    FreeMemory,
    LoadModel,
    PinModel,
    PreloadProfile,
    ReleaseProfile,
    UnloadAll,
)
from pixelmend.worker.memory import WorkerMemory
from pixelmend.worker.protocol import ToWorker
from pixelmend.worker.state import WorkerEvents
from pixelmend.worker.status import WorkerStatus, merged


class WorkerHandle(Protocol):
    """What the pool needs of a worker; `Supervisor` is the real one. model_loads: as the pool's."""

    @property
    def device(self) -> str:
        """As it was configured."""
        ...

    @property
    def memory(self) -> WorkerMemory: ...

    @property
    def model_loads(self) -> Counter[str]: ...

    def start(self, events: WorkerEvents, index: int) -> None: ...

    def status(self) -> WorkerStatus: ...

    def send(self, message: ToWorker) -> bool:
        """False if there is no worker to take it."""
        ...

    async def stop(self) -> None: ...

    def manage(self, management: Management) -> None: ...

    def use_profiles(self, profiles: Mapping[str, Profile]) -> None: ...


class WorkerPool:
    """Belongs to one event loop. Workers are told apart by their index."""

    def __init__(self, workers: Sequence[WorkerHandle]) -> None:
        self._workers = list(workers)

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

    def manage(self, management: Management) -> None:
        """Settings that count from now on, in every worker and those after it."""
        for worker in self._workers:
            worker.manage(management)

    def expect_long_jobs(self, waiting: int) -> None:
        """So many have no room. Nothing can be done about it here: the workers are as many as devices."""

    def use_profiles(self, profiles: Mapping[str, Profile]) -> None:
        """For workers that are started from now on."""
        for worker in self._workers:
            worker.use_profiles(profiles)

    def devices(self) -> list[str]:
        """What each is called: like cuda:1, or as it was configured until its worker has said."""
        statuses = self.statuses()
        return [
            status.device.id if status.device and status.device.id else worker.device
            for worker, status in zip(self._workers, statuses, strict=True)
        ]

    def device_named(self, name: str) -> int:
        """The index of a device by that, or by what it is called.

        Raises InvalidParameter naming those there are.
        """
        called = self.devices()
        for index, worker in enumerate(self._workers):
            if name in (str(index), called[index], worker.device):
                return index
        known = ", ".join(f"{index} ({device})" for index, device in enumerate(called))
        raise InvalidParameter(f"device={name[:64]!r} is not one of this service's; there are: {known}")

    async def execute(self, command: Command, device: int | None = None) -> None:
        """Returns once it has happened. Raises NoWorker, and why a worker could not.

        What opens models goes to `device`; None: to the one that has the model already, or to the one with
        the most room. What unloads them goes to all.
        """
        match command:
            case LoadModel(model=model) | PinModel(model=model, pinned=True):
                index = self.preferred(model, {})[0] if device is None else device
                await self.memories[index].execute(command)
            case _:
                await asyncio.gather(*(memory.execute(command) for memory in self.memories))

    async def free(self, command: FreeMemory | UnloadAll) -> list[FreedMemory | PixelmendError]:
        """What each device got back, or why its worker could not. Raises the first reason if none could."""
        outcomes = await asyncio.gather(
            *(memory.execute(command) for memory in self.memories), return_exceptions=True
        )
        found: list[FreedMemory | PixelmendError] = []
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(outcome, PixelmendError):
                raise outcome
            found.append(outcome or FreedMemory())
        if all(isinstance(outcome, PixelmendError) for outcome in found):
            raise found[0]  # type: ignore[misc]
        return found

    async def preload(self, name: str, profile: Profile) -> None:
        """Each model on the device that the profile names for it, the others on one with room for them.

        Raises InvalidParameter for a device that is not there, and why a worker could not; nothing is held
        then.
        """
        parts = self._parts(name, profile)
        outcomes = await asyncio.gather(
            *(self.memories[index].execute(PreloadProfile(name, part)) for index, part in parts.items()),
            return_exceptions=True,
        )
        failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        if failures:
            held = [index for index, outcome in zip(parts, outcomes, strict=True) if outcome is None]
            releases = (self.memories[index].execute(ReleaseProfile(name)) for index in held)
            await asyncio.gather(*releases, return_exceptions=True)
            raise failures[0]

    def _parts(self, name: str, profile: Profile) -> dict[int, Profile]:
        """What of the profile each device is to have."""
        active = [index for index, memory in enumerate(self.memories) if name in memory.active_profiles]
        anywhere = (active or self.preferred("", {}))[0]
        models: dict[int, list[str]] = {}
        for model in profile.models:
            device = profile.device_of(model)
            models.setdefault(anywhere if device is None else self.device_named(device), []).append(model)
        parts = {index: profile.of_models(chosen) for index, chosen in models.items()}
        return {index: part for index, part in parts.items() if part is not None}

    @property
    def active_profiles(self) -> frozenset[str]:
        return frozenset(name for memory in self.memories for name in memory.active_profiles)
