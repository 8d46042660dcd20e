"""Several files at a time; one that fails does not keep the others."""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from threading import Event

import httpx

from pixelmend.core.errors import PixelmendError
from pixelmend.models.download import OnProgress, RetryPolicy, download
from pixelmend.models.remote import RemoteFile

PARALLEL_DOWNLOADS = 3


@dataclass(frozen=True, slots=True)
class Fetched:
    """How one file ended. `fresh`: it was not there before."""

    file: RemoteFile
    fresh: bool
    error: PixelmendError | None


def fetch_all(
    files: Sequence[RemoteFile],
    client: httpx.Client,
    *,
    on_start: Callable[[RemoteFile], OnProgress],
    cancelled: Event,
    retries: RetryPolicy,
    parallel: int = PARALLEL_DOWNLOADS,
) -> Generator[Fetched]:
    """Each file as it ends. on_start: called when a file's turn comes, from the thread that downloads it.

    Closing it before the end stops the downloads; what has arrived is kept.
    """

    def one(file: RemoteFile) -> Fetched:
        try:
            fresh = download(file, client, on_progress=on_start(file), cancelled=cancelled, retries=retries)
        except PixelmendError as error:
            return Fetched(file, False, error)
        return Fetched(file, fresh, None)

    with ThreadPoolExecutor(parallel, thread_name_prefix="download") as threads:
        try:
            for future in as_completed([threads.submit(one, file) for file in files]):
                yield future.result()
        except BaseException:  # Ctrl-C, and a caller that has had enough
            cancelled.set()
            raise
