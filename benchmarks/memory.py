"""The peak memory of another process, as the Linux kernel keeps it."""

import re
from pathlib import Path

import psutil


class PeakMemory:
    """The high-water mark of resident memory (VmHWM) since `reset`."""

    def __init__(self, process: psutil.Process) -> None:
        self._folder = Path("/proc") / str(process.pid)

    def reset(self) -> None:
        (self._folder / "clear_refs").write_text("5")

    def read_bytes(self) -> int:
        return parse_peak_bytes((self._folder / "status").read_text())


def parse_peak_bytes(status: str) -> int:
    """VmHWM of a /proc/PID/status. Raises ValueError if there is none."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    if not found:
        raise ValueError("no VmHWM: this is not Linux, or the process is gone")
    return int(found[1]) * 1024
