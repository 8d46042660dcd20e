"""Named sets of models, preloaded and released together."""

from collections.abc import Mapping

from pixelmend.core.config import Profile
from pixelmend.core.errors import ModelTooLarge, UnknownProfile
from pixelmend.engine.model_cache.cache import ModelCache
from pixelmend.engine.model_cache.open_models import Hold


class ProfilePreloader:
    """Preloads and releases the operator's profiles in one cache. Used by several threads."""

    def __init__(self, cache: ModelCache, profiles: Mapping[str, Profile]) -> None:
        self._cache = cache
        self._profiles = profiles

    def preload(self, name: str) -> None:
        """Open the profile's models and hold them until `release`.

        Held models are not evicted for others, nor when idle. With `auto_cleanup` they may be evicted if
        memory is short, after all models that no profile holds, the lowest priority first. Raises
        UnknownProfile, ModelTooLarge if they exceed the profile's own limit, and what opening a model raises;
        nothing is held then.
        """
        profile = self._get(name)
        limit_bytes = self._limit_bytes(profile)
        self._require_within(name, limit_bytes, self._expected_bytes(profile))
        before = set(self._cache.open_bytes(profile.models))
        self._cache.hold(name, Hold(frozenset(profile.models), profile.priority, profile.auto_cleanup))
        try:
            for model in profile.models:
                self._cache.load(model)
            self._require_within(name, limit_bytes, sum(self._cache.open_bytes(profile.models).values()))
        except Exception:
            for model in self._cache.end_hold(name) - before:
                self._cache.retire(model)
            raise

    def release(self, name: str) -> None:
        """Close the models that nothing else keeps; returns when their last leases are released.

        Raises UnknownProfile. A profile that is not active is released already.
        """
        self._get(name)
        retired = [event for model in self._cache.end_hold(name) for event in self._cache.retire(model)]
        for closed in retired:
            closed.wait()

    def preload_wanted(self) -> list[str]:
        """The profiles to preload at the start, the highest priority first."""
        wanted = [(name, profile) for name, profile in self._profiles.items() if profile.preload]
        return [name for name, _ in sorted(wanted, key=lambda item: -item[1].priority)]

    def _get(self, name: str) -> Profile:
        if name not in self._profiles:
            known = ", ".join(self._profiles) or "none"
            raise UnknownProfile(f"profile={name!r} is not known; there are: {known}")
        return self._profiles[name]

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
