"""Whether a file that was written holds all that was written to it.

FFmpeg's muxers go on after a write has failed, and their end tells nothing of it: a full disk would leave a
film that breaks off, and be called a success.
"""

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import av
import av.error
from av.container import InputContainer

from pixelmend.core.errors import StorageFull

_ROOM_BYTES = 1 << 20
"""A disk that was full a moment ago does not take this much."""


def require_complete(path: Path, written: Mapping[int, int]) -> None:
    """written: packets by the numbers of their streams. Raises StorageFull if the file has fewer of any."""
    _refuse(path, written, _packets(path))


def unreadable_streams(path: Path, written: Mapping[int, int], own: int) -> frozenset[int]:
    """The streams of which the file gives fewer packets than were written, although the disk has room.

    The muxer took their packets under a header that demuxers do not understand, because they were damaged in
    the film. own: the stream that we encoded, which is not damaged. Raises StorageFull.
    """
    found = _packets(path)
    short = frozenset(stream for stream, count in written.items() if found[stream] < count)
    if own in short or (short and not _can_grow(path)):
        _refuse(path, written, found)
    return short


def _refuse(path: Path, written: Mapping[int, int], found: Mapping[int, int]) -> None:
    for stream, count in written.items():
        if found[stream] < count:
            has = f"{found[stream]} of {count} packets of stream {stream}"
            raise StorageFull(f"{path.name} was not written whole: it has {has}")


def _can_grow(path: Path) -> bool:
    """Whether the disk takes more of the file, which is longer afterwards."""
    try:
        with path.open("ab") as file:
            file.write(bytes(_ROOM_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        return False
    return True


def _packets(path: Path) -> Counter[int]:
    """By the numbers of their streams. Raises StorageFull if the file cannot be read."""
    found: Counter[int] = Counter()
    try:
        with av.open(f"file:{path}") as container:
            assert isinstance(container, InputContainer)
            for packet in container.demux():
                if packet.size and not packet.is_corrupt:
                    found[packet.stream.index] += 1
    except av.error.FFmpegError as error:
        raise StorageFull(f"{path.name} was not written whole: {error}") from error
    return found
