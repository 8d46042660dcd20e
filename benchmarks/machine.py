"""What the figures were measured on; nothing in it names the machine or its user."""

import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
_TELLING_FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "amx_tile")


@dataclass(frozen=True, slots=True)
class Machine:
    """load_average: of the last minute before the runs, so that a busy machine is seen."""

    cpu: str
    physical_cores: int
    logical_cores: int
    flags: tuple[str, ...]
    memory_gib: float
    load_average: float
    gpu: str | None
    system: str
    python: str
    torch: str
    commit: str

    @property
    def precisions(self) -> tuple[str, ...]:
        """In which the CPU is measured. One without bfloat16 takes minutes for a single product in it."""
        return ("float32", "bfloat16") if self.has_fast_bfloat16 else ("float32",)

    @property
    def has_fast_bfloat16(self) -> bool:
        """Whether the CPU multiplies bfloat16 in hardware, as the service's own choice asks."""
        return "amx_bf16" in self.flags or "avx512_bf16" in self.flags


def describe_machine(gpu: str | None = None) -> Machine:
    """This one. gpu: its name, if a GPU is what is measured."""
    cpu, flags = _cpu()
    return Machine(
        cpu=cpu,
        physical_cores=physical_cores(),
        logical_cores=psutil.cpu_count() or 1,
        flags=tuple(flag for flag in _TELLING_FLAGS if flag in flags),
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        load_average=round(os.getloadavg()[0], 2),
        gpu=gpu,
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        torch=_version("torch"),
        commit=_commit(),
    )


def physical_cores() -> int:
    """Cores that this process may use, without hyper-threads."""
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    return max(1, min(cores, len(os.sched_getaffinity(0)) if sys.platform == "linux" else cores))


def _cpu() -> tuple[str, frozenset[str]]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine(), frozenset()
    found = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return found.get("model name", platform.machine()), frozenset(found.get("flags", "").split())


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    """The commit, with "+" if the files differ from it."""
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        return commit + ("+" if _git("status", "--porcelain", "--", ".", ":!benchmarks/results") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()
