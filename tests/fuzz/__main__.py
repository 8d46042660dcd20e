"""`make fuzz SECONDS=600`: all targets in turns, from a new seed each time, until the time is over.

A finding ends it with the smallest case that shows it; `--seed N` repeats a run.
"""

import argparse
import sys
import time
from collections import defaultdict

from hypothesis import HealthCheck, given, seed, settings
from hypothesis.database import DirectoryBasedExampleDatabase

from pixelmend.core.telemetry import configure_logging
from tests.fuzz.targets import TARGETS, Target

EXAMPLES_AT_ONCE = 300


def run(target: Target, number: int, examples: int) -> None:
    """Raises what the target raises, once it is as small as it gets."""

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=DirectoryBasedExampleDatabase(".hypothesis/fuzz"),
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    @given(target.cases)
    def check(case: object) -> None:
        target.check(case)

    check()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None)
    arguments = parser.parse_args()
    configure_logging("critical", "json")
    first = int(time.time()) if arguments.seed is None else arguments.seed
    end_s = time.monotonic() + arguments.seconds
    rounds = 0
    seconds: dict[str, float] = defaultdict(float)
    while time.monotonic() < end_s:
        for target in TARGETS:
            started_s = time.monotonic()
            try:
                run(target, first + rounds, EXAMPLES_AT_ONCE)
            except Exception:
                print(f"a finding in {target.name!r}, --seed {first + rounds}", file=sys.stderr)
                raise
            seconds[target.name] += time.monotonic() - started_s
            if time.monotonic() >= end_s:
                break
        rounds += 1
    for name, spent_s in seconds.items():
        print(f"{name}: {spent_s:.0f} s, nothing found")
    return 0


if __name__ == "__main__":
    sys.exit(main())
