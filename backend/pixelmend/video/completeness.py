"""Whether a file that was written holds all that was written to it.

FFmpeg's muxers go on after a write has failed, and their end tells nothing of it: a full disk would leave a
film that breaks off, and be called a success.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import av
import av.error
from av.container import InputContainer

from pixelmend.core.errors import StorageFull


def require_complete(path: Path, written: Mapping[int, int]) -> None:
    """written: packets by the numbers of their streams. Raises StorageFull if the file has fewer of any."""
    found: Counter[int] = Counter()
    try:
        with av.open(f"file:{path}") as container:
            assert isinstance(container, InputContainer)
            for packet in container.demux():
                if packet.size and not packet.is_corrupt:
                    found[packet.stream.index] += 1
    except av.error.FFmpegError as error:
        raise StorageFull(f"{path.name} was not written whole: {error}") from error
    for stream, count in written.items():
        if found[stream] < count:
            has = f"{found[stream]} of {count} packets of stream {stream}"
            raise StorageFull(f"{path.name} was not written whole: it has {has}")
