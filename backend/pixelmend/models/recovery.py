"""What an engine does about a tile that failed: values that cross the processes."""

from dataclasses import dataclass
from typing import Literal

from pixelmend.core.config_values import RecoveryAction

FailureKind = Literal["out_of_memory", "wrong_result", "device_error", "mps_error"]
RecoveryStep = RecoveryAction | Literal["smaller-batch"]


@dataclass(frozen=True, slots=True)
class RecoveryEvent:
    """A step that was taken after `failure`. time_s: Unix. succeeded: None if that shows only later."""

    model: str
    failure: FailureKind
    step: RecoveryStep
    succeeded: bool | None
    time_s: float
