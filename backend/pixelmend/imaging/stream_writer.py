"""A writer whose encoder runs while the rows arrive, in a thread of its own and in bounded memory."""

import atexit
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

import pyvips

from pixelmend.core.errors import InternalError
from pixelmend.core.geometry import Size
from pixelmend.imaging.row_stream import RowStream
from pixelmend.imaging.vips import Pixels, reason


class StreamWriter:
    """Hands rows to `save` through a bounded stream; `write_rows` waits while `save` is behind.

    `save` runs in another thread: it gets the rows as an image that can be read once from top to
    bottom, puts the file in its place when it has read them all, and leaves nothing when it fails. It
    gets the last rows not before `finish`.
    """

    def __init__(self, source: Size, channels: int, bits: int, save: Callable[[pyvips.Image], None]) -> None:
        """source, channels, bits: of the rows."""
        self._stream = RowStream(source, channels, bits)
        self._saved = threading.Event()
        # A daemon, so that the interpreter does not wait for it when it exits: it would wait for rows.
        self._thread = threading.Thread(
            target=_run, args=(self._stream, save, self._saved), name="encoder", daemon=True
        )
        self._thread.start()
        atexit.register(self.abort)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()

    def write_rows(self, rows: Pixels) -> None:
        """Append rows (h, W, C); they are copied.

        Raises ValueError on a wrong shape, dtype or too many rows; what the encoder failed with.
        """
        self._stream.write(rows)

    def finish(self) -> None:
        """Wait until `save` has returned.

        Raises ValueError if rows are missing, or another thread aborted meanwhile; what the encoder
        failed with. Nothing is left then.
        """
        try:
            self._stream.complete()
            self._thread.join()
            if not self._saved.is_set():
                self._stream.require_open()
        finally:
            self.abort()

    def abort(self) -> None:
        """End the encoder and wait for its thread, from any thread; does nothing after `finish`.

        While another thread is in `finish`, the file is absent or complete afterwards, as that one says.
        """
        self._stream.abort()
        self._thread.join()
        atexit.unregister(self.abort)


def _run(stream: RowStream, save: Callable[[pyvips.Image], None], saved: threading.Event) -> None:
    try:
        save(stream.image())
        saved.set()
    except pyvips.Error as error:
        failure = InternalError(f"encoding failed: {reason(error)}")
        failure.__cause__ = error
        stream.fail(failure)
    except BaseException as error:
        stream.fail(error)
