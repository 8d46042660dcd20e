"""Joins finished segments, and what the film had beside its pictures, to the result."""

import heapq
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path

import av
from av.container import OutputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from pixelmend.core.errors import CorruptVideo
from pixelmend.imaging.storage import storage_errors
from pixelmend.video.codecs import MUXERS
from pixelmend.video.completeness import unreadable_streams
from pixelmend.video.film import Film, FinishedSegment
from pixelmend.video.inspection import main_stream, opened
from pixelmend.video.other_streams import Cut, Timed, add_copies, copied_packets, damaged_streams, stream_tags
from pixelmend.video.timeline import Timeline, decode_times

_DROPPED_TAGS = ("major_brand", "minor_version", "compatible_brands", "encoder")


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

    Returns what the result lacks of the source's other streams; an animation has none. A stream that is too
    damaged for the container is lacking, and not a reason to lose the film. Raises StorageFull, CorruptVideo.
    """
    if not segments:
        raise CorruptVideo("no frame of the film can be decoded")
    part = target.with_name(target.name + ".part")
    damaged: frozenset[int] = frozenset()
    try:
        with storage_errors(target):
            while True:
                lost, found = _join(source, film, timeline, segments, part, container, cut, comment, damaged)
                if not found:
                    break
                damaged |= found
            with part.open("rb") as file:
                os.fsync(file.fileno())
            part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return lost


def _join(
    path: Path,
    film: Film,
    timeline: Timeline,
    segments: Sequence[FinishedSegment],
    part: Path,
    container: str,
    cut: Cut | None,
    comment: str | None,
    damaged: frozenset[int],
) -> tuple[tuple[str, ...], frozenset[int]]:
    """damaged: the source's streams to leave out.

    Returns also those that turned out damaged. If there are any, `part` is not the result.
    """
    lost: list[str] = []
    options = {"movflags": "+faststart"} if container in ("mp4", "mov") else {}
    copies: dict[int, Stream] = {}
    written: Counter[int] = Counter()
    try:
        with (
            nullcontext() if film.is_animation else opened(path) as old,
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
                copies = add_copies(old, new, source, lost, damaged)
                others = copied_packets(old, copies, cut)
                tags = {
                    name: text for name, text in old.metadata.items() if name.lower() not in _DROPPED_TAGS
                }
            new.metadata.update({"comment": comment, **tags} if comment else tags)
            if cut is None and old is not None and old.chapters():
                new.set_chapters(old.chapters())
            for _, stream, packet in heapq.merge(videos, others, key=lambda each: each[:2]):
                new.mux_one(packet)
                written[stream] += new.streams[stream].type in ("video", "audio")
    except (av.error.ArgumentError, av.error.InvalidDataError):
        found = damaged_streams(path, copies, MUXERS[container], cut)
        if not found:
            raise
        return (), found
    unreadable = unreadable_streams(part, written, own=0)
    found = frozenset(index for index, copy in copies.items() if copy.index in unreadable)
    return tuple(lost), found


def _picture_stream(
    new: OutputContainer, encoded: VideoStream, source: VideoStream | None, film: Film
) -> VideoStream:
    is_hevc = encoded.codec_context.codec.canonical_name == "hevc" and new.format.name in ("mp4", "mov")
    stream = new.add_stream_from_template(encoded, opaque=not is_hevc)
    if is_hevc:
        stream.codec_context.codec_tag = "hvc1"  # Apple's players know HEVC by this tag alone
    stream.time_base = film.timeline.time_base_s
    if source is not None:
        stream.metadata.update(stream_tags(source))
        stream.disposition = source.disposition
    if film.header.rotation_deg:
        stream.set_display_rotation(film.header.rotation_deg)
    return stream


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
