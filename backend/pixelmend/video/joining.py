"""Joins finished segments, and what the film had beside its pictures, to the result."""

import heapq
import io
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import AttachmentStream, Stream
from av.subtitles.stream import SubtitleStream
from av.video.stream import VideoStream

from pixelmend.core.errors import CorruptVideo
from pixelmend.imaging.storage import storage_errors
from pixelmend.video.codecs import MUXERS
from pixelmend.video.completeness import require_complete
from pixelmend.video.film import Film, FinishedSegment
from pixelmend.video.inspection import main_stream, opened
from pixelmend.video.reading import reading_film
from pixelmend.video.timeline import Timeline, decode_times

_DROPPED_TAGS = ("major_brand", "minor_version", "compatible_brands", "encoder")


@dataclass(frozen=True, slots=True)
class Cut:
    """The seconds of the source from which its other streams are kept.

    The result begins at 0: players show nothing before the first frame, or take the wait for its length.
    """

    start_s: float
    end_s: float


def join(
    source: Path,
    film: Film,
    timeline: Timeline,
    segments: Sequence[FinishedSegment],
    target: Path,
    container: str,
    cut: Cut | None = None,
    comment: str | None = None,
) -> tuple[str, ...]:
    """Write `target`, complete or not at all. container: a name of CONTAINERS. cut: for a part of the film.
    comment: a tag of the result, unless the film has one.

    Returns what the result lacks of the source's other streams; an animation has none. Raises StorageFull,
    CorruptVideo.
    """
    if not segments:
        raise CorruptVideo("no frame of the film can be decoded")
    part = target.with_name(target.name + ".part")
    try:
        with storage_errors(target), ExitStack() as resources:
            old = None if film.is_animation else resources.enter_context(opened(source))
            lost, written = _join(old, film, timeline, segments, part, container, cut, comment)
            require_complete(part, written)
            with part.open("rb") as file:
                os.fsync(file.fileno())
            part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return lost


def _join(
    old: InputContainer | None,
    film: Film,
    timeline: Timeline,
    segments: Sequence[FinishedSegment],
    part: Path,
    container: str,
    cut: Cut | None,
    comment: str | None,
) -> tuple[tuple[str, ...], Counter[int]]:
    """Also how many packets of which stream were written, of those whose packets muxers leave as they are."""
    lost: list[str] = []
    options = {"movflags": "+faststart"} if container in ("mp4", "mov") else {}
    with (
        av.open(f"file:{segments[0].path}") as first,
        av.open(f"file:{part}", "w", format=MUXERS[container], options=options) as new,
    ):
        source = None if old is None else main_stream(old)
        picture = _picture_stream(new, first.streams.video[0], source, film)
        first_pts = 0 if cut is None else timeline.pts[0]
        videos = _pictures(
            segments, timeline, picture, by_decoding=container in ("mp4", "mov"), first_pts=first_pts
        )
        others: Iterator[Timed] = iter(())
        tags: dict[str, str] = {}
        if old is not None and source is not None:
            others = _copied(old, _copies(old, new, source, lost), cut)
            tags = {name: text for name, text in old.metadata.items() if name.lower() not in _DROPPED_TAGS}
        new.metadata.update({"comment": comment, **tags} if comment else tags)
        if cut is None and old is not None and old.chapters():
            new.set_chapters(old.chapters())
        written: Counter[int] = Counter()
        for _, stream, packet in heapq.merge(videos, others, key=lambda each: each[:2]):
            new.mux_one(packet)
            written[stream] += new.streams[stream].type in ("video", "audio")
    return tuple(lost), written


def _picture_stream(
    new: OutputContainer, encoded: VideoStream, source: VideoStream | None, film: Film
) -> VideoStream:
    is_hevc = encoded.codec_context.codec.canonical_name == "hevc" and new.format.name in ("mp4", "mov")
    stream = new.add_stream_from_template(encoded, opaque=not is_hevc)
    if is_hevc:
        stream.codec_context.codec_tag = "hvc1"  # Apple's players know HEVC by this tag alone
    stream.time_base = film.timeline.time_base_s
    if source is not None:
        stream.metadata.update(_stream_tags(source))
        stream.disposition = source.disposition
    if film.header.rotation_deg:
        stream.set_display_rotation(film.header.rotation_deg)
    return stream


def _stream_tags(stream: Stream) -> dict[str, str]:
    return {
        name: text
        for name, text in stream.metadata.items()
        if name.lower() in ("language", "title", "handler_name", "timecode", "comment")
    }


