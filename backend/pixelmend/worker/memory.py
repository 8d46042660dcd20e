"""The API process's side of a worker's memory: history, alerts, and the commands that operators send."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pixelmend.models.memory import Alert, FreedMemory, MemorySample
from pixelmend.worker.command_queue import CommandQueue
from pixelmend.worker.commands import Command, PinModel, PreloadProfile, ReleaseProfile
from pixelmend.worker.protocol import CommandResponse, Memory, MemoryAlert, MemoryEvent, ToWorker

KEPT_SAMPLES = 1800
"""An hour of them, at one every two seconds."""
KEPT_ALERTS = 100

EventQueue = asyncio.Queue[tuple[int, MemorySample | Alert]]
"""A device's index, and what is new of it."""


class WorkerMemory:
    """Belongs to one event loop. The history outlives workers; commands to a lost one are answered.

    send: False if no worker takes it. on_alert: told of every alert, once.
    """

    def __init__(self, send: Callable[[ToWorker], bool], on_alert: Callable[[Alert], None]) -> None:
        self._commands = CommandQueue(send, self._note)
        self._on_alert = on_alert
        self._samples: deque[MemorySample] = deque(maxlen=KEPT_SAMPLES)
        self._alerts: deque[Alert] = deque(maxlen=KEPT_ALERTS)
        self._raised: dict[str, Alert] = {}
        self._current: MemorySample | None = None
        self._is_monitored = True
        self._active: set[str] = set()
        self._sticky: dict[tuple[str, str], Command] = {}
        self._watchers: set[tuple[EventQueue, int]] = set()

    @property
    def latest(self) -> MemorySample | None:
        """The present worker's latest sample; None before its first."""
        return self._current

    @property
    def history(self) -> list[MemorySample]:
        """The oldest first."""
        return list(self._samples)

    @property
    def alerts(self) -> list[Alert]:
        """What was raised and cleared, the oldest first."""
        return list(self._alerts)

    @property
    def raised(self) -> list[Alert]:
        """Alerts that are up now."""
        return list(self._raised.values())

    @property
    def room_bytes(self) -> int | None:
        """For models, before the ceiling; None until it was measured."""
        sample = self._current
        if sample is None:
            return None
        free = sample.device_capacity_bytes - sample.device_used_bytes
        return max(0, min(free, sample.ceiling_bytes - sample.accounted_bytes))

    @property
    def active_profiles(self) -> frozenset[str]:
        return frozenset(self._active)

    async def execute(self, command: Command) -> FreedMemory | None:
        """Returns once it has happened, with what it freed. Raises what `CommandQueue.execute` raises."""
        return await self._commands.execute(command)

    def set_monitoring(self, *, enabled: bool) -> None:
        """Without it the latest sample says nothing of the present; one that is on its way is not kept."""
        self._is_monitored = enabled
        if not enabled:
            self._current = None

    @property
    def sticky_commands(self) -> list[Command]:
        """Commands that hold until they are taken back: a new worker gets them again."""
        return list(self._sticky.values())

    def keep(self, command: Command) -> None:
        """As if this worker had been asked for that sticky command, which the next one repeats."""
        self._note(command, None)

    def _note(self, command: Command, freed: FreedMemory | None) -> None:
        """It has happened."""
        for model in freed.unpinned if freed else ():
            self._sticky.pop(("pin", model), None)
        for name in freed.released if freed else ():
            self._sticky.pop(("profile", name), None)
            self._active.discard(name)
        match command:
            case PinModel(model=model, pinned=True):
                self._sticky["pin", model] = command
            case PinModel(model=model):
                self._sticky.pop(("pin", model), None)
            case PreloadProfile(name=name):
                self._sticky["profile", name] = command
                self._active.add(name)  # the next sample says so too, if samples are taken
            case ReleaseProfile(name=name):
                self._sticky.pop(("profile", name), None)
                self._active.discard(name)
            case _:
                pass

    @contextmanager
    def watched(self, events: EventQueue, device: int) -> Iterator[None]:
        """All that is new goes into `events` with that index, for as long as the context lasts.

        If it is full, the oldest goes.
        """
        watcher = (events, device)
        self._watchers.add(watcher)
        try:
            yield
        finally:
            self._watchers.discard(watcher)

    def _publish(self, item: MemorySample | Alert) -> None:
        for events, device in self._watchers:
            if events.full():
                events.get_nowait()
            events.put_nowait((device, item))

    def on_event(self, event: MemoryEvent) -> None:
        match event:
            case Memory(sample=sample) if self._is_monitored:
                self._current = sample
                self._active = set(sample.active_profiles)
                self._samples.append(sample)
                self._publish(sample)
            case MemoryAlert(alert=alert):
                self._alerts.append(alert)
                if alert.state == "raised":
                    self._raised[alert.kind] = alert
                else:
                    self._raised.pop(alert.kind, None)
                self._on_alert(alert)
                self._publish(alert)
            case CommandResponse():
                self._commands.on_response(event)

    def worker_lost(self, reason: str) -> None:
        """Its models are gone, and it answers nothing any more; the next one raises its own alerts."""
        self._current = None
        self._active.clear()
        self._raised.clear()
        self._commands.worker_lost(reason)
