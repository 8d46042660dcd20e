"""Reads a film's header and the times of its frames, without decoding more than its first frame.

Foreign code reads the file (FFmpeg's libraries), so this runs in a worker, or in a process of its own.
"""

import contextlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import av.logging
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer
from av.sidedata.sidedata import SideData
from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from pixelmend.core.errors import CorruptVideo, UnsupportedVideo
from pixelmend.core.geometry import Size
from pixelmend.imaging.formats import SNIFF_BYTES, describe, format_registry
from pixelmend.video.animation import ONE_FRAME, begins_like_animation, inspect_animation
from pixelmend.video.colour import LOCATIONS, UNSPECIFIED, ColourTags
from pixelmend.video.film import Film
from pixelmend.video.hdr import HdrMetadata, parse_display, parse_light
from pixelmend.video.header import VideoHeader, VideoLimits, check_frame_size
from pixelmend.video.reading import reading_film
from pixelmend.video.timeline import Timeline

DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2",
    "matroska,webm",
    "avi",
    "mpegts",
    "mpeg",
    "flv",
    "asf",
    "ogg",
    "mxf",
    "nut",
)
"""Containers that are read. Others, playlists above all, may name further files or addresses."""
_DYNAMIC = {
    SideDataType.DYNAMIC_HDR_PLUS: "hdr10plus-metadata",
    SideDataType.DOVI_METADATA: "dolby-vision",
    SideDataType.DOVI_RPU_BUFFER: "dolby-vision",
}
_MARKS_PACKETS = 4
"""Packets in which headers of a coded film are looked for."""


@contextmanager
def opened(path: Path) -> Iterator[InputContainer]:
    """The container at `path`. Raises UnsupportedVideo, CorruptVideo."""
    with reading_film():
        try:
            # `file:` and the lists keep a name, or what a file names, from being taken as an address.
            container = av.open(
                f"file:{path}",
                options={"protocol_whitelist": "file", "format_whitelist": ",".join(DEMUXERS)},
                metadata_errors="replace",
            )
        except (av.error.InvalidDataError, av.error.ArgumentError) as error:
            # The second is for containers that are not on the list.
            raise UnsupportedVideo(f"the file is no film that can be read: {_why(path, error)}") from error
    with container:
        yield container


def _why(path: Path, error: av.error.FFmpegError) -> str:
    with path.open("rb") as file:
        head = file.read(SNIFF_BYTES)
    if (image := format_registry().beginning_with(head)) is not None:
        return f"it is an image ({image}), and images are for the task upscale"
    foreign = describe(head)
    return f"it is {foreign.words}" if foreign.film_suffix is None else f"{error.strerror}"


def main_stream(container: InputContainer) -> VideoStream:
    """The film itself, not a cover. Raises UnsupportedVideo if there is none."""
    films = [
        stream
        for stream in container.streams.video
        if not stream.disposition & av.stream.Disposition.attached_pic
    ]
    if not films:
        kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "no streams"
        raise UnsupportedVideo(f"the file has no film in it ({kinds})")
    return films[0]


def inspect(path: Path, limits: VideoLimits | None = None) -> Film:
    """limits: of a frame's size, held before one is decoded; None for a film that was admitted.

    Raises UnsupportedVideo, CorruptVideo, VideoTooLarge.
    """
    with path.open("rb") as file:
        head = file.read(SNIFF_BYTES)
    if begins_like_animation(head):
        return inspect_animation(path, limits)
    with reading_film(), opened(path) as container:
        stream = main_stream(container)
        context = stream.codec_context
        if context is None:
            raise UnsupportedVideo("the film's codec is not known")
        if not context.width or not context.height:
            raise CorruptVideo("the film's header tells no size; it may be encrypted or cut off")
        if limits is not None:
            check_frame_size(Size(context.width, context.height), limits)
        timeline = _timeline(container, stream)
    # FFmpeg takes a still AVIF or HEIC for a film of one frame.
    if len(timeline) == 1 and format_registry().beginning_with(head) is not None:
        raise UnsupportedVideo(ONE_FRAME)
    with reading_film(), opened(path) as container:
        stream = main_stream(container)
        first = next(iter(container.decode(stream)), None)
        if first is None:
            raise CorruptVideo("no frame of the film can be decoded")
        film = _film(container, stream, timeline, first)
    return replace(film, colour=replace(film.colour, chroma_location=_chroma_location(path)))


