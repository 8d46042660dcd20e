"""The program that `VideoProber` runs: prints a film's header, or what it is refused for, as JSON."""

import json
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
INSTALL_HINT = "films need the extra [video]: pip install 'pixelmend[video]'; make run has it"


def main(arguments: list[str]) -> dict[str, Any]:
    """arguments: the path, the limits of a frame in pixels and of its side, where the part begins in seconds,
    and how many it has.
    """
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_S, MAX_CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
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
