"""What a case is, and what it is given."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import Machine
from benchmarks.report import Row


@dataclass(frozen=True, slots=True)
class Context:
    """say: prints a line on what is going on. folder: for the case's files, removed after it."""

    machine: Machine
    folder: Path
    quick: bool
    say: Callable[[str], None]

    def repeats(self, full: int, quick: int) -> int:
        return quick if self.quick else full

    def ran(self, name: str, seconds: float) -> None:
        """For `interleave`."""
        self.say(f"{name}: {seconds:.3f} s")


@dataclass(frozen=True, slots=True)
class Case:
    """`run` measures; it is called alone, with nothing else of ours running. is_usual: it is one of those
    that run if none is named, which together end in a quarter of an hour on two cores.
    """

    name: str
    title: str
    run: Callable[[Context], list[Row]]
    is_usual: bool = True
