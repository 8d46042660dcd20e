"""Decodes a film's frames as arrays of RGB, in the order in which they are shown."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import cast

import av
import av.filter
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from pixelmend.imaging.canvas import Pixels
from pixelmend.video.film import Film, Frame
from pixelmend.video.inspection import main_stream, opened
from pixelmend.video.reading import reading_film
from pixelmend.video.timeline import Timeline

SCALING = "flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp"
"""The exact ways of the scaler; its default is faster, and off by some levels in a byte."""
_TRIED_KEYS = 3


class FrameReader:
    """The frames of `timeline`, a part of the film's own.

    damaged: frames that could not be decoded, or are not there, so far. resized: frames that came in another
    size, which were brought to the film's.
    """

    def __init__(self, path: Path, film: Film, timeline: Timeline, *, deinterlace: bool) -> None:
        self._path = path
        self._film = film
        self._timeline = timeline
        self._deinterlace = deinterlace
        self._last_index = -1
        self.damaged = 0
        self.resized = 0

    def frames(self, start: int) -> Iterator[Frame]:
        """From the frame with the number `start` on. Raises CorruptVideo if the file cannot be read."""
        self._last_index = start - 1
        with reading_film():
            yield from self._frames(start)

    def _frames(self, start: int) -> Iterator[Frame]:
        first, last = self._timeline.pts[start], self._timeline.pts[-1]
        converter = _Converter(self._film, deinterlace=self._deinterlace)
        for decoded in self._decoded(first):
            if decoded.pts is not None and decoded.pts < first and not self._deinterlace:
                continue
            self.damaged += bool(decoded.is_corrupt)
            yield from self._shown(converter.convert(decoded))
            if decoded.pts is not None and decoded.pts > last:
                break
        yield from self._shown(converter.convert(None))
        self.resized += converter.resized
        self.damaged += len(self._timeline) - 1 - self._last_index

    def _shown(self, frames: Iterator[VideoFrame]) -> Iterator[Frame]:
        """Those that belong to the part; the ones between that did not come are counted."""
        for frame in frames:
            index = self._index(frame)
            if index is not None:
                self.damaged += index - self._last_index - 1
                self._last_index = index
                yield Frame(index, self._timeline.pts[index], _pixels(frame))

    def _index(self, frame: VideoFrame) -> int | None:
        """Its number, None if it is not to be shown. Frames without a time follow one another."""
        following = self._last_index + 1
        index: int | None = following
        if frame.pts is not None:
            # Filters may count in a finer base.
            time = frame.pts * (frame.time_base or self._timeline.time_base_s) / self._timeline.time_base_s
            index = self._timeline.index_of(int(time)) if time.denominator == 1 else None
        if index is None:
            return None
        return index if following <= index < len(self._timeline) else None

    def _decoded(self, first: int) -> Iterator[VideoFrame]:
        with opened(self._path) as container:
            stream = main_stream(container)
            stream.thread_type = "AUTO"
            for packet in self._packets(container, stream, first):
                try:
                    decoded = packet.decode()
                except av.error.InvalidDataError:
                    continue  # counted by the frame that does not come
                for frame in decoded:
                    if isinstance(frame, VideoFrame):
                        yield frame

    def _packets(
        self, container: InputContainer, stream: VideoStream, first: int
    ) -> "Iterator[Packet[VideoStream]]":
        """From the last key frame that is not after `first`. Not every container finds it at once, because
        some are searched by the times of decoding.
        """
        key = self._timeline.key_before(first)
        if self._deinterlace and key is not None:
            key = self._timeline.key_before(key - 1)  # a filter looks at the frame before
        for _ in range(_TRIED_KEYS):
            if key is None or key <= self._timeline.keys[0]:
                break
            container.seek(key, stream=stream, backward=True)
            packets = container.demux(stream)
            found = next((packet for packet in packets if packet.is_keyframe), None)
            time = None if found is None else found.dts if found.pts is None else found.pts
            if found is not None and time is not None and time <= first:
                yield found
                yield from packets
                return
            key = self._timeline.key_before(key - 1)
        with opened(self._path) as again:
            yield from again.demux(main_stream(again))


class _Converter:
    """Deinterlaces if it is asked to, and makes RGB of what comes."""

    def __init__(self, film: Film, *, deinterlace: bool) -> None:
        self._film = film
        self._filters = "bwdif=mode=send_frame:deint=all," if deinterlace else ""
        self._graph: av.filter.Graph | None = None
        self._made_for: tuple[str, int, int] | None = None
        self.resized = 0

    def convert(self, frame: VideoFrame | None) -> Iterator[VideoFrame]:
        """None at the end."""
        if frame is not None:
            kind = (frame.format.name, frame.width, frame.height)
            if kind != self._made_for:
                yield from self._ended()
                self._graph, self._made_for = self._new_graph(frame), kind
            self.resized += (frame.width, frame.height) != (
                self._film.header.size.width,
                self._film.header.size.height,
            )
            assert self._graph is not None
            self._graph.vpush(frame)
            yield from self._pull()
        else:
            yield from self._ended()

    def _ended(self) -> Iterator[VideoFrame]:
        if self._graph is not None:
            self._graph.vpush(None)
            yield from self._pull()
            self._graph = None

    def _pull(self) -> Iterator[VideoFrame]:
        assert self._graph is not None
        while True:
            try:
                yield self._graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return

    def _new_graph(self, frame: VideoFrame) -> av.filter.Graph:
        size, colour = self._film.header.size, self._film.colour
        base = self._film.timeline.time_base_s
        pixel_format = "rgb48le" if self._film.header.bits > 8 else "rgb24"
        matrix = "gbr" if frame.format.is_rgb else colour.matrix_name
        tags = "" if frame.format.is_rgb else f":colorspace={matrix}:range={_RANGES[colour.range_name]}"
        text = (
            f"buffer=video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}"
            f":time_base={base.numerator}/{base.denominator}{tags}"
            f",{self._filters}scale=w={size.width}:h={size.height}:{SCALING}"
        )
        if not frame.format.is_rgb:
            text += f":in_color_matrix={matrix}:in_range={colour.range_name}"
            text += f":in_chroma_loc={colour.location_name}"
        return parsed_graph(f"{text},format={pixel_format},buffersink")


_RANGES = {"full": "pc", "limited": "tv"}


def _pixels(frame: VideoFrame) -> Pixels:
    return cast("Pixels", frame.to_ndarray())


def parsed_graph(chain: str) -> av.filter.Graph:
    """A graph of filters in one row, as FFmpeg writes them, ready for frames."""
    graph = av.filter.Graph()
    nodes = []
    for link in chain.split(","):
        name, _, arguments = link.partition("=")
        nodes.append(graph.add(name, arguments or None))
    for before, after in pairwise(nodes):
        before.link_to(after)
    graph.configure()
    return graph
