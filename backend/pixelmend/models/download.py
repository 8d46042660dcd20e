"""One file over HTTP into its place: checked, resumable, complete or absent."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

import httpx

from pixelmend.core.errors import Cancelled, DownloadFailed, ModelUnusable, StorageFull
from pixelmend.imaging.storage import storage_errors
from pixelmend.models.integrity import verify_file
from pixelmend.models.partial import PartialFile, held_partial, remove_partial
from pixelmend.models.remote import RemoteFile
from pixelmend.models.transfer import Interrupted, Refused, transfer, without_password

OnProgress = Callable[[int, int], None]
"""Called with the bytes that are here and all there will be; from the thread that downloads."""

_LOOK_AGAIN_S = 0.2


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often one address is asked in a row without progress.

    An attempt that brought `progress_bytes` more than any before it is progress, so that the number of
    attempts is bounded by the file's size.
    """

    attempts: int = 4
    first_delay_s: float = 0.5
    largest_delay_s: float = 8.0
    progress_bytes: int = 1 << 20

    def delay_s(self, failures: int) -> float:
        return min(self.first_delay_s * 2.0 ** (failures - 1), self.largest_delay_s)


def download(
    file: RemoteFile,
    client: httpx.Client,
    *,
    on_progress: OnProgress,
    cancelled: Event,
    retries: RetryPolicy,
) -> bool:
    """Download `file` to its place and check it. Returns False if it is there already.

    After a broken connection the part that arrived is kept and completed the next time, also by another
    process. If two download the same file, the second waits for the first. Raises DownloadFailed naming what
    every address answered and how to do it by hand, StorageFull, and Cancelled soon after `cancelled` is set.
    """
    try:
        with storage_errors(file.path):
            return _download(file, _Fetch(file, client, on_progress, cancelled, retries))
    except OSError as error:
        raise DownloadFailed(f"{file.path} cannot be written: {error.strerror or error}") from error


def is_there(file: RemoteFile) -> bool:
    """Whether the file is in its place and complete."""
    try:
        return file.path.stat().st_size == file.size_bytes and bool(verify_file(file.path, file.sha256))
    except (FileNotFoundError, ModelUnusable):
        return False


def _download(file: RemoteFile, fetch: "_Fetch") -> bool:
    file.path.parent.mkdir(parents=True, exist_ok=True)
    if is_there(file):
        remove_partial(file.path)  # it was put there by hand after a download had been interrupted
        return False
    with held_partial(file.path, fetch.wait) as part:
        if is_there(file):  # another process has downloaded it meanwhile
            return False
        try:
            fetch.into(part)
            part.commit()
        except OSError:
            part.clear()
            raise
    return True


class _Fetch:
    """Tries the addresses of one file."""

    def __init__(
        self,
        file: RemoteFile,
        client: httpx.Client,
        on_progress: OnProgress,
        cancelled: Event,
        retries: RetryPolicy,
    ) -> None:
        self._file = file
        self._client = client
        self._on_progress = on_progress
        self._cancelled = cancelled
        self._retries = retries

    def wait(self, arrived_bytes: int) -> None:
        """Another process downloads the same file."""
        self._on_progress(arrived_bytes, self._file.size_bytes)
        self._pause(_LOOK_AGAIN_S)

    def into(self, part: PartialFile) -> None:
        """Fill `part`, from the first address that has the file. Raises DownloadFailed."""
        self._require_room(part)
        refusals = []
        for url in self._file.urls:
            try:
                self._from(url, part)
            except Refused as refusal:
                refusals.append(str(refusal))
            else:
                return
        by_hand = f"get {self._file.origin} and put it at {self._file.path.absolute()}"
        raise DownloadFailed(
            f"{self._file.path.name} was not downloaded: {'; '.join(refusals)}. By hand: {by_hand}"
        )

    def _from(self, url: str, part: PartialFile) -> None:
        """Ask `url` as often as the policy allows. Raises Refused."""
        failures, furthest_bytes = 0, part.size_bytes
        while True:
            try:
                self._attempt(url, part)
            except Interrupted as interruption:
                if part.size_bytes >= furthest_bytes + self._retries.progress_bytes:
                    failures, furthest_bytes = 0, part.size_bytes
                failures += 1
                if failures >= self._retries.attempts:
                    raise Refused(f"{interruption} ({failures} attempts in vain)") from interruption
                self._pause(self._retries.delay_s(failures))
            else:
                return

    def _attempt(self, url: str, part: PartialFile) -> None:
        self._pause(0)
        from_one_response = False
        if part.size_bytes < self._file.size_bytes:
            from_one_response = transfer(
                self._client, url, part, self._file.size_bytes, lambda: self._on_chunk(part)
            )
        actual = part.sha256()
        if actual == self._file.sha256:
            return
        part.clear()
        problem = f"{without_password(url)}: sha256 is {actual}, the catalog says {self._file.sha256}"
        # A file that several responses have made may be wrong although each of them was right.
        raise Refused(problem) if from_one_response else Interrupted(f"{problem}; beginning again")

    def _on_chunk(self, part: PartialFile) -> None:
        self._on_progress(part.size_bytes, self._file.size_bytes)
        self._pause(0)

    def _pause(self, delay_s: float) -> None:
        if self._cancelled.wait(delay_s) if delay_s else self._cancelled.is_set():
            raise Cancelled(f"{self._file.path.name}: the download was stopped; what has arrived is kept")

    def _require_room(self, part: PartialFile) -> None:
        path = self._file.path.absolute()
        needed_bytes = self._file.size_bytes - part.size_bytes
        free_bytes = shutil.disk_usage(path.parent).free
        if free_bytes < needed_bytes:
            raise StorageFull(f"{path} needs {needed_bytes} bytes; the disk has {free_bytes} free")