def _film(container: InputContainer, stream: VideoStream, timeline: Timeline, first: VideoFrame) -> Film:
    context = stream.codec_context
    component = max(component.bits for component in first.format.components)
    header = VideoHeader(
        container=container.format.name,
        codec=context.codec.canonical_name,
        size=Size(context.width, context.height),
        rotation_deg=int(first.rotation) % 360,
        frames=len(timeline),
        seconds=timeline.seconds,
        bits=component,
        has_alpha=any(component.is_alpha for component in first.format.components),
        is_interlaced=first.interlaced_frame or context.field_order not in (0, 1, "progressive", "unknown"),
    )
    colour = ColourTags(
        matrix=_number(first.colorspace),
        primaries=_number(first.color_primaries),
        transfer=_number(first.color_trc),
        full_range={1: False, 2: True}.get(int(first.color_range)),
    )
    aspect = stream.sample_aspect_ratio
    return Film(
        header,
        timeline,
        colour,
        _chroma(first),
        Fraction(aspect) if aspect else None,
        hdr=_hdr(first),
    )


def _hdr(frame: VideoFrame) -> HdrMetadata | None:
    data = {one.type: bytes(one) for one in cast("Iterable[SideData]", frame.side_data)}
    display = parse_display(data.get(SideDataType.MASTERING_DISPLAY_METADATA, b""))
    light = parse_light(data.get(SideDataType.CONTENT_LIGHT_LEVEL, b""))
    dynamic = tuple(sorted({name for kind, name in _DYNAMIC.items() if kind in data}))
    hdr = HdrMetadata(display, light, dynamic)
    return None if hdr == HdrMetadata() else hdr


def _chroma(frame: VideoFrame) -> str:
    """The sampling of colour, or the next finer one that encoders have."""
    kind, side = frame.format, 64
    if kind.is_rgb or len(kind.components) < 3:
        return "444" if kind.is_rgb else "420"
    if kind.chroma_width(side) == side:
        return "444"
    return "422" if kind.chroma_height(side) == side else "420"


def _number(tag: int | None) -> int:
    return UNSPECIFIED if tag is None else int(tag)


def _timeline(container: InputContainer, stream: VideoStream) -> Timeline:
    shown: list[tuple[int, int]] = []
    keys: list[int] = []
    last = 0
    for packet in container.demux(stream):
        time = packet.dts if packet.pts is None else packet.pts
        if time is None or not packet.size:
            continue  # the end
        if packet.has_sidedata("encryption_info"):
            raise UnsupportedVideo("the film is encrypted")
        if packet.is_keyframe:
            keys.append(time)
        if not packet.is_discard:  # an edit list leaves it out, though others may be decoded with its help
            shown.append((time, packet.duration or 0))
            last = packet.duration or last
    time_base = stream.time_base or Fraction(1, 1000)
    return Timeline.of(time_base, shown, keys, last or _one_frame(stream, time_base))


def _one_frame(stream: VideoStream, time_base: Fraction) -> int:
    rate = stream.average_rate or Fraction(25)
    return max(1, round(1 / (rate * time_base)))


def _chroma_location(path: Path) -> int | None:
    """Where the film's chroma samples are, as a number of LOCATIONS; None if it does not tell.

    The bindings do not tell it, so FFmpeg's own parser of the headers prints it.
    """
    with opened(path) as container:
        stream = main_stream(container)
        if stream.codec_context.codec.canonical_name not in ("h264", "hevc"):
            return None
        level = av.logging.get_level()
        av.logging.set_level(av.logging.INFO)
        try:
            # Damaged headers may be decoded all the same; what was told before the damage counts.
            with av.logging.Capture() as lines, contextlib.suppress(av.error.FFmpegError):
                tracer = BitStreamFilterContext("trace_headers", stream)
                for number, packet in enumerate(container.demux(stream)):
                    tracer.filter(packet)
                    if number == _MARKS_PACKETS:
                        break
        finally:
            av.logging.set_level(level)
    for _, _, line in lines:
        if "chroma_sample_loc_type_top_field " in line:
            number = int(line.rsplit("=", 1)[1])
            return number if number < len(LOCATIONS) else None
    return None