def _copies(
    old: InputContainer, new: OutputContainer, film: VideoStream, lost: list[str]
) -> dict[int, Stream]:
    """A stream of the result for each one of the source that its container takes, by the source's index."""
    copies: dict[int, Stream] = {}
    for stream in old.streams:
        if stream.index == film.index or (stream.type == "data" and old.chapters()):
            continue  # MP4 keeps its chapters in such a stream, and the result gets one of its own
        codec = "" if stream.codec_context is None else stream.codec_context.codec.canonical_name
        try:
            if isinstance(stream, AttachmentStream) and new.format.name == "matroska":
                kind = stream.mimetype or "application/octet-stream"
                new.add_attachment(stream.name or "attachment", kind, stream.data)
                continue
            _require_taken(stream, new.format.name)
            copy = new.add_stream_from_template(stream, opaque=True)
        except (ValueError, av.error.FFmpegError, TypeError, AttributeError, NotImplementedError):
            language = f" {stream.language}" if stream.language else ""
            lost.append(f"{stream.type}:{codec or 'unknown'}{language}")
            continue
        if stream.time_base is not None:
            copy.time_base = stream.time_base
        copy.metadata.update(_stream_tags(stream))
        copy.disposition = stream.disposition
        copies[stream.index] = copy
    return copies


def _require_taken(stream: Stream, muxer: str) -> None:
    """Raises one of FFmpeg's errors if a container does not take the stream: only its header shows that."""
    with av.open(io.BytesIO(), "w", format=muxer) as trial:
        trial.add_stream_from_template(stream, opaque=True)
        trial.start_encoding()


Timed: TypeAlias = "tuple[float, int, Packet[Any]]"
"""When it is decoded, the number of its stream, and it."""


def _pictures(
    segments: Sequence[FinishedSegment],
    timeline: Timeline,
    stream: VideoStream,
    *,
    by_decoding: bool,
    first_pts: int,
) -> Iterator[Timed]:
    """first_pts: what becomes 0."""
    times = _picture_times(segments, timeline, by_decoding=by_decoding)
    for segment in segments:
        with av.open(f"file:{segment.path}") as container:
            for packet in container.demux(container.streams.video[0]):
                if not packet.size:
                    continue
                row = next(times, None)
                if row is None:
                    raise CorruptVideo("a segment has more pictures than were encoded")
                pts, dts, packet.duration = row
                packet.pts, packet.dts = pts - first_pts, dts - first_pts
                packet.time_base = timeline.time_base_s
                packet.stream = stream
                yield float(packet.dts * timeline.time_base_s), stream.index, packet
    if next(times, None) is not None:
        raise CorruptVideo("a segment has fewer pictures than were encoded")


def _picture_times(
    segments: Sequence[FinishedSegment], timeline: Timeline, *, by_decoding: bool
) -> Iterator[tuple[int, int, int]]:
    """When each packet of all segments is shown and decoded, and how long it is shown, in their order.

    by_decoding: as MP4 counts, in which a track is as long as its packets in the order of decoding.
    """
    pts = [time for segment in segments for time in segment.pts]
    shown, decoded = sorted(pts), decode_times(pts)
    last = timeline.index_of(shown[-1])
    end = shown[-1] + (0 if last is None else timeline.durations[last])
    durations = {time: after - time for time, after in zip(shown, [*shown[1:], end], strict=True)}
    lengths = [durations[time] for time in pts]
    if by_decoding:
        lengths[-1] = max(1, end - shown[0] - (decoded[-1] - decoded[0]))
    return zip(pts, decoded, lengths, strict=True)


def _copied(old: InputContainer, copies: dict[int, Stream], cut: Cut | None) -> Iterator[Timed]:
    streams = [stream for stream in old.streams if stream.index in copies]
    if not streams:
        return
    ended: set[int] = set()
    with reading_film("the film's other streams"):
        for packet in old.demux(streams):
            if not packet.size and not isinstance(packet.stream, SubtitleStream):
                continue
            time = packet.dts if packet.dts is not None else packet.pts
            if time is None or packet.time_base is None:
                continue
            seconds = float(time * packet.time_base)
            if cut is not None:
                if seconds >= cut.end_s:
                    ended.add(packet.stream.index)
                    if len(ended) == len(streams):
                        return  # the rest of a long film need not be read
                if not cut.start_s <= seconds < cut.end_s:
                    continue
                shift = round(cut.start_s / packet.time_base)
                packet.pts = None if packet.pts is None else packet.pts - shift
                packet.dts = None if packet.dts is None else packet.dts - shift
                seconds -= cut.start_s
            index = packet.stream.index
            packet.stream = copies[index]
            yield seconds, packet.stream.index, packet
