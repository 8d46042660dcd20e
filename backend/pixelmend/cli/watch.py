"""`pixelmend watch`: upscale what is put into a folder, for as long as the command runs."""

import asyncio
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pixelmend.cli.done import options_digest
from pixelmend.cli.files import FILMS, IMAGES, FileJob, make_writable
from pixelmend.cli.local import LocalEngine, local_engine
from pixelmend.cli.outcomes import Outcome, failed, failure_line, outcome_line
from pixelmend.cli.request import Request
from pixelmend.cli.search import find_images, passed_over_line
from pixelmend.cli.terminal import terminal
from pixelmend.cli.watch_state import Entry, Fingerprint, WatchState
from pixelmend.core.config import Settings
from pixelmend.core.errors import InvalidParameter
from pixelmend.core.telemetry import Logger
from pixelmend.core.text import printable
from pixelmend.imaging.names import shortened

STATE_NAME = ".pixelmend-watch.json"
RETRY_S = 60.0
"""After an error that is not the file's own (a full disk, no worker), before it is tried again."""


RequestOf = Callable[[Path], Request]
"""What is asked for a file, by its name."""


def run_watch(
    folder: Path, out_dir: Path, request_of: RequestOf, settings: Settings, *, interval_s: float, once: bool
) -> int:
    """Until SIGTERM or Ctrl-C; with `once`, until every file that is there has ended.

    A file is taken when it has not changed between two looks, `interval_s` apart. Returns 0, or with `once`
    1 if a file failed. Raises InvalidParameter for folders that cannot be used, NoWorker.
    """
    if not folder.is_dir():
        raise InvalidParameter(f"{folder}: there is no such folder")
    if folder.resolve().is_relative_to(out_dir.resolve()):
        raise InvalidParameter(f"the results in {out_dir} would be sources again; choose another folder")
    make_writable(out_dir)
    watch = _Watch(folder, out_dir, request_of, WatchState(out_dir / STATE_NAME))
    return asyncio.run(_run(watch, settings, interval_s, once=once))


async def _run(watch: "_Watch", settings: Settings, interval_s: float, *, once: bool) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with local_engine(settings, Logger(process="cli")) as engine:
        await engine.wait_until_ready()
        watch.say(f"watching {watch.folder}")
        # A few films would keep images out for hours.
        places = _Places(asyncio.Semaphore(settings.worker_jobs), asyncio.Semaphore(settings.worker_videos))
        while not stop.is_set():
            await watch.look(engine, places)
            if once and watch.is_idle:
                break
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), interval_s)
        await watch.cancel()
    return 1 if once and watch.failed else 0


@dataclass(frozen=True, slots=True)
class _Places:
    """How many files of each kind are done at a time."""

    images: asyncio.Semaphore
    films: asyncio.Semaphore

    def of(self, request: Request) -> asyncio.Semaphore:
        return self.films if request.task.takes_video else self.images


