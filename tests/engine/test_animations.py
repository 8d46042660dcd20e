"""Animated images through the engine: what they are, their times, their transparency and their colours."""

import io
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pixelmend.core.errors import PixelmendError
from pixelmend.engine.in_process import InProcessEngine
from pixelmend.imaging.colour import Cicp, Colour
from pixelmend.imaging.colour_profile import profile_for
from pixelmend.tasks.upscale_video import AUTO
from pixelmend.video.inspection import inspect
from tests.engine.test_films import opened, pictures, task_of, times, upscaled
from tests.imaging import samples
from tests.video.clips import Clip, constant_rate, make

EXACT: dict[str, dict[str, Any]] = {
    "gif": {"disposal": 2},
    "apng": {"format": "PNG"},
    "webp": {"lossless": True},
    "avif": {"quality": 100},
}
"""By the suffix of a file: what makes Pillow write it with little or no loss."""


def animation(path: Path, **options: Any) -> Path:
    """Eight frames of a disc that moves over nothing, shown for 40 to 180 ms."""
    frames = []
    for number in range(8):
        pixels = np.zeros((48, 64, 4), np.uint8)
        rows, columns = np.mgrid[0:48, 0:64]
        inside = (rows - 24) ** 2 + (columns - 12 - 5 * number) ** 2 < 100
        pixels[inside] = (200, 60, 30, 255)
        frames.append(Image.fromarray(pixels))
    shown_ms = [40 + 20 * number for number in range(8)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=shown_ms, loop=3, **options)
    return path


@pytest.mark.parametrize("suffix", ["gif", "apng", "webp", "avif"])
def test_animations_stay_what_they_are(engine: InProcessEngine, tmp_path: Path, suffix: str) -> None:
    source = animation(tmp_path / f"film.{suffix}", **EXACT[suffix])
    target = tmp_path / f"result.{suffix}"
    report = upscaled(engine, source, target)
    assert (report.width_px, report.height_px, report.frames) == (128, 96, 8)
    with Image.open(source) as old, Image.open(target) as new:
        assert (new.format, new.size) == (old.format, (128, 96))
        assert new.info.get("loop") == (None if suffix == "avif" else 3)  # Pillow reads none from an AVIF
        for number in range(8):
            old.seek(number)
            new.seek(number)
            new.load()
            assert new.info["duration"] == 40 + 20 * number
            large = np.asarray(old.convert("RGBA").resize(new.size, Image.Resampling.NEAREST), np.float64)
            made = np.asarray(new.convert("RGBA"), np.float64)
            # The same place is opaque, in the same colour; edges may differ.
            assert np.mean(np.abs(large[..., 3] - made[..., 3])) < 8
            seen = (large[..., 3] > 250) & (made[..., 3] > 250)
            assert seen.sum() > 500
            assert np.mean(np.abs(large[seen][:, :3] - made[seen][:, :3])) < 12
    assert not (tmp_path / "parts").exists()


def test_an_animation_becomes_a_film_on_white(engine: InProcessEngine, tmp_path: Path) -> None:
    source = animation(tmp_path / "film.webp", lossless=True)
    report = upscaled(engine, source, tmp_path / "result.mp4")
    film = inspect(tmp_path / "result.mp4")
    assert report.not_kept == ("alpha",)
    starts = [sum(40 + 20 * n for n in range(number)) for number in range(8)]
    assert [round(float(time) * 1000) for time in times(film)] == starts
    with opened(tmp_path / "result.mp4") as container:
        assert container.duration == 880_000
    assert (pictures(tmp_path / "result.mp4")[0][2:8, 2:8] > 245).all()


WIDE = profile_for(Colour(cicp=Cicp(12, 13)), 3)  # Display P3
WIDE_RED, AS_SRGB = (200, 40, 30), (218, 0, 4)
KEEPS_PROFILE = ("apng", "webp", "avif")


