"""What the host's memory is: the machine's, or what a container has of it."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from pixelmend.engine.devices.memory import HostMemory

MIB = 2**20


def cgroup(folder: Path, path: str, **files: object) -> Path:
    group = folder / "fs" / path
    group.mkdir(parents=True, exist_ok=True)
    for name, value in files.items():
        (group / f"memory.{name}").write_text(f"{value}\n")
    membership = folder / "cgroup"
    membership.write_text(f"12:memory:/elsewhere\n0::/{path}\n")
    return membership


def test_without_a_container_it_is_the_machines(tmp_path: Path) -> None:
    reading = HostMemory(tmp_path, tmp_path / "absent").read()
    assert reading.capacity_bytes == psutil.virtual_memory().total
    assert 0 < reading.free_bytes <= reading.capacity_bytes


def test_a_containers_limit_counts_and_its_file_cache_is_free(tmp_path: Path) -> None:
    stat = f"anon 1\ninactive_file {30 * MIB}\nactive_file 5"
    membership = cgroup(tmp_path, "app", max=100 * MIB, current=70 * MIB, stat=stat)
    reading = HostMemory(tmp_path / "fs", membership).read()
    assert (reading.capacity_bytes, reading.free_bytes) == (100 * MIB, 60 * MIB)


def test_the_tightest_of_the_groups_around_it_counts(tmp_path: Path) -> None:
    cgroup(tmp_path, "slice", max=50 * MIB, current=45 * MIB)
    membership = cgroup(tmp_path, "slice/app", max="max", current=20 * MIB)
    reading = HostMemory(tmp_path / "fs", membership).read()
    assert (reading.capacity_bytes, reading.free_bytes) == (50 * MIB, 5 * MIB)


GROWTH = """
from pixelmend.engine.devices.memory import HostMemory

memory = HostMemory()
before = memory.read().own_bytes
block = bytearray(b"x") * (64 << 20)
print(memory.read().own_bytes - before)
"""


def test_what_was_there_before_is_not_the_models() -> None:
    """In a process of its own, since other tests' threads give memory back at any time."""
    ran = subprocess.run([sys.executable, "-c", GROWTH], capture_output=True, text=True, check=True)
    assert int(ran.stdout) == pytest.approx(64 * MIB, rel=0.2)
