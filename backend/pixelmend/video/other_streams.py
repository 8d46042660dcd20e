"""What a film has beside its pictures: sounds, subtitles, attachments, copied into the result as they are.

They come from a foreign file. What is too damaged for the result's container is left out and told of.
"""

import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import AttachmentStream, Stream
from av.subtitles.stream import SubtitleStream
from av.video.stream import VideoStream

from pixelmend.video.inspection import opened
from pixelmend.video.reading import reading_film

_MOST_BACKWARD_S = 1.0
"""A damaged time that goes further back leaves no way to tell when the packets after it belong."""

Timed: TypeAlias = "tuple[float, int, Packet[Any]]"
"""When it is decoded, the number of its stream, and it."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The seconds of the source from which its other streams are kept.

    The result begins at 0: players show nothing before the first frame, or take the wait for its length.
    """

    start_s: float
    end_s: float


def add_copies(
    old: InputContainer, new: OutputContainer, film: VideoStream, lost: list[str], damaged: frozenset[int]
) -> dict[int, Stream]:
    """A stream of the result for each one of the source that its container takes, by the source's index.

    damaged: indices of the source's streams to leave out. lost: gets a token for each that is left out.
    """
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
            if stream.index in damaged:
                raise ValueError("its packets were not taken")
            _require_taken(stream, new.format.name)
            copies[stream.index] = _add_copy(stream, new)
        except (ValueError, av.error.FFmpegError, TypeError, AttributeError, NotImplementedError):
            language = f" {stream.language}" if stream.language else ""
            lost.append(f"{stream.type}:{codec or 'unknown'}{language}")
    return copies


def _add_copy(stream: Stream, new: OutputContainer) -> Stream:
    copy = new.add_stream_from_template(stream, opaque=True)
    if stream.time_base is not None:
        copy.time_base = stream.time_base
    copy.metadata.update(stream_tags(stream))
    copy.disposition = stream.disposition
    return copy


def _require_taken(stream: Stream, muxer: str) -> None:
    """Raises one of FFmpeg's errors if a container does not take the stream: only its header shows that."""
    with av.open(io.BytesIO(), "w", format=muxer) as trial:
        trial.add_stream_from_template(stream, opaque=True)
        trial.start_encoding()


def damaged_streams(source: Path, indices: Iterable[int], muxer: str, cut: Cut | None) -> frozenset[int]:
    """Those of the source's streams whose packets a container does not even take without other streams.

    A muxer holds packets back, so its error names none: it may come with a packet of any stream.
    """
    found: set[int] = set()
    for index in indices:
        with opened(source) as old:
            try:
                with av.open(os.devnull, "w", format=muxer) as trial:
                    copies = {index: _add_copy(old.streams[index], trial)}
                    for _, _, packet in copied_packets(old, copies, cut):
                        trial.mux_one(packet)
            except av.error.FFmpegError:
                found.add(index)
    return frozenset(found)


def copied_packets(old: InputContainer, copies: dict[int, Stream], cut: Cut | None) -> Iterator[Timed]:
    """The packets of the source's streams, in their order, each for its copy. Raises CorruptVideo."""
    streams = [stream for stream in old.streams if stream.index in copies]
    if not streams:
        return
    ended: set[int] = set()
    newest: dict[int, int] = {}
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
            if packet.stream.type in ("audio", "video"):
                _keep_in_order(packet, newest)
            packet.stream = copies[index]
            yield seconds, packet.stream.index, packet


def _keep_in_order(packet: "Packet[Any]", newest: dict[int, int]) -> None:
    """newest: of each stream, when its last packet is decoded. Muxers demand that times grow, and two packets
    within one unit, or a damaged time, would end the join.
    """
    index, time_base_s = packet.stream.index, packet.time_base
    if packet.dts is None or time_base_s is None:
        return
    last = newest.get(index)
    if last is not None and packet.dts <= last and (last - packet.dts) * time_base_s <= _MOST_BACKWARD_S:
        packet.dts = last + 1
        packet.pts = packet.dts if packet.pts is None else max(packet.pts, packet.dts)
    newest[index] = packet.dts


def stream_tags(stream: Stream) -> dict[str, str]:
    """Those that are true of a copy too."""
    return {
        name: text
        for name, text in stream.metadata.items()
        if name.lower() in ("language", "title", "handler_name", "timecode", "comment")
    }
