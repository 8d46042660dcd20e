"""Encodes segments of a film, each a file of its own that is complete or absent."""

import contextlib
import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from pixelmend.core.errors import InvalidParameter
from pixelmend.core.geometry import Size
from pixelmend.imaging.canvas import Pixels
from pixelmend.imaging.storage import storage_errors
from pixelmend.video.codecs import Codec, Encoder
from pixelmend.video.colour import ColourTags
from pixelmend.video.completeness import require_complete
from pixelmend.video.frames import SCALING, parsed_graph
from pixelmend.video.hdr import PARAMETERS, HdrMetadata
from pixelmend.video.priority import usual_priority

LEAD_S = 10
"""Times in a segment begin so much later than in the film, so that none is negative: fragments cannot be."""
_PROBED = Size(256, 256)


@dataclass(frozen=True, slots=True)
class EncodingSpec:
    """rows: the size of frames that come. size: of frames that are written. bits: of a sample that comes, 8
    or 16. origin: the time of the film's first frame. aspect: of a pixel, None if the film does not tell.
    """

    codec: Codec
    encoder: Encoder
    pixel_format: str
    quality: int
    rows: Size
    size: Size
    bits: int
    rate: Fraction
    time_base_s: Fraction
    origin: int
    colour: ColourTags
    aspect: Fraction | None
    hdr: HdrMetadata | None
    threads: int

    @property
    def suffix(self) -> str:
        """Fragments of MP4 are what browsers play; Matroska takes every codec. It rounds times, which are
        kept beside it.
        """
        return ".mp4" if self.codec.plays else ".mkv"

    @property
    def lead(self) -> int:
        return round(LEAD_S / self.time_base_s)


class SegmentWriter:
    """Writes `path` as `.part`; `finish` renames it. Without `finish` nothing is left.

    pts: the times of its frames in the film, in the order in which their packets lie in the file.
    """

    def __init__(self, path: Path, spec: EncodingSpec) -> None:
        self.path = path
        self.pts: list[int] = []
        self._part = path.with_name(path.name + ".part")
        self._spec = spec
        self._finished = False
        muxer = "mp4" if spec.suffix == ".mp4" else "matroska"
        options = {"movflags": "empty_moov+default_base_moof+frag_keyframe+frag_discont"}
        self._graph = parsed_graph(_chain(spec))
        with storage_errors(path):
            self._container = av.open(
                f"file:{self._part}", "w", format=muxer, options=options if muxer == "mp4" else {}
            )
            self._stream = _add_stream(self._container, spec)
            # Otherwise the first frame opens it. The file is not made before the first packet.
            with usual_priority():
                self._stream.codec_context.open()

    def write(self, pixels: Pixels, pts: int, duration: int) -> None:
        """Raises StorageFull."""
        frame = VideoFrame.from_ndarray(
            cast("Any", np.ascontiguousarray(pixels)),
            format="rgb24" if pixels.dtype == np.uint8 else "rgb48le",
        )
        frame.pts, frame.time_base = pts - self._spec.origin + self._spec.lead, self._spec.time_base_s
        self._graph.vpush(frame)
        converted = self._graph.vpull()
        converted.pts, converted.time_base = frame.pts, frame.time_base
        converted.duration = duration
        converted.pict_type = 0
        with storage_errors(self.path):
            self._mux(converted)

    def finish(self) -> None:
        """Complete the file and keep it through a power cut. Raises StorageFull."""
        with storage_errors(self.path):
            self._mux(None)
            self._container.close()
            require_complete(self._part, {0: len(self.pts)})
            with self._part.open("rb") as file:
                os.fsync(file.fileno())
            self._part.replace(self.path)
        self._finished = True

    def _mux(self, frame: VideoFrame | None) -> None:
        """None at the end. The muxer changes times, so they are noted before."""
        for packet in self._stream.encode(frame):
            assert packet.pts is not None, "encoders tell when a picture is shown"
            self.pts.append(packet.pts - self._spec.lead + self._spec.origin)
            self._container.mux_one(packet)

    def __enter__(self) -> "SegmentWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._finished:
            with contextlib.suppress(av.error.FFmpegError):
                self._container.close()
            self._part.unlink(missing_ok=True)