class _Watch:
    """All methods belong to one event loop."""

    def __init__(self, folder: Path, out_dir: Path, request_of: RequestOf, state: WatchState) -> None:
        self.folder = folder
        self.failed = 0
        self.console = terminal()
        self._out_dir = out_dir
        self._request_of = request_of
        self._passed_over = ""
        self._state = state
        self._seen: dict[str, Fingerprint] = {}
        self._active: dict[str, asyncio.Task[None]] = {}
        self._taken: dict[str, str] = {}
        """Results that are being made, and of which source."""
        self._put_off: dict[str, float] = {}
        """Until when, by the monotonic clock."""

    @property
    def is_idle(self) -> bool:
        """Nothing is being done, and nothing that was seen is left to do."""
        left = any(
            name not in self._put_off and not self._state.knows(name, fp, self._digest(name))
            for name, fp in self._seen.items()
        )
        return not self._active and not left

    async def look(self, engine: LocalEngine, places: _Places) -> None:
        """Look at the folder once, and begin with what is new and has stopped changing."""
        now, passed_over = await asyncio.to_thread(_scan, self.folder, self._out_dir)
        if passed_over and passed_over != self._passed_over:
            self.say(passed_over)
        self._passed_over = passed_over
        self._put_off = {name: until for name, until in self._put_off.items() if until > time.monotonic()}
        for name, fingerprint in now.items():
            ended = self._state.knows(name, fingerprint, self._digest(name))
            known = name in self._active or name in self._put_off or ended
            if not known and self._seen.get(name) == fingerprint and fingerprint.size_bytes > 0:
                self._active[name] = asyncio.create_task(self._do(name, fingerprint, engine, places))
        self._seen = {name: fp for name, fp in now.items() if fp.size_bytes > 0}

    async def cancel(self) -> None:
        """Give up what has not ended; it is done again another time."""
        tasks = list(self._active.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def say(self, text: str) -> None:
        self.console.print(printable(text), soft_wrap=True)

    async def _do(self, name: str, fingerprint: Fingerprint, engine: LocalEngine, places: _Places) -> None:
        source = self.folder / name
        request = self._request_of(source)
        try:
            async with places.of(request):
                try:
                    result = self._result_name(name)
                    self._taken[result] = name
                    job = FileJob(source, self._out_dir / result)
                    outcome = await engine.process(job, request, lambda done, total: None)
                except Exception as error:
                    result, outcome = "", failed(FileJob(source, self._out_dir), error)
                # A file that was written to meanwhile is looked at again; what came of it may be half.
                if _fingerprint(source) in (None, fingerprint):
                    self._ended(name, fingerprint, result, outcome)
        finally:
            self._active.pop(name, None)
            self._taken = {taken: by for taken, by in self._taken.items() if by != name}

    def _ended(self, name: str, fingerprint: Fingerprint, result: str, outcome: Outcome) -> None:
        error = outcome.error
        self.failed += error is not None
        self.say(failure_line(outcome) if error else outcome_line(outcome))
        if error is not None and error.retryable:
            self._put_off[name] = time.monotonic() + RETRY_S
            return
        entry = (
            Entry(fingerprint, result, None, self._digest(name))
            if error is None
            else Entry(fingerprint, None, error.message, self._digest(name))
        )
        try:
            self._state.record(name, entry)
        except OSError as failure:
            self._put_off[name] = time.monotonic() + RETRY_S
            self.say(f"{failure.filename}: {failure.strerror}")

    def _digest(self, name: str) -> str:
        return options_digest(self._request_of(Path(name)).options)

    def _result_name(self, name: str) -> str:
        """`a/b.png` for `a/b.jpg`, or `a/b.jpg.png` if another source has that."""
        suffix = self._request_of(Path(name)).output.suffix
        path = Path(name).with_suffix(suffix)
        wanted = str(path.with_name(shortened(path.name)))
        owner = self._state.owner_of(wanted) or self._taken.get(wanted)
        free = owner == name or (owner is None and not (self._out_dir / wanted).exists())
        return wanted if free else str(Path(name).with_name(shortened(Path(name).name + suffix)))


def _scan(folder: Path, out_dir: Path) -> tuple[dict[str, Fingerprint], str]:
    """Images and films in the folder and below it, by their relative paths; and what was passed over."""
    below = find_images(folder, out_dir, suffixes=IMAGES.suffixes | FILMS.suffixes)
    found = {str(path.relative_to(folder)): _fingerprint(path) for path in below.images}
    present = {name: fingerprint for name, fingerprint in found.items() if fingerprint is not None}
    return present, passed_over_line(below.passed_over)


def _fingerprint(path: Path) -> Fingerprint | None:
    """None if the file is not there (any more)."""
    try:
        status = path.stat()
    except OSError:
        return None
    return Fingerprint(status.st_size, status.st_mtime_ns) if path.is_file() else None
