"""Encoders that hold a whole image: one at a time where there is memory for one."""

import threading
from pathlib import Path

import numpy as np
import pytest

from pixelmend.core.errors import Cancelled, HostMemoryError, OutputTooLarge
from pixelmend.core.geometry import Size
from pixelmend.engine.devices.memory import MemoryReading
from pixelmend.engine.encoder_memory import Encoders
from pixelmend.imaging.formats import AVIF, JPEG, PNG, WEBP, Format, OutputSpec
from pixelmend.imaging.metadata import Metadata
from pixelmend.imaging.writers import ImageWriter

SIZE = Size(1000, 1000)
AVIF_BYTES = 20_000_000


def encoders(capacity_bytes: int = 10**9, free_bytes: int = 30_000_000) -> Encoders:
    return Encoders(lambda: MemoryReading(capacity_bytes, free_bytes, 0))


def opened(encoders: Encoders, path: Path, output: Format = AVIF, *, cancelled: bool = False) -> ImageWriter:
    def raise_if_cancelled() -> None:
        if cancelled:
            raise Cancelled("it was")

    spec = OutputSpec(output, SIZE, 3, 8)
    return encoders.open_writer(path, spec, Metadata(), threads=1, raise_if_cancelled=raise_if_cancelled)


def test_what_never_fits_is_refused_before_anything_begins(tmp_path: Path) -> None:
    small = encoders(capacity_bytes=15_000_000)
    with pytest.raises(OutputTooLarge, match=r"encoding 1000x1000 px as avif takes 19 MB, .* has 14 MB"):
        opened(small, tmp_path / "a")
    opened(small, tmp_path / "b", WEBP).abort()
    opened(small, tmp_path / "c", JPEG).abort()


def test_what_does_not_fit_now_may_be_tried_again(tmp_path: Path) -> None:
    with pytest.raises(HostMemoryError, match="takes 19 MB, and 17 MB are to be had now") as refused:
        opened(encoders(free_bytes=20_000_000), tmp_path / "a")
    assert refused.value.retryable
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("end", ["finish", "abort"])
def test_second_waits_for_the_first_whichever_way_it_ends(tmp_path: Path, end: str) -> None:
    room = encoders()
    first = opened(room, tmp_path / "a")
    with pytest.raises(Cancelled):
        opened(room, tmp_path / "b", cancelled=True)
    begun = threading.Event()

    def second() -> None:
        writer = opened(room, tmp_path / "b")
        begun.set()
        writer.abort()

    thread = threading.Thread(target=second)
    thread.start()
    assert not begun.wait(0.3)
    opened(room, tmp_path / "c", PNG).abort()  # which needs next to nothing
    if end == "finish":
        first.write_rows(np.zeros((1000, 1000, 3), np.uint8))
        first.finish()
        assert (tmp_path / "a").stat().st_size > 0
    else:
        first.abort()
    thread.join(60)
    assert begun.is_set()