def works(encoder: Encoder, pixel_format: str) -> bool:
    """Whether the encoder encodes a small picture here: a driver may be missing though FFmpeg lists it."""
    try:
        context = av.CodecContext.create(encoder.name, "w")
        assert isinstance(context, VideoCodecContext)
        context.width, context.height, context.pix_fmt = _PROBED.width, _PROBED.height, pixel_format
        context.time_base = Fraction(1, 25)
        context.framerate = Fraction(25)
        context.options = encoder.settings(50)
        frame = VideoFrame(_PROBED.width, _PROBED.height, pixel_format)
        frame.pts = 0
        with usual_priority():
            context.open()
        context.encode(frame)
        context.encode(None)
    except (av.error.FFmpegError, ValueError, OSError):
        return False
    return True


def choose_encoder(codec: Codec, pixel_format: str, wish: str) -> Encoder:
    """wish: "auto" (hardware that works, else software), "software" or "hardware".

    Raises InvalidParameter if there is none.
    """
    os.environ.setdefault("SVT_LOG", "1")  # SVT-AV1 writes pages to the standard error otherwise
    if wish != "software":
        for encoder in codec.hardware:
            if works(encoder, pixel_format):
                return encoder
        if wish == "hardware":
            tried = ", ".join(each.name for each in codec.hardware) or "none is known"
            raise InvalidParameter(
                f"encoder=hardware: no hardware encoder for {codec.title} works here ({tried})"
            )
    if not works(codec.software, pixel_format):
        raise InvalidParameter(f"codec={codec.name}: {codec.software.name} does not work here")
    return codec.software


def _add_stream(container: av.container.OutputContainer, spec: EncodingSpec) -> VideoStream:
    stream = container.add_stream(spec.encoder.name, rate=spec.rate, options=_encoder_options(spec))
    assert isinstance(stream, VideoStream)
    stream.time_base = spec.time_base_s
    context, colour = stream.codec_context, spec.colour
    context.width, context.height = spec.size.width, spec.size.height
    context.pix_fmt = spec.pixel_format
    context.time_base = spec.time_base_s
    context.thread_count = spec.threads
    context.color_range = 0 if colour.full_range is None else 2 if colour.full_range else 1
    context.colorspace = colour.matrix
    context.color_primaries = colour.primaries
    context.color_trc = colour.transfer
    if spec.codec.name == "hevc" and spec.suffix == ".mp4":
        context.codec_tag = "hvc1"  # Apple's players know HEVC by this tag alone
    if spec.aspect is not None:
        context.sample_aspect_ratio = spec.aspect
    return stream


def _encoder_options(spec: EncodingSpec) -> dict[str, str]:
    options = spec.encoder.settings(spec.quality)
    name, location = spec.encoder.name, spec.colour.chroma_location
    told = []
    if location is not None and "420" in spec.pixel_format and name in ("libx264", "libx265"):
        told.append(f"chromaloc={location}")
    if spec.hdr is not None and name in PARAMETERS:
        told += spec.hdr.parameters(name)
    if told:
        key = PARAMETERS[name]
        options[key] = ":".join(filter(None, (options.get(key), *told)))
    return options


def _chain(spec: EncodingSpec) -> str:
    colour, size = spec.colour, spec.size
    incoming = "rgb24" if spec.bits == 8 else "rgb48le"
    matrix = colour.matrix_name
    return (
        f"buffer=video_size={spec.rows.width}x{spec.rows.height}:pix_fmt={incoming}"
        f":time_base={spec.time_base_s.numerator}/{spec.time_base_s.denominator}"
        f":colorspace=gbr:range=pc"
        f",scale=w={size.width}:h={size.height}:{SCALING.replace('bicubic', 'lanczos')}"
        f":out_color_matrix={matrix}:out_range={colour.range_name}:out_chroma_loc={colour.location_name}"
        f",format={spec.pixel_format},buffersink"
    )
