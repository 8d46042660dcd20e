"""Hostile, damaged and foreign files: a clear error of ours, quickly, and nothing else."""

import contextlib
import io
import random
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelmend.core.errors import (
    CorruptImage,
    ImageTooLarge,
    PixelmendError,
    TooManyFrames,
    UnsupportedFormat,
)
from pixelmend.imaging import tiff_exif
from pixelmend.imaging.codec import decode
from pixelmend.imaging.formats import JPEG, format_registry
from pixelmend.imaging.probe import InputLimits, probe
from tests.imaging import samples
from tests.pictures import encoded, photo

LIMITS = InputLimits()
# Nothing here may hang, and what walks or inflates too much would; each takes milliseconds.
pytestmark = pytest.mark.timeout(20)


def refused(tmp_path: Path, data: bytes, kind: type[PixelmendError]) -> str:
    """The message with which both probe and decode refuse `data`, each."""
    path = tmp_path / "upload.jpg"  # a name that is mostly wrong
    path.write_bytes(data)
    with pytest.raises(kind) as probing:
        probe(path, LIMITS)
    with pytest.raises(kind):
        decode(path, LIMITS)
    return probing.value.message


def test_34_byte_webp_of_268_megapixels_is_too_large(tmp_path: Path) -> None:
    data = samples.vp8l_file(16_384, 16_384)
    assert len(data) == 34
    assert refused(tmp_path, data, ImageTooLarge) == "16384x16384 px exceeds max_input_pixels=50000000"


def test_small_png_of_64_megapixels_is_too_large(tmp_path: Path) -> None:
    data = samples.png_file(8000, 8000, data=bytes(8000 * (1 + 3 * 8000)))
    assert len(data) < 200_000
    assert "8000x8000 px exceeds max_input_pixels=50000000" in refused(tmp_path, data, ImageTooLarge)


def test_one_side_beyond_the_limit_is_too_large(tmp_path: Path) -> None:
    data = samples.png_file(16_385, 2)
    assert refused(tmp_path, data, ImageTooLarge) == "16385x2 px exceeds max_input_side_px=16384"


@pytest.mark.parametrize(("width", "height"), [(0, 10), (10, 0), (2**31 - 1, 2**31 - 1), (2**31, 1)])
def test_impossible_png_dimensions_are_corrupt(tmp_path: Path, width: int, height: int) -> None:
    assert f"{width}x{height} px" in refused(tmp_path, samples.png_file(width, height), CorruptImage)


def _tiff(width: int, height: int, *, next_page: int = 0, bits: int = 8, sample_format: int = 1) -> bytes:
    entries = [(256, 4, width), (257, 4, height), (258, 3, bits), (262, 3, 1), (277, 3, 1)]
    entries += [(273, 4, 8), (278, 4, height), (279, 4, 4), (339, 3, sample_format)]
    entries.sort()
    directory = struct.pack("<H", len(entries))
    for tag, kind, value in entries:
        directory += struct.pack("<HHII", tag, kind, 1, value)
    return b"II*\0" + struct.pack("<I", 12) + bytes(4) + directory + struct.pack("<I", next_page)


def _bmp(width: int, height: int) -> bytes:
    return b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (_tiff(0, 4), CorruptImage),
        (_tiff(2**31 - 1, 2**31 - 1), CorruptImage),
        (_tiff(2**16, 2**16), ImageTooLarge),
        (_bmp(0, 4), CorruptImage),
        (_bmp(2**31 - 1, 2**31 - 1), CorruptImage),
        (_bmp(30_000, 30_000), ImageTooLarge),
        (b"GIF89a" + struct.pack("<HHBBB", 0, 0, 0, 0, 0) + b";", CorruptImage),
        (b"GIF89a" + struct.pack("<HHBBB", 5, 5, 0, 0, 0) + b";", CorruptImage),
        (
            b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + b",\0\0\0\0\5\0\5\0\0\2\0;",
            ImageTooLarge,
        ),
        (b"\xff\xd8\xff\xc0" + struct.pack(">HBHHB", 8, 8, 0, 7, 1) + b"\xff\xda", CorruptImage),
        (b"\xff\xd8\xff\xc0" + struct.pack(">HBHHB", 8, 8, 65535, 65535, 1) + b"\xff\xda", ImageTooLarge),
        (b"\xff\xd8\xff\xd9", CorruptImage),
        (b"\xff\xd8\xff\xe0\0\1", CorruptImage),
    ],
)
def test_impossible_dimensions_in_other_formats(
    tmp_path: Path, data: bytes, kind: type[PixelmendError]
) -> None:
    refused(tmp_path, data, kind)


