"""The program that `VideoProber` runs: prints a film's header, or what it is refused for, as JSON."""

import json
import math
import resource
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from pixelmend.core.errors import PixelmendError
from pixelmend.video.header import VideoLimits

MAX_CPU_S = 60
MAX_BYTES = 4_000_000_000
"""The most address space it may use: a header may ask for any amount of memory."""
_SPARE_CPU_S = 5
INSTALL_HINT = "films need the extra [video]: pip install 'pixelmend[video]'; make run has it"


def limit(kind: int, most: int, spare: int = 0) -> None:
    """At most `most`, and less if less is allowed already."""
    soft, hard = (math.inf if set_ == resource.RLIM_INFINITY else set_ for set_ in resource.getrlimit(kind))
    hard = min(most + spare, hard)
    resource.setrlimit(kind, (int(min(most, soft, hard)), int(hard)))


def main(arguments: list[str]) -> dict[str, Any]:
    """arguments: the path, the limits of a frame in pixels and of its side, where the part begins in seconds,
    and how many it has.
    """
    # At its limit of time it ends by SIGXCPU; SIGKILL would look as if the machine had no memory left.
    limit(resource.RLIMIT_CPU, MAX_CPU_S, spare=_SPARE_CPU_S)
    limit(resource.RLIMIT_CORE, 0)
    if sys.platform != "darwin":  # whose kernel refuses any that is below what a program maps at its start
        limit(resource.RLIMIT_AS, MAX_BYTES)
    try:
        from pixelmend.video.inspection import inspect
    except ImportError:
        return {"code": "extra-missing", "message": INSTALL_HINT}
    path, max_pixels, max_side, start_s, *rest = arguments
    limits = VideoLimits(max_pixels=int(max_pixels), max_side=int(max_side))
    try:
        film = inspect(Path(path), limits)
    except PixelmendError as error:
        return {"code": error.code, "message": error.message}
    part = film.timeline.part(float(start_s), float(rest[0]) if rest else None)
    return replace(film.header, frames=len(part), seconds=part.seconds).to_json()


if __name__ == "__main__":
    json.dump(main(sys.argv[1:]), sys.stdout)
