"""Reads a film's header in a process of its own: a file that crashes FFmpeg's libraries ends only that."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from pixelmend.core.error_codes import error_from_code
from pixelmend.core.errors import CorruptVideo, HostMemoryError, InternalError, PixelmendError
from pixelmend.video.header import VideoHeader, VideoLimits, check_header

_TIMEOUT_S = 120.0
"""Above the time for reading through the largest film once, from a slow disk."""
_AT_ONCE = 2
PROGRAM = (sys.executable, "-m", "pixelmend.video.probe_child")


class VideoProber:
    """Used by several threads, some at a time, so that uploads do not take the machine from the work."""

    def __init__(
        self, limits: VideoLimits, timeout_s: float = _TIMEOUT_S, program: Sequence[str] = PROGRAM
    ) -> None:
        """program: to which the path, the limits, the beginning and the length are given."""
        self._program = program
        self._limits = limits
        self._timeout_s = timeout_s
        self._free = threading.BoundedSemaphore(_AT_ONCE)

    def probe(self, path: Path, start_s: float = 0.0, seconds: float | None = None) -> VideoHeader:
        """The header of that part of the film.

        Raises UnsupportedVideo, CorruptVideo, VideoTooLarge, ExtraMissing, HostMemoryError, InternalError.
        """
        limits = self._limits
        command = [*self._program, str(path), str(limits.max_pixels), str(limits.max_side), str(start_s)]
        command += [] if seconds is None else [str(seconds)]
        with self._free:
            try:
                run = subprocess.run(command, capture_output=True, timeout=self._timeout_s, check=False)
            except subprocess.TimeoutExpired as error:
                raise CorruptVideo(f"the film's header was not read within {self._timeout_s:g} s") from error
        if run.returncode:
            raise _error_of(run)
        answer = json.loads(run.stdout)
        if "code" in answer:
            raise error_from_code(answer["code"], answer["message"])
        header = VideoHeader.from_json(answer)
        check_header(header, self._limits)
        return header


def _error_of(ended: subprocess.CompletedProcess[bytes]) -> PixelmendError:
    """What to raise if the program failed without an answer. Only a crash can be the film's fault."""
    if ended.returncode == -signal.SIGKILL:
        return HostMemoryError("the program that reads the film's header was killed; memory may have run out")
    if ended.returncode < 0:
        return CorruptVideo("the film's header ended the program that reads it")
    why = ended.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
    return InternalError(f"the program that reads a film's header cannot run: {why}")
