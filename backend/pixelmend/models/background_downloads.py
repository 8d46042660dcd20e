"""Downloads models while the service works, each in a thread of its own."""

import asyncio
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from pixelmend.core.errors import Cancelled, Draining, InternalError, PixelmendError
from pixelmend.core.telemetry import Logger
from pixelmend.models.catalog import Catalog
from pixelmend.models.remote import RemoteFile, plan_downloads, require_known

if TYPE_CHECKING:
    from pixelmend.models.download import OnProgress, RetryPolicy


@dataclass(frozen=True, slots=True)
class DownloadState:
    """How far a download is. error: why it has ended; None while it is running."""

    received_bytes: int
    total_bytes: int
    error: PixelmendError | None


@dataclass(eq=False, slots=True)
class _Download:
    """The files of one model, and of the one that it mixes with."""

    model_id: str
    files: tuple[RemoteFile, ...]
    received_bytes: dict[RemoteFile, int]
    cancelled: Event = field(default_factory=Event)
    error: PixelmendError | None = None

    @property
    def is_here(self) -> bool:
        return all(file.path.is_file() for file in self.files)

    @property
    def state(self) -> DownloadState:
        total_bytes = sum(file.size_bytes for file in self.files)
        return DownloadState(sum(self.received_bytes.values()), total_bytes, self.error)

    def on_start(self, file: RemoteFile) -> "OnProgress":
        def on_progress(done_bytes: int, _total_bytes: int) -> None:
            self.received_bytes[file] = done_bytes

        return on_progress


class Downloads:
    """Used by the event loop's thread. If a download ends early, what has arrived is kept for the next one.

    mirror: as in `plan_downloads`.
    """

    def __init__(
        self, catalog: Callable[[], Catalog], mirror: str, log: Logger, retries: "RetryPolicy | None" = None
    ) -> None:
        self._catalog = catalog
        self._mirror = mirror
        self._log = log
        self._retries = retries
        self._lock = Lock()
        self._shown: dict[str, _Download] = {}
        self._threads: set[Thread] = set()
        self._closing = False

    def start(self, model_id: str) -> None:
        """Returns at once. Does nothing if the download is running already, or all files are here.

        Raises UnknownModel, InvalidParameter for a model that has nothing to download, and Draining.
        """
        catalog = self._catalog()
        require_known(catalog, [model_id])
        entry = catalog.get(model_id)
        parts = [entry, *(catalog.get(partner) for partner in entry.partners.values())]
        if entry.urls and all(part.present for part in parts):
            return
        planned = plan_downloads(catalog, [model_id], self._mirror)
        files = tuple(file for file in planned if not file.path.is_file())
        download = _Download(model_id, files, dict.fromkeys(files, 0))
        with self._lock:
            if self._closing:
                raise Draining("the service is shutting down; what has arrived of models is kept")
            known = self._shown.get(model_id)
            if known is not None and known.error is None:
                return
            self._shown[model_id] = download
            thread = Thread(target=self._run, args=(download,), name=f"download-{model_id}")
            self._threads = {one for one in self._threads if one.is_alive()} | {thread}
            # Started within the lock, so that every thread in `_threads` has been started.
            thread.start()
        self._log.info("model download began", model=model_id, bytes=download.state.total_bytes)

    def find(self, model_id: str) -> DownloadState | None:
        """None if nothing is running or has failed, or if the failed files were put there by hand."""
        with self._lock:
            download = self._shown.get(model_id)
        if download is None or (download.error is not None and download.is_here):
            return None
        return download.state

    def cancel(self, model_id: str) -> None:
        """Forget a download that is running or has failed. Its thread ends soon, by itself."""
        with self._lock:
            download = self._shown.pop(model_id, None)
        if download is not None:
            download.cancelled.set()

    def cancel_all(self) -> None:
        """Stop all downloads; no other begins from now on."""
        with self._lock:
            self._closing = True
            for download in self._shown.values():
                download.cancelled.set()

    async def close(self) -> None:
        """Returns when no thread is left."""
        self.cancel_all()
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    def _run(self, download: _Download) -> None:
        try:
            error = self._fetch(download)
        except Exception as unexpected:
            self._log.error("model download failed by a bug", model=download.model_id, exc_info=unexpected)
            error = InternalError("an unexpected error; the log has it")
        with self._lock:
            download.error = error
            is_shown = self._shown.get(download.model_id) is download
            if is_shown and (error is None or isinstance(error, Cancelled)):
                del self._shown[download.model_id]
        if error is None:
            self._log.info("model downloaded", model=download.model_id)
        else:
            write = self._log.info if isinstance(error, Cancelled) else self._log.warning
            write("model not downloaded", model=download.model_id, problem=error.message)

    def _fetch(self, download: _Download) -> PixelmendError | None:
        """The first error that is not Cancelled, else the first one; None if all files were downloaded."""
        # Here, because the service starts faster without a library for requests of its own.
        from pixelmend.models.download import RetryPolicy
        from pixelmend.models.fetching import fetch_all
        from pixelmend.models.transfer import new_client

        errors = []
        with new_client() as client:
            fetching = fetch_all(
                download.files,
                client,
                on_start=download.on_start,
                cancelled=download.cancelled,
                retries=self._retries or RetryPolicy(),
            )
            with closing(fetching):
                errors = [ended.error for ended in fetching if ended.error is not None]
        for file in download.files:
            with suppress(OSError):
                # Models are no secret, and commands of other users may read what the service has downloaded.
                file.path.chmod(0o644)
        return next((error for error in errors if not isinstance(error, Cancelled)), next(iter(errors), None))
