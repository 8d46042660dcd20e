"""What is known of a worker, or of several as if they were one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pixelmend.models.description import DeviceDescription, ModelDescription

MAX_FAILED_STARTS = 2
"""Workers in a row that end before they are ready; after so many, new work is refused."""


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """What is known of the worker right now. `heartbeat_age_s` is None before its first sign of life.

    failed_starts: workers in a row that ended before they were ready; 0 as soon as one is.
    """

    ready: bool
    heartbeat_age_s: float | None
    step_age_s: float
    device: DeviceDescription | None
    models: tuple[ModelDescription, ...]
    problem: str | None
    restarts: int
    failed_starts: int
    room_bytes: int | None = None
    """For models, before the ceiling; None until it was measured."""

    @property
    def hopeless(self) -> bool:
        """Workers do not even start, so that waiting for one is pointless; never true of one that is ready.

        One that was lost after it had been ready is simply waited for.
        """
        return not self.ready and self.failed_starts >= MAX_FAILED_STARTS


def merged(statuses: Sequence[WorkerStatus]) -> WorkerStatus:
    """One status of several: ready if any is, with everything that any of them has."""
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
            profiles=tuple(sorted({*first.profiles, *other.profiles})),
        )
    return tuple(by_id.values())
