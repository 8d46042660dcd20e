"""`pixelmend watch`: enlarge what is put into a folder, for as long as the command runs."""

import asyncio
import signal
import time
from contextlib import suppress
from pathlib import Path

from rich.console import Console

from pixelmend.commands.files import IMAGE_SUFFIXES, FileJob
from pixelmend.commands.ledger import Entry, Fingerprint, Ledger
from pixelmend.commands.local import LocalEngine, local_engine
from pixelmend.commands.outcomes import outcome_line
from pixelmend.config import Settings
from pixelmend.errors import InvalidParameter
from pixelmend.tasks import ImageOptions
from pixelmend.telemetry import Logger

LEDGER_NAME = ".pixelmend-watch.json"
RETRY_S = 60.0
"""After an error that is not the file's own (a full disk, no worker), before it is tried again."""


def run_watch(
    folder: Path, out_dir: Path, options: ImageOptions, settings: Settings, *, interval_s: float, once: bool
) -> int:
    """Until SIGTERM or Ctrl-C; with `once`, until every file that is there has ended.

    A file is taken when it has not changed between two looks, `interval_s` apart. Returns 0, or with `once`
    1 where a file failed. Raises InvalidParameter for folders that cannot be used, NoWorker.
    """
    if not folder.is_dir():
        raise InvalidParameter(f"{folder}: there is no such folder")
    if folder.resolve().is_relative_to(out_dir.resolve()):
        raise InvalidParameter(f"the results in {out_dir} would be sources again; choose another folder")
    out_dir.mkdir(parents=True, exist_ok=True)
    watch = _Watch(folder, out_dir, options, Ledger(out_dir / LEDGER_NAME))
    return asyncio.run(_run(watch, settings, interval_s, once=once))


async def _run(watch: "_Watch", settings: Settings, interval_s: float, *, once: bool) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with local_engine(settings, Logger(process="cli")) as engine:
        await engine.wait_until_ready()
        watch.console.print(f"watching {watch.folder}", markup=False, highlight=False, soft_wrap=True)
        places = asyncio.Semaphore(settings.worker_jobs)
        while not stop.is_set():
            await watch.look(engine, places)
            if once and watch.is_idle:
                break
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), interval_s)
        await watch.cancel()
    return 1 if once and watch.failed else 0


class _Watch:
    """All methods belong to one event loop."""

    def __init__(self, folder: Path, out_dir: Path, options: ImageOptions, ledger: Ledger) -> None:
        self.folder = folder
        self.failed = 0
        self.console = Console()
        self._out_dir = out_dir
        self._options = options
        self._ledger = ledger
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
            name not in self._put_off and not self._ledger.knows(name, fp) for name, fp in self._seen.items()
        )
        return not self._active and not left

    async def look(self, engine: LocalEngine, places: asyncio.Semaphore) -> None:
        """Look at the folder once, and begin with what is new and has stopped changing."""
        now = await asyncio.to_thread(_scan, self.folder, self._out_dir)
        self._put_off = {name: until for name, until in self._put_off.items() if until > time.monotonic()}
        for name, fingerprint in now.items():
            known = name in self._active or name in self._put_off or self._ledger.knows(name, fingerprint)
            if not known and self._seen.get(name) == fingerprint and fingerprint.size_bytes > 0:
                self._active[name] = asyncio.create_task(self._do(name, fingerprint, engine, places))
        self._seen = {name: fp for name, fp in now.items() if fp.size_bytes > 0}

    async def cancel(self) -> None:
        """Give up what has not ended; it is done again another time."""
        tasks = list(self._active.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _do(
        self, name: str, fingerprint: Fingerprint, engine: LocalEngine, places: asyncio.Semaphore
    ) -> None:
        try:
            async with places:
                result = self._result_name(name)
                self._taken[result] = name
                source = self.folder / name
                outcome = await engine.upscale(
                    FileJob(source, self._out_dir / result), self._options, lambda done, total: None
                )
                # A file that was written to meanwhile is looked at again; what came of it so far may be half.
                if _fingerprint(source) not in (None, fingerprint):
                    return
                error = outcome.error.message if outcome.error else None
                self.failed += error is not None
                if outcome.error is not None and outcome.error.retryable:
                    self._put_off[name] = time.monotonic() + RETRY_S
                else:
                    self._ledger.record(name, Entry(fingerprint, None if error else result, error))
                line = f"{source}: {error}" if error else outcome_line(outcome)
                self.console.print(line, markup=False, highlight=False, soft_wrap=True)
        except OSError as failure:  # the ledger cannot be written
            self._put_off[name] = time.monotonic() + RETRY_S
            self.console.print(f"{failure.filename}: {failure.strerror}", markup=False, highlight=False)
        finally:
            self._active.pop(name, None)
            self._taken = {taken: by for taken, by in self._taken.items() if by != name}

    def _result_name(self, name: str) -> str:
        """`a/b.png` for `a/b.jpg`, or `a/b.jpg.png` where another source has that."""
        suffix = self._options.format.suffix
        wanted = str(Path(name).with_suffix(suffix))
        owner = self._ledger.owner_of(wanted) or self._taken.get(wanted)
        free = owner == name or (owner is None and not (self._out_dir / wanted).exists())
        return wanted if free else name + suffix


def _scan(folder: Path, out_dir: Path) -> dict[str, Fingerprint]:
    """Images in the folder and below it, by their paths relative to it; hidden ones and results aside."""
    inside = out_dir.resolve()
    found: dict[str, Fingerprint] = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in relative.parts)
        if hidden or path.suffix.lower() not in IMAGE_SUFFIXES or path.resolve().is_relative_to(inside):
            continue
        fingerprint = _fingerprint(path)
        if fingerprint is not None:
            found[str(relative)] = fingerprint
    return found


def _fingerprint(path: Path) -> Fingerprint | None:
    """None where the file is not there (any more)."""
    try:
        status = path.stat()
    except OSError:
        return None
    return Fingerprint(status.st_size, status.st_mtime_ns) if path.is_file() else None
