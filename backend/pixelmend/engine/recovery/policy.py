"""What is tried, and in which order, when a tile fails; and counts of what was done."""

import threading
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from pixelmend.core.config_values import Recovery, RecoveryAction
from pixelmend.models.memory import RecoveryCounts
from pixelmend.models.recovery import FailureKind


@dataclass(frozen=True, slots=True)
class RecoveryPolicy:
    """Actions by what went wrong, in the order in which they are tried.

    retry: the same again. smaller-tile: the tile in parts. other-precision: the fallback networks on the same
    device. other-device: those on the CPU. evict: again, after unused models were evicted. max_attempts
    bounds them per tile; the parts of a split tile are tiles of their own.

    A device error has no action by default: after most CUDA errors the process can compute nothing any more.
    After an error of Metal the CPU still works.
    """

    out_of_memory: tuple[RecoveryAction, ...] = ("smaller-tile", "evict", "other-device")
    wrong_result: tuple[RecoveryAction, ...] = ("other-precision", "other-device")
    device_error: tuple[RecoveryAction, ...] = ()
    mps_error: tuple[RecoveryAction, ...] = ("other-device",)
    max_attempts: int = 8

    def actions(self, kind: FailureKind) -> tuple[RecoveryAction, ...]:
        found: tuple[RecoveryAction, ...] = getattr(self, kind)
        return found


def policy_from(settings: Recovery) -> RecoveryPolicy:
    """The operator's settings if they are given, else the defaults."""
    chosen = {name: getattr(settings, name) for name in Recovery.model_fields}
    return RecoveryPolicy(**{name: value for name, value in chosen.items() if value is not None})


CountedStep = Literal["retried", "smaller", "redone", "evicted", "refused"]

COUNTED_AS: dict[RecoveryAction, CountedStep] = {
    "retry": "retried",
    "smaller-tile": "smaller",
    "other-precision": "redone",
    "other-device": "redone",
}


class RecoveryLog:
    """Counts since the worker began; used by all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[CountedStep] = Counter()

    def add(self, step: CountedStep, times: int = 1) -> None:
        with self._lock:
            self._counts[step] += times

    def counts(self) -> RecoveryCounts:
        with self._lock:
            return RecoveryCounts(**{str(step): times for step, times in self._counts.items()})
