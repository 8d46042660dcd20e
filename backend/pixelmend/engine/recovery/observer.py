"""Lets hooks know of every step that is taken for a tile of a model."""

import time
from collections.abc import Callable
from typing import TypeVar

from pixelmend.core.telemetry import Logger
from pixelmend.models.hooks import Hooks
from pixelmend.models.recovery import FailureKind, RecoveryEvent, RecoveryStep

T = TypeVar("T")


class RecoveryObserver:
    """Watches the recovery of one model."""

    def __init__(self, model: str = "", hooks: Hooks | None = None) -> None:
        self._model = model
        self._hooks = hooks or Hooks((), Logger())

    def step(
        self, failure: FailureKind, step: RecoveryStep, compute: Callable[[], tuple[T, str | None]]
    ) -> tuple[T, str | None]:
        """What `compute` gives: an output, and what is wrong with it. Raises what it raises."""
        self._hooks.before_retry()
        succeeded = False
        try:
            outcome = compute()
            succeeded = outcome[1] is None
            return outcome
        finally:
            self._tell(failure, step, succeeded)

    def halved(self) -> None:
        """A batch that did not fit is computed in parts."""
        self._hooks.before_retry()
        self._tell("out_of_memory", "smaller-batch", None)

    def _tell(self, failure: FailureKind, step: RecoveryStep, succeeded: bool | None) -> None:
        self._hooks.on_recovery(RecoveryEvent(self._model, failure, step, succeeded, round(time.time(), 3)))
