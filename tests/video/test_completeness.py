"""A disk without room, of which FFmpeg's muxers tell nothing."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from pixelmend.core.errors import StorageFull
from pixelmend.video.completeness import require_complete, unreadable_streams
from tests.video.clips import Clip, constant_rate, make

# In a process of its own, which may write files of 20 KB at most.
PROGRAM = """
import resource, sys
from fractions import Fraction
from pathlib import Path
import numpy as np
from pixelmend.core.errors import StorageFull
from pixelmend.core.geometry import Size
from pixelmend.video.codecs import codec_named
from pixelmend.video.colour import ColourTags
from pixelmend.video.segments import EncodingSpec, SegmentWriter

codec, size = codec_named(sys.argv[2]), Size(96, 64)
name, _, _ = codec.pixel_format("420", 8)
spec = EncodingSpec(
    codec, codec.software, name, 90, size, size, 8, Fraction(25), Fraction(1, 1000), 0, ColourTags(),
    aspect=None, hdr=None, threads=1,
)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
random = np.random.default_rng(0)
try:
    with SegmentWriter(Path(sys.argv[1]), spec) as writer:
        for number in range(60):
            noise = random.integers(0, 255, (64, 96, 3)).astype(np.uint8)
            writer.write(noise, 40 * number, 40)
        writer.finish()
except StorageFull as error:
    print(error.message)
"""


@pytest.mark.parametrize(("codec", "suffix"), [("h264", ".mp4"), ("ffv1", ".mkv")])
def test_a_segment_that_does_not_fit_is_no_segment(tmp_path: Path, codec: str, suffix: str) -> None:
    target = tmp_path / f"segment{suffix}"
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(target), codec],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "segment" in run.stdout, run.stderr
    assert "room" in run.stdout or "was not written whole" in run.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_lacks_packets_is_told_from_a_whole_one(tmp_path: Path) -> None:
    film = make(tmp_path / "film.mkv", Clip(constant_rate(20), audio=(("libopus", "deu"),)))
    require_complete(film, {0: 20, 1: 10})
    with pytest.raises(StorageFull, match=r"it has 20 of 21 packets of stream 0"):
        require_complete(film, {0: 21})
    film.write_bytes(film.read_bytes()[: film.stat().st_size // 2])
    with pytest.raises(StorageFull, match="was not written whole"):
        require_complete(film, {0: 20})


def test_a_stream_that_cannot_be_read_is_told_from_a_full_disk(
    tmp_path: Path,
) -> None:
    film = make(tmp_path / "film.mkv", Clip(constant_rate(20), audio=(("libopus", "deu"),)))
    assert unreadable_streams(film, {0: 20, 1: 10}, own=0) == frozenset()
    assert unreadable_streams(film, {0: 20, 1: 10, 2: 5}, own=0) == {2}
    with pytest.raises(StorageFull, match="20 of 21 packets of stream 0"):
        unreadable_streams(film, {0: 21, 1: 10, 2: 5}, own=0)
    length = film.stat().st_size
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (length + 1000, limits[1]))  # as on a disk that is full
    try:
        with pytest.raises(StorageFull, match="0 of 5 packets of stream 2"):
            unreadable_streams(film, {0: 20, 1: 10, 2: 5}, own=0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
