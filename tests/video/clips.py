"""Films made by PyAV itself, for the tests: small, and unlike one another in what goes wrong elsewhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

Picture = Callable[[int], NDArray[np.uint8]]
WIDTH, HEIGHT = 96, 64


@dataclass(frozen=True, slots=True)
class Clip:
    """times: of the frames, in units of time_base_s. audio: codecs of sound tracks, with their languages."""

    times: Sequence[int]
    time_base_s: Fraction = Fraction(1, 1000)
    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    options: dict[str, str] = field(default_factory=dict)
    audio: tuple[tuple[str, str], ...] = ()
    colour: tuple[int, int, int, int] = (2, 2, 2, 0)
    """Matrix, primaries and transfer as in H.273, and FFmpeg's number of the range."""
    aspect: Fraction | None = None
    rotation_deg: int = 0
    interlaced: bool = False
    chapters: bool = False
    attachment: bytes = b""
    subtitles: bool = False


def moving_square(number: int) -> NDArray[np.uint8]:
    """A textured ground, the same in all frames, and a square that moves over it."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    ground = np.stack([rows * 3 % 256, columns * 2 % 256, (rows + columns) % 256], axis=-1).astype(np.uint8)
    left = 4 + (number * 3) % (WIDTH - 24)
    ground[20:36, left : left + 16] = (240, 40, 60)
    return ground


def still(number: int) -> NDArray[np.uint8]:
    """The same in all frames."""
    return moving_square(0)


def constant_rate(frames: int, rate: int = 25) -> list[int]:
    return [number * 1000 // rate for number in range(frames)]


def make(path: Path, clip: Clip, picture: Picture = moving_square) -> Path:
    with av.open(str(path), "w") as container:
        video = _video(container, clip)
        sounds = [_sound(container, codec, language) for codec, language in clip.audio]
        if clip.attachment:
            container.add_attachment("font.ttf", "font/ttf", clip.attachment)
        if clip.chapters:
            container.metadata["title"] = "A film"
            container.set_chapters(
                [
                    {
                        "id": 1,
                        "start": 0,
                        "end": 500,
                        "time_base": Fraction(1, 1000),
                        "metadata": {"title": "One"},
                    },
                    {
                        "id": 2,
                        "start": 500,
                        "end": 900,
                        "time_base": Fraction(1, 1000),
                        "metadata": {"title": "Two"},
                    },
                ]
            )
        if clip.rotation_deg:
            video.set_display_rotation(clip.rotation_deg)
        for number, time in enumerate(clip.times):
            frame = VideoFrame.from_ndarray(picture(number), format="rgb24")
            frame = frame.reformat(format=clip.pixel_format)
            frame.pts, frame.time_base = time, clip.time_base_s
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        seconds = float((clip.times[-1] - clip.times[0]) * clip.time_base_s) if clip.times else 1.0
        for number, sound in enumerate(sounds):
            _write_sound(container, sound, seconds, 440.0 * (number + 1))
    return path


def _video(container: OutputContainer, clip: Clip) -> VideoStream:
    # With macroblock trees, libx264's code for AVX-512 does not always make the same film of the same frames.
    steady = {"mbtree": "0"} if clip.codec == "libx264" else {}
    stream = container.add_stream(clip.codec, rate=25, options={**steady, **clip.options})
    assert isinstance(stream, VideoStream)
    stream.time_base = clip.time_base_s
    context = stream.codec_context
    context.width, context.height, context.pix_fmt = WIDTH, HEIGHT, clip.pixel_format
    context.time_base = clip.time_base_s
    context.colorspace, context.color_primaries, context.color_trc, context.color_range = clip.colour
    if clip.aspect is not None:
        context.sample_aspect_ratio = clip.aspect
    if clip.interlaced:
        context.flags |= 1 << 18 | 1 << 29
    return stream


def _sound(container: OutputContainer, codec: str, language: str) -> AudioStream:
    stream = container.add_stream(codec, rate=48_000)
    assert isinstance(stream, AudioStream)
    stream.metadata["language"] = language
    return stream


def _write_sound(container: OutputContainer, stream: AudioStream, seconds: float, hertz: float) -> None:
    rate, size = 48_000, 960
    for start in range(0, round(seconds * rate), size):
        wave = np.sin(2 * np.pi * hertz * np.arange(start, start + size) / rate).astype(np.float32) * 0.2
        frame = AudioFrame.from_ndarray(np.stack([wave, wave]), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