@pytest.mark.parametrize("brand", ["avif", "heic"])
def test_huge_heif_dimensions_are_refused(tmp_path: Path, brand: str) -> None:
    data = samples.one_of_each()[brand]
    at = data.index(b"ispe")
    for side in (0, 2**31 - 1, 2**20):
        forged = data[: at + 8] + struct.pack(">II", side, side) + data[at + 16 :]
        path = tmp_path / "forged"
        path.write_bytes(forged)
        with pytest.raises((CorruptImage, ImageTooLarge)):
            probe(path, LIMITS)


@pytest.mark.parametrize("name", sorted(samples.one_of_each()))
def test_every_truncation_is_corrupt_and_never_half_a_picture(tmp_path: Path, name: str) -> None:
    data = samples.one_of_each()[name]
    path = tmp_path / "cut"
    path.write_bytes(data)
    whole = decode(path, LIMITS).pixels
    for share in (0.02, 0.1, 0.3, 0.5, 0.7, 0.9):
        path.write_bytes(data[: max(20, int(len(data) * share))])
        try:
            pixels = decode(path, LIMITS).pixels
        except PixelmendError as error:
            assert isinstance(error, CorruptImage), (share, error)  # noqa: PT017 - either outcome counts
        else:
            # only what follows the pixels (trailing metadata) was cut off
            assert np.array_equal(pixels, whole), share


def test_tiff_that_ends_within_its_pixels_is_corrupt(tmp_path: Path) -> None:
    """The directory lies first, so only pixels are missing."""
    data = encoded(photo(side_px=200), "TIFF")
    assert struct.unpack_from("<I", data, 4)[0] == 8
    path = tmp_path / "cut"
    for share in (0.1, 0.5, 0.9, 0.99):
        path.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(CorruptImage):
            decode(path, LIMITS)


