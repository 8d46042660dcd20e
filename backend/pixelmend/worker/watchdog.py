"""Notices a worker that hangs: that is not ready in time, silent, or stuck in one step."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from pixelmend.core.config import Settings
from pixelmend.core.telemetry import Logger

WATCH_PERIOD_S = 0.5
LATE_S = 1.0
"""A watchdog that comes so much later than it wanted was itself absent, and cannot tell who was silent."""


@dataclass(frozen=True, slots=True)
class VitalSigns:
    """heartbeat_s: when the worker was last heard of, by `time.monotonic()`; None if it never was.
    step_age_s: how long its device loop is in one step.
    """

    is_ready: bool
    heartbeat_s: float | None
    step_age_s: float


async def watch(
    settings: Settings, log: Logger, read: Callable[[], VitalSigns], kill: Callable[[str], None]
) -> None:
    """Until it is cancelled. kill: called with the reason."""
    # Since when we have watched without a gap: a silence before that may be our own fault.
    present_s = now = time.monotonic()
    while True:
        before_s = now
        await asyncio.sleep(WATCH_PERIOD_S)
        now = time.monotonic()
        if now - before_s > WATCH_PERIOD_S + LATE_S:
            log.warning("this process was absent", seconds=round(now - before_s - WATCH_PERIOD_S, 1))
            present_s = now
        watched_s, signs = now - present_s, read()
        if not signs.is_ready:
            if watched_s > settings.worker_start_timeout_s:
                kill(f"not ready after worker_start_timeout_s={settings.worker_start_timeout_s:g}")
        elif min(now - (signs.heartbeat_s or now), watched_s) > settings.heartbeat_timeout_s:
            kill(f"silent for more than heartbeat_timeout_s={settings.heartbeat_timeout_s:g}")
        elif min(signs.step_age_s, watched_s) > settings.stall_timeout_s:
            kill(f"stuck in one step for more than stall_timeout_s={settings.stall_timeout_s:g}")
