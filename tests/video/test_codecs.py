"""The table of codecs, held against the libraries that are installed."""

import pytest

from pixelmend.video.codecs import CODECS, Codec, codec_like
from pixelmend.video.segments import works


@pytest.mark.parametrize("codec", CODECS, ids=[codec.name for codec in CODECS])
def test_software_writes_every_pixel_format_of_the_table(codec: Codec) -> None:
    broken = [name for name in codec.pixel_formats.values() if not works(codec.software, name)]
    assert broken == []


@pytest.mark.parametrize(
    ("source", "bits", "codec"),
    [
        ("vp9", 8, "vp9"),
        ("vp9", 10, "av1"),
        ("hevc", 12, "hevc"),
        ("mpeg2video", 8, "h264"),
        ("av1", 12, "av1"),
    ],
)
def test_a_film_keeps_its_codec_unless_that_takes_its_depth(source: str, bits: int, codec: str) -> None:
    assert codec_like(source, bits).name == codec
