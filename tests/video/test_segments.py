"""What encoders leave behind: no file if they cannot be opened, and no thread that runs before all others."""

import contextlib
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from pixelmend.core.geometry import Size
from pixelmend.video.codecs import CODECS, Codec, codec_named
from pixelmend.video.colour import ColourTags
from pixelmend.video.priority import usual_priority
from pixelmend.video.segments import EncodingSpec, SegmentWriter, choose_encoder

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only there do encoders change priorities")

SIZE = Size(96, 64)


def policies() -> set[int]:
    """How the threads of this process are scheduled."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(ProcessLookupError):  # it ended
            found.add(os.sched_getscheduler(int(task.name)))
    return found


def spec_of(codec: Codec, pixel_format: str) -> EncodingSpec:
    return EncodingSpec(
        codec,
        choose_encoder(codec, pixel_format, "software"),
        pixel_format,
        quality=50,
        rows=SIZE,
        size=SIZE,
        bits=8,
        rate=Fraction(25),
        time_base_s=Fraction(1, 1000),
        origin=0,
        colour=ColourTags(),
        aspect=None,
        hdr=None,
        threads=2,
    )


def test_an_encoder_that_cannot_be_opened_leaves_no_file(tmp_path: Path) -> None:
    spec = spec_of(codec_named("h264"), "yuv420p")
    impossible = replace(spec, encoder=replace(spec.encoder, options={"preset": "unknown to it"}))
    with pytest.raises(av.error.FFmpegError):
        SegmentWriter(tmp_path / "segment.mp4", impossible)
    assert list(tmp_path.iterdir()) == []


@on_linux
@pytest.mark.parametrize("codec", CODECS, ids=[codec.name for codec in CODECS])
def test_an_encoder_leaves_priorities_as_they_are(codec: Codec, tmp_path: Path) -> None:
    assert policies() == {os.SCHED_OTHER}
    spec = spec_of(codec, codec.pixel_format("420", 8)[0])
    assert policies() == {os.SCHED_OTHER}, "to try whether it works changed them"
    with SegmentWriter(tmp_path / f"segment{spec.suffix}", spec) as writer:
        for number in range(12):
            writer.write(np.full((64, 96, 3), 20 * number, np.uint8), 40 * number, 40)
            assert policies() == {os.SCHED_OTHER}
        writer.finish()
    assert policies() == {os.SCHED_OTHER}


class Bystander:
    """A thread of a policy of its own, which lasts until it is told."""

    def __init__(self, change: Callable[[], None]) -> None:
        self._may_end, is_ready = threading.Event(), threading.Event()

        def last() -> None:
            change()
            is_ready.set()
            self._may_end.wait(60)

        self._thread = threading.Thread(target=last)
        self._thread.start()
        assert is_ready.wait(60)

    @property
    def policy(self) -> int:
        assert self._thread.native_id is not None
        return os.sched_getscheduler(self._thread.native_id)

    def end(self) -> None:
        self._may_end.set()
        self._thread.join()


def to_batch() -> None:
    """What anyone may do to a thread; to be real-time takes root."""
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


@on_linux
def test_only_what_changed_within_is_changed_back() -> None:
    before = Bystander(to_batch)
    with contextlib.suppress(RuntimeError), usual_priority():
        to_batch()
        within = Bystander(to_batch)
        raise RuntimeError("priorities come back after errors, too")
    try:
        assert os.sched_getscheduler(0) == os.SCHED_OTHER
        assert within.policy == os.SCHED_OTHER
        assert before.policy == os.SCHED_BATCH
    finally:
        before.end()
        within.end()
