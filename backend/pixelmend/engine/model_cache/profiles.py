"""Named sets of models, preloaded and released together."""

from collections.abc import Collection, Mapping

from pixelmend.core.errors import ModelTooLarge
from pixelmend.core.profile import Profile
from pixelmend.engine.model_cache.cache import ModelCache
from pixelmend.engine.model_cache.open_models import Hold


def wanted_at_start(profiles: Mapping[str, Profile], device_names: Collection[str]) -> dict[str, Profile]:
    """What a device of these names preloads by itself, the highest priority first."""
    wanted = sorted(
        ((name, profile) for name, profile in profiles.items() if profile.preload),
        key=lambda item: -item[1].priority,
    )
    parts = {name: profile.on_device(device_names) for name, profile in wanted}
    return {name: part for name, part in parts.items() if part is not None}


class ProfilePreloader:
    """Preloads and releases profiles in one cache. Used by several threads."""

    def __init__(self, cache: ModelCache) -> None:
        self._cache = cache

    def preload(self, name: str, profile: Profile) -> None:
        """Open the profile's models, the highest priority first, and hold them until `release`.

        Held models are not evicted for others, nor when idle. With `auto_cleanup` they may be evicted if
        memory is short, after all models that no profile holds, the lowest priority first. Raises
        ModelTooLarge if they exceed the profile's own limit, and what opening a model raises; nothing is held
        then.
        """
        limit_bytes = self._limit_bytes(profile)
        self._require_within(name, limit_bytes, self._expected_bytes(profile))
        before = set(self._cache.open_bytes(profile.models))
        priorities = {model: profile.priority_of(model) for model in profile.models}
        self._cache.hold(name, Hold(priorities, profile.auto_cleanup))
        try:
            for model in profile.in_order:
                self._cache.load(model)
            self._require_within(name, limit_bytes, sum(self._cache.open_bytes(profile.models).values()))
        except Exception:
            for model in self._cache.end_hold(name) - before:
                self._cache.retire(model)
            raise

    def release(self, name: str) -> None:
        """Close the models that nothing else keeps; returns when their last leases are released.

        A profile that is not active is released already.
        """
        retired = [self._cache.retire(model) for model in self._cache.end_hold(name)]
        for each in retired:
            each.wait()

    def _expected_bytes(self, profile: Profile) -> int:
        open_bytes = self._cache.open_bytes(profile.models)
        return sum(
            open_bytes.get(model) or self._cache.load_plan(model).least_bytes for model in profile.models
        )

    def _limit_bytes(self, profile: Profile) -> int | None:
        """The lower one of the profile's limits."""
        limits = [] if profile.memory_limit_bytes is None else [profile.memory_limit_bytes]
        if profile.memory_limit_percent is not None:
            reading, _, _ = self._cache.read()
            limits.append(int(reading.capacity_bytes * profile.memory_limit_percent / 100))
        return min(limits, default=None)

    def _require_within(self, name: str, limit_bytes: int | None, needed_bytes: int) -> None:
        if limit_bytes is not None and needed_bytes > limit_bytes:
            raise ModelTooLarge(
                f"the models of profile {name!r} take {needed_bytes / 1e6:.0f} MB, its limit is "
                f"{limit_bytes / 1e6:.0f} MB"
            )
