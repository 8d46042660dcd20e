"""Named sets of models, preloaded and released together."""

from collections.abc import Mapping

from pixelmend.core.config import Profile
from pixelmend.core.errors import ModelTooLarge, UnknownProfile
from pixelmend.engine.model_cache.cache import ModelManager
from pixelmend.engine.model_cache.open_models import Hold


class ProfileKeeper:
    """The operator's profiles on one manager. Called by the threads that do what operators ask for."""

    def __init__(self, manager: ModelManager, profiles: Mapping[str, Profile]) -> None:
        self._manager = manager
        self._profiles = profiles

    def preload(self, name: str) -> None:
        """Open the profile's models and hold them until `release`.

        Held models are not let go for others, nor when idle; with `auto_cleanup` they may go where memory is
        short, after all that no profile holds, the lowest priority first. Raises UnknownProfile,
        ModelTooLarge where they exceed the profile's own limit, and what opening a model raises; nothing is
        held then.
        """
        profile = self._get(name)
        limit_bytes = self._limit_bytes(profile)
        self._require_within(name, limit_bytes, self._expected_bytes(profile))
        before = set(self._manager.open_bytes(profile.models))
        self._manager.hold(name, Hold(frozenset(profile.models), profile.priority, profile.auto_cleanup))
        try:
            for model in profile.models:
                self._manager.load(model)
            self._require_within(name, limit_bytes, sum(self._manager.open_bytes(profile.models).values()))
        except Exception:
            for model in self._manager.drop(name) - before:
                self._manager.leave(model)
            raise

    def release(self, name: str) -> None:
        """Let go of the models that nothing else keeps; returns when their last leases are released.

        Raises UnknownProfile. A profile that is not active is released already.
        """
        self._get(name)
        leaving = [gone for model in self._manager.drop(name) for gone in self._manager.leave(model)]
        for gone in leaving:
            gone.wait()

    def preload_wanted(self) -> list[str]:
        """Those to be preloaded at the start, the most important first."""
        wanted = [(name, profile) for name, profile in self._profiles.items() if profile.preload]
        return [name for name, _ in sorted(wanted, key=lambda item: -item[1].priority)]

    def _get(self, name: str) -> Profile:
        if name not in self._profiles:
            known = ", ".join(self._profiles) or "none"
            raise UnknownProfile(f"profile={name!r} is not known; there are: {known}")
        return self._profiles[name]

    def _expected_bytes(self, profile: Profile) -> int:
        open_bytes = self._manager.open_bytes(profile.models)
        return sum(
            open_bytes.get(model) or self._manager.offer(model).least_bytes for model in profile.models
        )

    def _limit_bytes(self, profile: Profile) -> int | None:
        """The lower one of the profile's limits."""
        limits = [] if profile.memory_limit_bytes is None else [profile.memory_limit_bytes]
        if profile.memory_limit_percent is not None:
            reading, _, _ = self._manager.read()
            limits.append(int(reading.capacity_bytes * profile.memory_limit_percent / 100))
        return min(limits, default=None)

    def _require_within(self, name: str, limit_bytes: int | None, needed_bytes: int) -> None:
        if limit_bytes is not None and needed_bytes > limit_bytes:
            raise ModelTooLarge(
                f"the models of profile {name!r} take {needed_bytes / 1e6:.0f} MB, its limit is "
                f"{limit_bytes / 1e6:.0f} MB"
            )
