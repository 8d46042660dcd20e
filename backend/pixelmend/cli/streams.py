"""`-` among the arguments: standard input is the one source, standard output takes its result."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from rich.console import Console

from pixelmend.cli.files import Plan
from pixelmend.cli.task_command import Given
from pixelmend.cli.terminal import terminal
from pixelmend.core.errors import InvalidParameter, PixelmendError
from pixelmend.imaging.formats import SNIFF_BYTES, describe, format_registry

STREAM = Path("-")


@dataclass(frozen=True, slots=True)
class Streams:
    """given: with paths of files in place of `-`. console: for messages, so that they mix with no result.

    source_name, result_name: what messages call the file that stands for a stream; None for no stream.
    """

    given: Given
    console: Console
    source_name: str | None = None
    result_name: str | None = None

    def named(self, plan: Plan) -> Plan:
        source, result = self.source_name, self.result_name
        jobs = tuple(replace(job, source_name=source, result_name=result) for job in plan.jobs)
        return replace(plan, jobs=jobs)

    def deliver(self, plan: Plan, out: BinaryIO) -> None:
        """Write the result, which is complete, if standard output takes it. Raises PixelmendError."""
        if self.result_name is None:
            return
        (job,) = plan.jobs
        try:
            with job.result.open("rb") as result:
                shutil.copyfileobj(result, out)
            out.flush()
        except BrokenPipeError as error:
            # Python would complain of the same when it flushes the stream at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
            raise PixelmendError("standard output was closed before the result was written") from error
        except OSError as error:
            raise PixelmendError(f"standard output takes no result: {error.strerror}") from error


@contextmanager
def standard_streams(given: Given) -> Iterator[Streams]:
    """Raises InvalidParameter for what cannot be done with a stream, PixelmendError without room."""
    reads = STREAM in given.inputs
    writes = given.out == STREAM or (reads and given.out is None)
    if given.mask == STREAM:
        raise InvalidParameter("a mask is a file: `-` stands for the image alone")
    if not (reads or writes):
        yield Streams(given, terminal())
        return
    if len(given.inputs) != 1 or (not reads and given.inputs[0].is_dir()):
        raise InvalidParameter("`-` is for one file alone: name no other file and no folder beside it")
    if reads and sys.stdin.isatty():
        raise InvalidParameter("`-` reads from standard input, and nothing is sent to it")
    if writes and sys.stdout.isatty():
        raise InvalidParameter("a result is not written to a terminal: send it on, or name a file by -o")
    with TemporaryDirectory(prefix="pixelmend-") as folder:
        inputs, out = given.inputs, given.out
        if reads:
            inputs = [_received(Path(folder) / "stdin", sys.stdin.buffer)]
        if writes:
            out = Path(folder) / "results"
        yield Streams(
            replace(given, inputs=inputs, out=out),
            terminal(stderr=writes),
            "standard input" if reads else None,
            "standard output" if writes else None,
        )


def _received(path: Path, stream: BinaryIO) -> Path:
    """A film's path is named as films are: a name is what tells films from images elsewhere."""
    try:
        with path.open("w+b") as file:
            shutil.copyfileobj(stream, file)
            file.seek(0)
            head = file.read(SNIFF_BYTES)
        if format_registry().beginning_with(head) is None:
            path = path.rename(path.with_suffix(describe(head).film_suffix or ""))
    except OSError as error:
        raise PixelmendError(f"standard input cannot be put into {path.parent}: {error.strerror}") from error
    return path
