"""Downloads several files at a time; one that fails does not stop the others."""

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
    """The outcome for one file. `fresh`: it was not there before."""

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
    """The outcome of each file as it ends. on_start: called by the thread that downloads the file, when it
    begins.

    Closing the generator before the end stops the downloads; what has arrived is kept.
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
        except BaseException:  # Ctrl-C, or the generator was closed
            cancelled.set()
            raise