@pytest.mark.parametrize(
    ("data", "seen"),
    [
        (b"", "empty"),
        (b"%PDF-1.7\n", "a PDF file"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG file"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- x -->\n<svg/>", "an SVG file"),
        (b"<!DOCTYPE html><html>", "an HTML page"),
        (b"PK\x03\x04rest", "a ZIP file"),
        (b"8BPS\0\1", "a Photoshop PSD file"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL file"),
        (b"BMW is a car maker, and this is text", "text that begins with 'BMW is a car maker"),
        ('{"detail": "nicht gefunden: ü"}'.encode()[:-3], """text that begins with '{"detail": "nicht"""),
        (b"G" * 256, "text that begins with 'GGGG"),  # a transport stream has this letter every 188 bytes
        (b"BM\1 is no text", "of an unknown kind (first bytes 42 4d 01"),
        (b"\0\0\0\x18ftypisom\0\0\2\0isommp41", "a film (MP4); films are for the task upscale-video"),
        (b"\0\0\0\x18ftypM4A \0\0\2\0isommp41", "a sound file (MPEG-4); accepted are"),
        (b"\0\0\0\x18ftypwhat\0\0\2\0isommp41", "brand 'what'"),
        (b"\x7fELF\2\1\1", "an ELF program"),
        (b"v/1\x01\2\0\0\0", "an OpenEXR file"),
        (b"qoif\0\0\0\1", "a QOI file"),
        (bytes(300), "of an unknown kind (first bytes 00 00"),
    ],
)
def test_foreign_files_are_unsupported_and_named(tmp_path: Path, data: bytes, seen: str) -> None:
    assert seen in refused(tmp_path, data, UnsupportedFormat)


def test_float_and_wide_tiff_samples_are_unsupported(tmp_path: Path) -> None:
    assert "float" in refused(tmp_path, _tiff(1, 1, bits=32, sample_format=3), UnsupportedFormat)
    assert "[32]" in refused(tmp_path, _tiff(1, 1, bits=32), UnsupportedFormat)


def test_twelve_bit_jpeg_is_unsupported(tmp_path: Path) -> None:
    data = b"\xff\xd8\xff\xc1" + struct.pack(">HBHHB", 8, 12, 8, 8, 1) + b"\xff\xda"
    assert "12 bits" in refused(tmp_path, data, UnsupportedFormat)


def test_the_content_decides_and_not_the_name(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(samples.one_of_each()["jpeg"])
    assert probe(path, LIMITS).format is JPEG


def test_polyglot_is_read_as_what_its_first_bytes_say(tmp_path: Path) -> None:
    path = tmp_path / "image.zip"
    path.write_bytes(samples.one_of_each()["gif"] + b"PK\x03\x04<script>alert(1)</script>")
    assert decode(path, LIMITS).pixels.shape == (40, 60, 3)
    path.write_bytes(b"<script>" + samples.one_of_each()["gif"])
    with pytest.raises(UnsupportedFormat):
        probe(path, LIMITS)


@pytest.mark.parametrize("kind", ["gif", "png", "webp", "tiff", "avif", "heic"])
def test_several_frames_are_refused_unless_the_first_is_asked_for(tmp_path: Path, kind: str) -> None:
    frames = [samples.pillow(samples.photo()), samples.pillow(samples.photo()[::-1].copy())]
    buffer = io.BytesIO()
    if kind == "heic":
        import pillow_heif

        file = pillow_heif.from_pillow(frames[0])
        file.add_from_pillow(frames[1])
        file.save(buffer, quality=100)
    else:
        options = {"lossless": True} if kind == "webp" else {}
        frames[0].save(buffer, kind, save_all=True, append_images=frames[1:], **options)
    data = buffer.getvalue()
    told = refused(tmp_path, data, TooManyFrames)
    assert "frames or pages; 1 is accepted: first_frame takes the first" in told
    assert ("upscale-video" in told) == (kind not in ("tiff", "heic"))

    path = tmp_path / "animated"
    path.write_bytes(data)
    decoded = decode(path, LIMITS, first_frame=True)
    assert "first-frame" in decoded.notes
    difference = np.abs(decoded.pixels[:, :, :3].astype(int) - samples.photo())
    assert difference.mean() < 12  # GIF has a palette; the flipped second frame is off by 60


def test_a_hundred_thousand_frames_are_counted_cheaply(tmp_path: Path) -> None:
    frame = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\2\2L\1\0"
    gif = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0) + frame * 100_000 + b";"
    refused(tmp_path, gif, TooManyFrames)
    control = samples.png_chunk(b"acTL", struct.pack(">II", 100_000, 0))
    apng = samples.png_file(1, 1, chunks=control + samples.png_chunk(b"fcTL", bytes(26)) * 100_000)
    refused(tmp_path, apng, CorruptImage)  # more chunks than anyone needs


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8" + b"\xff\xe1\0\2" * 5_000_000,
        b"\xff\xd8" + b"\xff" * 20_000_000,
        b"\xff\xd8\xff" + b"\0" * 20_000_000,
        b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0) + b"!\xfe" + b"\1x" * 10_000_000,
        b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0) + b"!\xfe\0" * 5_000_000,
        b"RIFF\0\0\0\0WEBPVP8X" + struct.pack("<I", 10) + bytes(10) + b"junk\0\0\0\0" * 2_000_000,
        b"II*\0" + struct.pack("<I", 8) + b"\xff\xff" + bytes(12 * 65_535) + bytes(4),
    ],
    ids=["markers", "fill", "zeros", "gif-blocks", "gif-comments", "webp-chunks", "tiff-tags"],
)
def test_headers_made_of_tiny_pieces_are_refused_quickly(tmp_path: Path, data: bytes) -> None:
    refused(tmp_path, data, CorruptImage)


