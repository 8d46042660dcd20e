"""Files of long jobs, which come to a replica before their job: they are too large for the object store."""

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pixelmend.imaging.storage import storage_errors
from pixelmend.video.parts import place_in_copy
from pixelmend.worker.cluster.transfer import resolve

GIVEN_UP_AFTER_S = 300.0
"""A file's next chunks, or its job, come in seconds, unless the service has given the job up or has ended."""
SOURCE = ""
"""The name of the job's input; what else comes is what an earlier attempt has finished of it."""


class BroughtFiles:
    """folder: for files whose job has not come. Belongs to one event loop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._changed_s: dict[str, float] = {}

    async def add(self, key: str, name: str, chunks: Sequence[Any]) -> None:
        """Append to the file of that job. Raises StorageFull and what the chunks raise."""
        folder = self._folder / key
        self._changed_s[key] = time.monotonic()
        with storage_errors(folder):
            folder.mkdir(exist_ok=True)
            path = folder / "source" if name == SOURCE else place_in_copy(folder / "finished", name)
            with path.open("ab") as file:
                for chunk in chunks:
                    file.write(await resolve(chunk))
        self._changed_s[key] = time.monotonic()

    def hand_over(self, key: str, source: Path, finished: Path) -> bool:
        """Move the job's files to these paths; False if they are not here."""
        folder = self._folder / key
        if self._changed_s.pop(key, None) is None:
            return False
        (folder / "source").rename(source)
        if (folder / "finished").is_dir():
            (folder / "finished").rename(finished)
        folder.rmdir()
        return True

    def remove_given_up(self) -> None:
        """Remove files whose job has not come in time."""
        now_s = time.monotonic()
        for key, changed_s in list(self._changed_s.items()):
            if now_s - changed_s > GIVEN_UP_AFTER_S:
                del self._changed_s[key]
                shutil.rmtree(self._folder / key, ignore_errors=True)
