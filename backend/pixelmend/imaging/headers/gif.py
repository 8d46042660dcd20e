"""GIF header: the screen, the first frame's place in it, and whether a second frame follows."""

import struct
from collections.abc import Iterator

from pixelmend.core.errors import CorruptImage
from pixelmend.imaging.headers.fields import MAX_SEGMENTS, HeaderFields, checked_size

EXTENSION, IMAGE = 0x21, 0x2C
COMMENT, APPLICATION, _GRAPHIC_CONTROL = 0xFE, 0xFF, 0xF9
SQUARE_PIXELS = 49
"""The aspect is (this byte of the screen + 15) / 64; 0 says nothing."""
# 255 bytes each: enough for 500 MB, yet walked in a fraction of a second
_MAX_BLOCKS = 2_000_000


def read(data: bytes) -> HeaderFields:
    """Read the header of a GIF file. `frames` is 1, or 2 for "more than one".

    Raises CorruptImage, struct.error if bytes are missing.
    """
    width, height = struct.unpack_from("<HH", data, 6)
    size = checked_size(width, height)
    frames, transparent = 0, False
    for kind, position in blocks(data):
        if kind == IMAGE:
            frames += 1
            if frames == 2:
                break
            frame_width, frame_height = struct.unpack_from("<HH", data, position + 5)
            checked_size(frame_width, frame_height)
        elif data[position + 1] == _GRAPHIC_CONTROL and frames == 0:
            transparent = bool(data[position + 3] & 1)
    if frames == 0:
        raise CorruptImage("the GIF holds no frame")
    return HeaderFields(size=size, has_alpha=transparent, frames=frames)


def blocks(data: bytes) -> Iterator[tuple[int, int]]:
    """Kind (EXTENSION or IMAGE) and position of each block, up to the trailer or the first other byte.

    Raises CorruptImage for more than `MAX_SEGMENTS`, struct.error and IndexError if bytes are missing.
    """
    position = 13 + _table_bytes(data[10])
    for _ in range(MAX_SEGMENTS):
        # Junk behind the last frame is common, and decoders stop there too.
        if position >= len(data) or data[position] not in (EXTENSION, IMAGE):
            return
        yield data[position], position
        if data[position] == EXTENSION:
            position = _skip_blocks(data, position + 2)
        else:
            flags: int = struct.unpack_from("<HHHHB", data, position + 1)[4]
            # Behind the descriptor there is an optional colour table, then the LZW code size in one byte.
            position = _skip_blocks(data, position + 10 + _table_bytes(flags) + 1)
    raise CorruptImage(f"the GIF has more than {MAX_SEGMENTS} extensions")


def _table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _skip_blocks(data: bytes, position: int) -> int:
    """Position behind the chain of length-prefixed blocks at `position` (the file's end if cut off)."""
    for _ in range(_MAX_BLOCKS):
        if position >= len(data) or data[position] == 0:
            return position + 1
        position += 1 + data[position]
    raise CorruptImage(f"a GIF data stream has more than {_MAX_BLOCKS} blocks")
