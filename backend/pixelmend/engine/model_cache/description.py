"""How models are described to the API process, open or not."""

from collections.abc import Iterable, Iterator, Mapping

from pixelmend.engine.model_cache.open_models import OpenModel
from pixelmend.engine.model_cache.provider import ModelProvider
from pixelmend.models.description import ModelDescription


def describe_models(
    provider: ModelProvider,
    opened: Iterable[OpenModel],
    pinned: frozenset[str],
    held: Mapping[str, frozenset[str]],
) -> Iterator[ModelDescription]:
    """Every model with a file. opened: all forms of all models that are open. held: models by profile."""
    forms_by_id: dict[str, list[OpenModel]] = {}
    for form in opened:
        forms_by_id.setdefault(form.key.id, []).append(form)
    for entry in provider.entries():
        forms, found = forms_by_id.get(entry.id), provider.inspection(entry)
        task = found.task or entry.task
        if forms is None:
            yield ModelDescription(
                id=entry.id,
                task=task,
                architecture=found.architecture or entry.architecture,
                scale=found.scale or entry.scale,
                execution_profile=found.execution_profile,
                problem=found.problem,
            )
            continue
        # The form that most images are computed in, if it is open.
        usual = min(forms, key=lambda form: (form.key.sixteen_bit, bool(form.key.dials.turned)))
        yield ModelDescription(
            id=entry.id,
            task=task,
            architecture=usual.model.architecture.name,
            scale=usual.model.scale,
            loaded=True,
            precision=usual.network.precision,
            bytes=sum(form.bytes for form in forms),
            pinned=entry.id in pinned,
            profiles=tuple(sorted(name for name, models in held.items() if entry.id in models)),
            leases=sum(form.leases for form in forms),
            weights_bytes=usual.weights_bytes,
            bytes_per_tile_px=usual.memory_profile.learned_bytes_per_px,
            execution_profile=usual.execution_profile,
            problem=found.problem,
        )
