"""What Linux's control groups allow this process, as containers and systemd's units set it: memory and cores.

Version 2 has one hierarchy for all controllers, version 1 (RHEL 8, many NAS) one for each. The process's own
group may have a limit, and so may each of those around it. A container does not see those outside of it.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


@dataclass(frozen=True, slots=True)
class _Names:
    """What a version calls its figures. cache: in its statistics, files' pages that were not used lately."""

    limit: str
    used: str
    cache: str


_V1 = _Names("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
_V2 = _Names("memory.max", "memory.current", "inactive_file")


@dataclass(frozen=True, slots=True)
class MemoryGroup:
    folder: Path
    names: _Names

    def limit_bytes(self) -> int | None:
        """None if there is none."""
        return _number(self.folder / self.names.limit)

    def used_bytes(self) -> int:
        """Without the file cache that the kernel drops before it refuses memory."""
        used = _number(self.folder / self.names.used) or 0
        with contextlib.suppress(OSError, ValueError):
            for line in (self.folder / "memory.stat").read_text(encoding="ascii").splitlines():
                name, _, value = line.partition(" ")
                if name == self.names.cache:
                    return max(0, used - int(value))
        return used


def memory_groups(root: Path = ROOT, membership: Path = MEMBERSHIP) -> list[MemoryGroup]:
    """This process's group and those around it; empty on other systems than Linux."""
    own = _own_groups("memory", root, membership)
    groups = [MemoryGroup(folder, _V1 if is_v1 else _V2) for folder, is_v1 in own]
    return [group for group in groups if (group.folder / group.names.limit).is_file()]


def allowed_cores(root: Path = ROOT, membership: Path = MEMBERSHIP) -> int | None:
    """Whole cores of the smallest quota of time, 1 at least; more threads than that would be throttled.

    None without a quota.
    """
    quotas = []
    for folder, is_v1 in _own_groups("cpu", root, membership):
        if is_v1:  # -1 is none
            quota_us, period_us = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
        else:
            quota_us, period_us = _quota_v2(folder / "cpu.max")
        if quota_us is not None and quota_us > 0 and period_us:
            quotas.append(max(1, quota_us // period_us))
    return min(quotas, default=None)


def _own_groups(controller: str, root: Path, membership: Path) -> Iterator[tuple[Path, bool]]:
    """Folders of the process's group and of those around it, and whether they are of version 1."""
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        is_v1 = bool(controllers)
        if is_v1 and controller not in controllers.split(","):
            continue
        top = root / controller if is_v1 else root
        own = top / path.strip("/")
        # A container may know its path on the host, and have its own group at the top.
        for folder in (own, *own.parents):
            if folder.is_relative_to(top):
                yield folder, is_v1


def _quota_v2(file: Path) -> tuple[int | None, int | None]:
    try:
        quota, period = file.read_text(encoding="ascii").split()
        return (None if quota == "max" else int(quota)), int(period)
    except (OSError, ValueError):
        return None, None


def _number(file: Path) -> int | None:
    """None for "max", and if there is no such file."""
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