@pytest.mark.parametrize(
    ("source", "target"),
    [(kind, kind) for kind in KEEPS_PROFILE] + [("apng", other) for other in ("webp", "avif", "gif", "mkv")],
)
def test_colours_of_animations_stay_what_they_are(
    engine: InProcessEngine, tmp_path: Path, source: str, target: str
) -> None:
    """As a profile if the result has one, else in sRGB."""
    path = tmp_path / f"film.{source}"
    frames = [Image.new("RGB", (48, 32), colour) for colour in (WIDE_RED, (0, 0, 0))]
    frames[0].save(
        path, save_all=True, append_images=frames[1:], duration=100, icc_profile=WIDE, **EXACT[source]
    )
    result = tmp_path / f"result.{target}"
    upscaled(engine, path, result, codec="ffv1" if target == "mkv" else AUTO)
    if target == "mkv":
        seen, icc = pictures(result)[0][30, 40], None
    else:
        with Image.open(result) as image:
            seen, icc = np.asarray(image.convert("RGB"))[30, 40], image.info.get("icc_profile")
    keeps = target in KEEPS_PROFILE
    assert icc == (WIDE if keeps else None)
    assert np.abs(np.subtract(seen, WIDE_RED if keeps else AS_SRGB)).max() <= 3


def test_code_points_of_an_animation_become_a_profile(engine: InProcessEngine, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (48, 32), colour) for colour in (WIDE_RED, (0, 0, 0))]
    file = io.BytesIO()
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:], duration=100)
    header, rest = file.getvalue()[:33], file.getvalue()[33:]
    (tmp_path / "film.png").write_bytes(header + samples.png_chunk(b"cICP", bytes((12, 13, 0, 1))) + rest)
    upscaled(engine, tmp_path / "film.png", tmp_path / "result.apng")
    with Image.open(tmp_path / "result.apng") as image:
        assert image.info["icc_profile"] == WIDE


def test_what_is_not_read_of_an_animation_is_named(engine: InProcessEngine, tmp_path: Path) -> None:
    exif, packet = Image.Exif(), b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
    exif[0x0110] = "a camera"
    animation(tmp_path / "film.webp", exif=exif, xmp=packet)
    assert upscaled(engine, tmp_path / "film.webp", tmp_path / "a.webp").not_kept == ("exif", "xmp")
    named = upscaled(engine, tmp_path / "film.webp", tmp_path / "a.mkv", codec="ffv1").not_kept
    assert named == ("exif", "xmp", "alpha")
    animation(tmp_path / "film.gif", comment=b"by a camera")
    assert upscaled(engine, tmp_path / "film.gif", tmp_path / "a.gif").not_kept == ("comment",)
    text = PngInfo()
    text.add_text("Title", "a picture")
    animation(tmp_path / "told.png", pnginfo=text, exif=exif)
    assert inspect(tmp_path / "told.png").not_read == ("exif", "text")
    with av.open(str(tmp_path / "deep.png"), "w", format="apng") as container:
        stream = container.add_stream("apng", rate=10)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "rgb48be"
        for value in (1000, 60000):
            frame = VideoFrame.from_ndarray(np.full((32, 48, 3), value, np.uint16), format="rgb48le")
            container.mux(stream.encode(frame.reformat(format="rgb48be")))
        container.mux(stream.encode(None))
    assert inspect(tmp_path / "deep.png").not_read == ("16-bit",)
    animation(tmp_path / "plain.apng", format="PNG")
    assert inspect(tmp_path / "plain.apng").not_read == ()


def test_images_and_films_are_no_animations(engine: InProcessEngine, tmp_path: Path) -> None:
    Image.new("RGB", (40, 40)).save(tmp_path / "image.png")
    with pytest.raises(PixelmendError, match="has one frame and is no film"):
        inspect(tmp_path / "image.png")
    source = make(tmp_path / "film.mp4", Clip(constant_rate(2)))
    with pytest.raises(PixelmendError, match="format=gif is for animated images"):
        task_of(source, tmp_path / "result.gif")