def test_tiff_pages_that_loop_are_corrupt(tmp_path: Path) -> None:
    # A reduced copy that links to itself: it does not count as a page, so only the loop ends it.
    thumbnail = struct.pack("<H", 1) + struct.pack("<HHII", 254, 4, 1, 1)
    first = _tiff(1, 1, next_page=1000).ljust(1000, b"\0")
    refused(tmp_path, first + thumbnail + struct.pack("<I", 1000), CorruptImage)


def test_tiff_tags_that_share_one_huge_value_are_not_all_read(tmp_path: Path) -> None:
    entries = b"".join(struct.pack(">HHII", 1000 + i, 3, 10_000_000, 8) for i in range(500))
    huge = b"MM\0*" + struct.pack(">I", 8) + struct.pack(">H", 500) + entries + bytes(20_000_004)
    assert tiff_exif.gather(huge) is None


def test_metadata_bombs_are_not_inflated(tmp_path: Path) -> None:
    import zlib

    bomb = zlib.compress(bytes(100_000_000), 9)
    chunks = samples.png_chunk(b"iCCP", b"icc\0\0" + bomb) + samples.png_chunk(b"zTXt", b"t\0\0" + bomb)
    path = tmp_path / "bomb.png"
    path.write_bytes(samples.png_file(2, 2, chunks=chunks, data=bytes(14)))
    tracemalloc.start()
    try:
        probe(path, LIMITS)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 1_000_000
    with contextlib.suppress(PixelmendError):
        decode(path, LIMITS)


def test_png_with_wrong_header_checksum_is_corrupt(tmp_path: Path) -> None:
    data = bytearray(samples.one_of_each()["png"])
    data[19] ^= 1
    assert "checksum" in refused(tmp_path, bytes(data), CorruptImage)


@pytest.mark.parametrize("name", sorted(samples.one_of_each()))
def test_mutated_files_fail_with_our_errors_or_decode(tmp_path: Path, name: str) -> None:
    data = samples.one_of_each()[name]
    chance = random.Random(f"mutations of {name}")
    path = tmp_path / "mutant"
    for _ in range(150):
        path.write_bytes(samples.mutated(data, chance))
        try:
            info = probe(path, LIMITS, first_frame=True)
            decoded = decode(path, LIMITS, first_frame=True)
        except PixelmendError:
            pass
        else:
            assert decoded.pixels.shape[:2] == (info.oriented_size.height, info.oriented_size.width)


def test_sniffing_any_bytes_answers_or_refuses() -> None:
    chance = random.Random(5)
    for _ in range(2000):
        head = chance.choice([b"", b"RIFF", b"\0\0\0\x20ftyp", b"BM", b"<svg", b"II"]) + chance.randbytes(
            chance.randrange(40)
        )
        try:
            assert format_registry().recognise(head).reading is not None
        except UnsupportedFormat as error:
            assert "accepted are" in error.message  # noqa: PT017


def test_limits_are_inclusive(tmp_path: Path) -> None:
    path = tmp_path / "exact.png"
    Image.new("L", (8, 5)).save(path)
    assert probe(path, InputLimits(max_pixels=40, max_side=8)).size.pixels == 40
    with pytest.raises(ImageTooLarge):
        probe(path, InputLimits(max_pixels=39))
    with pytest.raises(ImageTooLarge):
        probe(path, InputLimits(max_side=7))
