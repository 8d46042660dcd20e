"""What our models hold of the host's memory. What containers have of it: test_control_groups.py."""

import subprocess
import sys

import pytest

MIB = 2**20


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
