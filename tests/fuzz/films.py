"""Films with damaged bytes, read as the worker reads them: header, times, all frames, and joined again."""

import tempfile
from contextlib import suppress
from fractions import Fraction
from functools import cache
from io import BytesIO
from pathlib import Path

import av.logging
from hypothesis import strategies as st
from PIL import Image

from pixelmend.core.errors import CorruptVideo, UnsupportedVideo, VideoTooLarge
from pixelmend.video.frames import FrameReader
from pixelmend.video.header import VideoLimits, check_header
from pixelmend.video.inspection import inspect
from tests.fuzz.mutations import Edit, edited, edits
from tests.video.clips import Clip, constant_rate, make, moving_square

LIMITS = VideoLimits(max_pixels=1_000_000, max_side=2000, max_frames=1000, max_s=600.0)
_REFUSALS = (CorruptVideo, UnsupportedVideo, VideoTooLarge)
_CLIPS = {
    "a.mp4": Clip(constant_rate(8), options={"bf": "2", "g": "4"}, audio=(("aac", "deu"),)),
    "b.mkv": Clip([0, 40, 100, 130, 300], codec="libvpx-vp9", audio=(("libopus", "deu"),)),
    "c.avi": Clip(constant_rate(8), Fraction(1, 25), codec="mpeg4"),
    "d.ts": Clip(constant_rate(8), Fraction(1, 90_000)),
    "e.mkv": Clip(constant_rate(4), codec="ffv1", pixel_format="yuv420p10le"),
}
_ANIMATIONS = {"f.gif": "GIF", "g.png": "PNG", "h.webp": "WEBP", "i.avif": "AVIF"}

CASES = st.tuples(st.sampled_from([*_CLIPS, *_ANIMATIONS]), edits())


@cache
def _films() -> dict[str, bytes]:
    av.logging.set_level(None)
    made: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, clip in _CLIPS.items():
            made[name] = make(Path(folder) / name, clip).read_bytes()
    frames = [Image.fromarray(moving_square(number)) for number in range(4)]
    for name, kind in _ANIMATIONS.items():
        file = BytesIO()
        frames[0].save(file, kind, save_all=True, append_images=frames[1:], duration=40)
        made[name] = file.getvalue()
    return made


def film(case: tuple[str, list[Edit]]) -> None:
    name, changes = case
    with tempfile.TemporaryDirectory() as folder, suppress(*_REFUSALS):
        path = Path(folder) / name
        path.write_bytes(edited(_films()[name], changes))
        found = inspect(path)
        check_header(found.header, LIMITS)
        reader = FrameReader(path, found, found.timeline, deinterlace=found.header.is_interlaced)
        seen = 0
        for frame in reader.frames(0):
            size = found.header.size
            assert frame.pixels.shape == (size.height, size.width, 3)
            seen += 1
        assert seen + reader.damaged >= len(found.timeline)
