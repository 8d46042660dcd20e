"""What a container or a unit of systemd allows, as the kernel's files tell it in either version."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from pixelmend.engine.devices.control_groups import ROOT, allowed_cores, memory_groups
from pixelmend.engine.devices.memory import HostMemory

MIB = 2**20
NO_LIMIT_V1 = 2**63 - 4096


def v2(root: Path, path: str = "", **files: object) -> None:
    """A group with files of the memory controller."""
    group = root / path
    group.mkdir(parents=True, exist_ok=True)
    for name, value in files.items():
        (group / f"memory.{name}").write_text(f"{value}\n")


def v1(root: Path, path: str, limit: int, usage: int, stat: str = "") -> None:
    group = root / "memory" / path
    group.mkdir(parents=True, exist_ok=True)
    (group / "memory.limit_in_bytes").write_text(f"{limit}\n")
    (group / "memory.usage_in_bytes").write_text(f"{usage}\n")
    (group / "memory.stat").write_text(stat)


def quota_v1(root: Path, path: str, quota_us: int) -> None:
    group = root / "cpu" / path
    group.mkdir(parents=True, exist_ok=True)
    (group / "cpu.cfs_quota_us").write_text(f"{quota_us}\n")
    (group / "cpu.cfs_period_us").write_text("100000\n")


@pytest.fixture
def membership(tmp_path: Path) -> Path:
    return tmp_path / "membership"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "fs"


def memory(root: Path, membership: Path) -> tuple[int, int]:
    """What there is, and what is free of it, in MiB."""
    reading = HostMemory(memory_groups(root, membership)).read()
    return reading.capacity_bytes // MIB, reading.free_bytes // MIB


def test_without_a_group_memory_is_the_machines(root: Path, membership: Path) -> None:
    reading = HostMemory(memory_groups(root, membership)).read()
    assert reading.capacity_bytes == psutil.virtual_memory().total
    assert 0 < reading.free_bytes <= reading.capacity_bytes
    assert allowed_cores(root, membership) is None


def test_a_limit_counts_and_file_cache_is_free(root: Path, membership: Path) -> None:
    v2(root, "app", max=100 * MIB, current=70 * MIB, stat=f"anon 1\ninactive_file {30 * MIB}\nactive_file 5")
    membership.write_text("0::/app\n")
    assert memory(root, membership) == (100, 60)


def test_a_limit_of_version_1_counts_and_file_cache_is_free(root: Path, membership: Path) -> None:
    v1(root, "", NO_LIMIT_V1, 500 * MIB)
    v1(root, "app", 100 * MIB, 70 * MIB, f"inactive_file 7\ntotal_inactive_file {30 * MIB}")
    membership.write_text("9:name=systemd:/\n4:memory:/app\n1:cpu:/\n0::/\n")
    assert memory(root, membership) == (100, 60)


def test_the_tightest_of_the_groups_around_counts(root: Path, membership: Path) -> None:
    v2(root, "slice", max=50 * MIB, current=45 * MIB)
    v2(root, "slice/app", max="max", current=20 * MIB)
    membership.write_text("0::/slice/app\n")
    assert memory(root, membership) == (50, 5)
    v1(root, "slice", 40 * MIB, 39 * MIB)
    v1(root, "slice/app", NO_LIMIT_V1, 20 * MIB)
    membership.write_text("4:memory:/slice/app\n")
    assert memory(root, membership) == (40, 1)


def test_a_container_that_knows_its_path_on_the_host_has_its_group_on_top(
    root: Path, membership: Path
) -> None:
    v1(root, "", 60 * MIB, 20 * MIB)
    quota_v1(root, "", 200_000)
    membership.write_text("5:memory:/docker/0123abc\n3:cpu,cpuacct:/docker/0123abc\n")
    assert memory(root, membership) == (60, 40)
    assert allowed_cores(root, membership) == 2


@pytest.mark.parametrize(
    ("content", "cores"),
    [("max 100000\n", None), ("250000 100000\n", 2), ("50000 100000\n", 1), ("", None), ("no number", None)],
)
def test_a_quota_bounds_the_cores(root: Path, membership: Path, content: str, cores: int | None) -> None:
    root.mkdir()
    (root / "cpu.max").write_text(content)
    membership.write_text("0::/\n")
    assert allowed_cores(root, membership) == cores


@pytest.mark.parametrize(("quota_us", "cores"), [(-1, None), (350_000, 3), (50_000, 1)])
def test_a_quota_of_version_1_bounds_the_cores(
    root: Path, membership: Path, quota_us: int, cores: int | None
) -> None:
    quota_v1(root, "app", quota_us)
    membership.write_text("3:cpu,cpuacct:/app\n")
    assert allowed_cores(root, membership) == cores


def test_the_quota_of_a_unit_and_that_of_its_slice_count(root: Path, membership: Path) -> None:
    unit = root / "system.slice" / "pixelmend.service"
    unit.mkdir(parents=True)
    (unit / "cpu.max").write_text("300000 100000\n")
    membership.write_text("0::/system.slice/pixelmend.service\n")
    assert allowed_cores(root, membership) == 3
    (unit.parent / "cpu.max").write_text("200000 100000\n")
    assert allowed_cores(root, membership) == 2


@pytest.fixture
def real_group() -> Iterator[Path]:
    """A group of the running kernel with room for 300 MiB."""
    for top, limit in ((ROOT / "memory", "memory.limit_in_bytes"), (ROOT, "memory.max")):
        group = top / f"pixelmend-test-{os.getpid()}"
        try:
            group.mkdir()
            (group / limit).write_text(str(300 * MIB))
        except OSError:
            continue
        yield group
        group.rmdir()
        return
    pytest.skip("this user may not make a control group with a limit here")


READ = """
import sys
from pathlib import Path
from pixelmend.engine.devices.device import cpu_device
from pixelmend.engine.devices.memory import HostMemory

Path(sys.argv[1], "cgroup.procs").write_text("0")
block = bytearray(b"x") * (64 << 20)
reading = HostMemory().read()
print(reading.capacity_bytes, reading.free_bytes, cpu_device().total_bytes)
"""


def test_the_kernels_own_groups_are_understood(real_group: Path) -> None:
    command = [sys.executable, "-c", READ, str(real_group)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    capacity, free, total = (int(figure) / MIB for figure in ran.stdout.split())
    assert capacity == total == 300
    assert 150 < free < 236
