"""HEIC and AVIF headers, which are read in Python: against libheif and libavif, and on files made to hurt."""

import random
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest

from pixelmend.core.errors import CorruptImage, PixelmendError
from pixelmend.core.geometry import Size
from pixelmend.imaging.headers.heif import HeifDetails, read
from tests.imaging import samples


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full_box(kind: bytes, version: int, *parts: bytes) -> bytes:
    return box(kind, struct.pack(">I", version << 24), *parts)


def size_box(width: int, height: int) -> bytes:
    return full_box(b"ispe", 0, struct.pack(">II", width, height))


def file_of(
    properties: list[bytes],
    *,
    extra_items: list[tuple[int, bytes]] | None = None,
    locations: bytes = b"",
    references: bytes = b"",
    payload: bytes = b"",
) -> bytes:
    """A file whose picture, item 1, has all `properties`; `locations` is the body of its iloc box."""
    items = [(1, b"av01"), *(extra_items or [])]
    entries = b"".join(full_box(b"infe", 2, struct.pack(">HH4sx", number, 0, kind)) for number, kind in items)
    associations = struct.pack(">IHB", 1, 1, len(properties)) + bytes(range(1, len(properties) + 1))
    meta = full_box(
        b"meta",
        0,
        full_box(b"pitm", 0, struct.pack(">H", 1)),
        full_box(b"iinf", 0, struct.pack(">H", len(items)), entries),
        box(b"iprp", box(b"ipco", *properties), full_box(b"ipma", 0, associations)),
        *([full_box(b"iloc", 0, locations)] if locations else []),
        *([full_box(b"iref", 0, references)] if references else []),
    )
    return box(b"ftyp", b"avif\0\0\0\0avifmif1") + meta + box(b"mdat", payload)


def shared(count: int, length: int) -> bytes:
    """The body of an iloc box in which items 2.. all have the same bytes."""
    entries = b"".join(struct.pack(">HHHII", number, 0, 1, 100, length) for number in range(2, 2 + count))
    return struct.pack(">BBH", 0x44, 0x00, count) + entries


def test_metadata_that_shares_its_bytes_is_refused_cheaply() -> None:
    """libheif makes a copy for each: 400 of them of 5 MB took 3 to 4 GB."""
    metadata = [(number, b"Exif") for number in range(2, 402)]
    data = file_of(
        [size_box(64, 48)], extra_items=metadata, locations=shared(400, 5_000_000), payload=bytes(5_000_000)
    )
    tracemalloc.start()
    try:
        with pytest.raises(CorruptImage, match="metadata claims 2000000000 bytes"):
            read(data)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_metadata_within_the_file_is_fine() -> None:
    data = file_of(
        [size_box(64, 48)], extra_items=[(2, b"Exif")], locations=shared(1, 1000), payload=bytes(2000)
    )
    assert read(data).size == Size(64, 48)


def test_a_length_of_zero_counts_as_the_whole_file() -> None:
    metadata = [(2, b"Exif"), (3, b"mime")]
    with pytest.raises(CorruptImage, match="metadata claims"):
        read(file_of([size_box(64, 48)], extra_items=metadata, locations=shared(2, 0)))


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ([size_box(64, 48), box(b"irot", b"\1")], Size(48, 64)),
        ([size_box(64, 48), box(b"irot", b"\2")], Size(64, 48)),
        ([size_box(64, 48), box(b"clap", struct.pack(">8I", 40, 1, 30, 1, 0, 1, 0, 1))], Size(40, 30)),
        (
            [
                size_box(64, 48),
                box(b"clap", struct.pack(">8I", 40, 1, 30, 1, 0, 1, 0, 1)),
                box(b"irot", b"\3"),
            ],
            Size(30, 40),
        ),
    ],
)
def test_turns_and_crops_apply_in_their_order(properties: list[bytes], expected: Size) -> None:
    assert read(file_of(properties)).size == expected


@pytest.mark.parametrize(
    "properties",
    [
        [],
        [size_box(0, 48)],
        [size_box(64, 48), box(b"clap", struct.pack(">8I", 40, 0, 30, 1, 0, 1, 0, 1))],
        [size_box(64, 48), box(b"clap", struct.pack(">IIIIiIiI", 40, 1, 30, 1, 500, 1, 0, 1))],
    ],
)
def test_impossible_properties_are_corrupt(properties: list[bytes]) -> None:
    with pytest.raises(CorruptImage):
        read(file_of(properties))


def test_a_grid_that_is_made_of_itself_ends() -> None:
    """Without a depth of its own it asks its first tile, which is itself."""
    loop = box(b"dimg", struct.pack(">HHH", 1, 1, 1))
    fields = read(file_of([size_box(64, 48)], references=loop))
    assert (fields.bits, fields.grey) == (8, False)


@pytest.mark.parametrize("bits", [8, 10, 12])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_heics_are_read_as_libheif_reads_them(tmp_path: Path, mode: str, bits: int) -> None:
    deep = {"L": "I;16", "RGB": "RGB;16", "RGBA": "RGBA;16"}[mode]
    channels = {"L": 1, "RGB": 3, "RGBA": 4}[mode]
    pixels: Any = samples.noise(48, 64, channels, bits=16 if bits > 8 else 8)
    path = tmp_path / "file.heic"
    kind = deep if bits > 8 else mode
    image = pillow_heif.from_bytes(kind, (64, 48), np.ascontiguousarray(pixels).tobytes())
    image.save(path, save_to_12bit=bits == 12)
    fields = read(path.read_bytes())
    reference = pillow_heif.open_heif(path, convert_hdr_to_8bit=False)
    assert fields.size == Size(*reference.size)
    assert fields.bits == (16 if reference.info["bit_depth"] > 8 else 8)
    assert fields.has_alpha == reference.has_alpha
    assert fields.grey == (mode == "L")


def test_several_pictures_are_counted_and_helpers_are_not(tmp_path: Path) -> None:
    image = samples.pillow(samples.photo(64, 96, channels=4))
    path = tmp_path / "file.heic"
    file = pillow_heif.from_pillow(image)
    file.add_from_pillow(image)
    file.save(path)
    assert read(path.read_bytes()).frames == 2
    single = pillow_heif.from_pillow(image)
    single.save(path, thumbnails=[32])
    assert read(path.read_bytes()).frames == 1


@pytest.mark.parametrize("kind", ["heic", "avif"])
def test_mutated_headers_are_read_or_refused(kind: str) -> None:
    """By errors of ours, or those that `probe` turns into them."""
    chance = random.Random(7)
    data = samples.one_of_each()[kind]
    for _ in range(3000):
        mutant = samples.mutated(data, chance)
        try:
            read(mutant)
        except (PixelmendError, struct.error, IndexError):
            continue


def test_premultiplied_alpha_is_seen() -> None:
    image = samples.pillow(samples.photo(64, 96, channels=4))
    for premultiplied in (False, True):
        data = samples.saved(image, "avif", alpha_premultiplied=premultiplied)
        header = read(data)
        assert isinstance(header.details, HeifDetails)
        assert header.details.premultiplied is premultiplied
        assert header.has_alpha
