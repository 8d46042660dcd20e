"""What a file begins with tells a film from other files, in every container that is read."""

import io
from pathlib import Path

import av
import numpy as np
import pytest

from pixelmend.imaging.formats import SNIFF_BYTES, describe
from pixelmend.video.codecs import VIDEO_SUFFIXES
from tests.video.clips import Clip, constant_rate, make

CODECS = {
    ".webm": "libvpx-vp9",
    ".avi": "mpeg4",
    ".wmv": "wmv2",
    ".flv": "flv1",
    ".ogv": "libvpx",
    ".nut": "mpeg4",
}
ALIKE = {".m4v": ".mp4", ".3gp": ".mp4", ".m2ts": ".ts", ".mts": ".ts", ".mpeg": ".mpg"}


@pytest.mark.parametrize("suffix", VIDEO_SUFFIXES)
def test_a_film_is_told_by_its_first_bytes(tmp_path: Path, suffix: str) -> None:
    clip = Clip(constant_rate(3), codec=CODECS.get(suffix, "libx264"))
    film = make(tmp_path / f"film{suffix}", clip).read_bytes()
    seen = describe(film[:SNIFF_BYTES])
    assert seen.film_suffix == ALIKE.get(suffix, suffix), seen
    assert seen.words.startswith("a film (")


def test_a_film_of_quicktime_without_a_type_is_one(tmp_path: Path) -> None:
    film = make(tmp_path / "film.mov", Clip(constant_rate(3))).read_bytes()
    size = int.from_bytes(film[:4])
    assert film[4:8] == b"ftyp"
    assert describe(film[size:][:SNIFF_BYTES]).film_suffix == ".mov"


@pytest.mark.parametrize(
    ("container_format", "codec"),
    [("mp3", "mp3"), ("flac", "flac"), ("wav", "pcm_s16le"), ("ogg", "libopus"), ("ipod", "aac")],
)
def test_sound_is_no_film(container_format: str, codec: str) -> None:
    file = io.BytesIO()
    with av.open(file, "w", format=container_format) as container:
        stream = container.add_stream(codec, rate=48000)
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 2304), np.int16), format="s16", layout="stereo")
        frame.sample_rate = 48000
        resampler = av.AudioResampler(stream.format, stream.layout, 48000)
        for part in resampler.resample(frame):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    seen = describe(file.getvalue()[:SNIFF_BYTES])
    assert (seen.film_suffix, seen.words.startswith("a sound file (")) == (None, True), seen
