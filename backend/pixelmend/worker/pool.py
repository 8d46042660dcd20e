"""The real workers of a service: their memory, and what operators ask of them."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence

from pixelmend.core.config import Profile
from pixelmend.models.description import ProfileDescription
from pixelmend.worker.crew import Crew
from pixelmend.worker.memory import WorkerMemory
from pixelmend.worker.protocol import Command, LoadModel, PinModel, PreloadProfile
from pixelmend.worker.supervisor import Supervisor


class Workers(Crew):
    """One supervisor for each device of the settings."""

    def __init__(self, supervisors: Sequence[Supervisor]) -> None:
        super().__init__(supervisors)
        self._supervisors = tuple(supervisors)

    @property
    def memories(self) -> tuple[WorkerMemory, ...]:
        """By index."""
        return tuple(supervisor.memory for supervisor in self._supervisors)

    @property
    def model_loads(self) -> Counter[str]:
        """How often each model was opened, by all workers so far."""
        return sum((supervisor.model_loads for supervisor in self._supervisors), Counter[str]())

    async def execute(self, command: Command) -> None:
        """Have it done; returns once it has happened. Raises NoWorker, and why a worker could not.

        What opens models goes to the device that has the model already, or to the one with the most room;
        what lets go of them, to all.
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
