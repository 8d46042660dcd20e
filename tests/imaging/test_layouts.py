"""Every way to store the same pixels that writers at hand know, against the pixels and other decoders."""

import io
import struct
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from pixelmend.core.errors import CorruptImage, UnsupportedFormat
from pixelmend.imaging.codec import decode
from pixelmend.imaging.probe import InputLimits, probe
from tests.imaging import samples

LIMITS = InputLimits()
HEIGHT, WIDTH = 40, 56  # no multiple of a tile's side


def decoded(path: Path) -> NDArray[Any]:
    info = probe(path, LIMITS)
    picture = decode(path, LIMITS)
    assert (info.oriented_size, info.bits) == (picture.size, picture.bits)
    return picture.pixels


def source(channels: int, bits: int) -> NDArray[Any]:
    return samples.noise(HEIGHT, WIDTH, channels, bits=bits)


@pytest.mark.parametrize(
    ("channels", "bits", "compression", "planar"),
    list(product((1, 2, 3, 4), (8, 16), (None, "zlib"), ("contig", "separate"))),
)
@pytest.mark.parametrize("tile", [None, (16, 16), (32, 48)])
def test_tiffs_of_tifffile_are_exact(
    tmp_path: Path,
    channels: int,
    bits: int,
    compression: str | None,
    planar: str,
    tile: tuple[int, int] | None,
) -> None:
    picture = source(channels, bits)
    path = tmp_path / "file.tif"
    stored = picture[:, :, 0] if channels == 1 else picture
    tifffile.imwrite(
        path,
        np.moveaxis(stored, 2, 0) if channels > 1 and planar == "separate" else stored,
        photometric="rgb" if channels >= 3 else "minisblack",
        planarconfig=planar if channels > 1 else None,
        extrasamples=["unassalpha"] if channels in (2, 4) else None,
        compression=compression,
        tile=tile,
        bigtiff=bits == 16,
        byteorder=">" if channels == 3 else "<",
    )
    if channels == 2 and planar == "separate":
        with pytest.raises(UnsupportedFormat, match="grey and other channels in separate planes"):
            decode(path, LIMITS)
        return
    assert np.array_equal(decoded(path), picture)


@pytest.mark.parametrize("compression", ["none", "lzw", "deflate", "packbits"])
@pytest.mark.parametrize(("channels", "bits"), [(1, 8), (3, 8), (4, 8), (1, 16), (3, 16), (4, 16)])
def test_tiled_tiffs_of_libvips_are_exact(tmp_path: Path, compression: str, channels: int, bits: int) -> None:
    """With LZW and deflate libvips writes a predictor as well."""
    picture = source(channels, bits)
    kind = {(1, 8): "b-w", (1, 16): "grey16"}.get((channels, bits), "rgb16" if bits == 16 else "srgb")
    image = pyvips.Image.new_from_array(picture).copy(interpretation=kind)
    path = tmp_path / "file.tif"
    image.tiffsave(
        str(path), compression=compression, tile=True, tile_width=16, tile_height=32, pyramid=False
    )
    assert np.array_equal(decoded(path), picture)


@pytest.mark.parametrize("quality", [60, 100])
@pytest.mark.parametrize("tile", [False, True])
def test_jpeg_in_tiff_equals_pillow(tmp_path: Path, quality: int, tile: bool) -> None:
    """At a quality of 90 and above without halved chroma, else with it, as YCbCr."""
    image = pyvips.Image.new_from_array(samples.photo()).copy(interpretation="srgb")
    path = tmp_path / "file.tif"
    image.tiffsave(str(path), compression="jpeg", Q=quality, tile=tile, tile_width=16, tile_height=16)
    with Image.open(path) as reference:
        expected = np.asarray(reference.convert("RGB"), np.int16)
    assert np.abs(decoded(path).astype(np.int16) - expected).max() <= 3


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "lzma", "zstd"])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK"])
def test_tiffs_of_pillow_are_exact(tmp_path: Path, compression: str, mode: str) -> None:
    image = pillow_image(mode)
    path = tmp_path / "file.tif"
    image.save(path, compression=compression)
    plain = {"1": "L", "P": "RGB", "I;16": "I;16"}.get(mode, mode)
    expected = np.asarray(image.convert(plain) if mode in ("1", "P") else image)
    if mode == "CMYK" and compression in ("lzma", "zstd"):
        with pytest.raises(UnsupportedFormat, match="CMYK"):
            decode(path, LIMITS)
        return
    if mode == "CMYK":
        picture = decode(path, LIMITS)
        uncompressed = tmp_path / "raw.tif"
        image.save(uncompressed, compression="raw")
        assert picture.notes == ("cmyk-converted",)
        assert np.array_equal(picture.pixels, decode(uncompressed, LIMITS).pixels)
        return
    assert np.array_equal(decoded(path), expected.reshape(HEIGHT, WIDTH, -1))


def pillow_image(mode: str) -> Image.Image:
    if mode == "I;16":
        return Image.fromarray(source(1, 16)[:, :, 0])
    channels = {"L": 1, "1": 1, "LA": 2, "RGBA": 4, "CMYK": 4}.get(mode, 3)
    pixels = samples.photo(HEIGHT, WIDTH, channels=channels)
    if mode == "CMYK":
        return Image.fromarray(pixels, "CMYK")
    image = samples.pillow(pixels)
    return {"1": lambda: image.convert("1"), "P": lambda: image.quantize(30)}.get(mode, lambda: image)()


@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize("sampling", [(1, 1), (2, 1), (2, 2)])
def test_ycbcr_tiffs_are_converted(
    tmp_path: Path, tile: tuple[int, int] | None, sampling: tuple[int, int]
) -> None:
    """Written by hand: data units of luma samples and one of each chroma, TIFF 6.0 section 21."""
    across, down = sampling
    picture = samples.photo(48, 64)
    ycc = np.asarray(samples.pillow(picture).convert("YCbCr"), np.uint8)
    path = tmp_path / "file.tif"
    path.write_bytes(ycbcr_tiff(ycc, tile, across, down))
    difference = np.abs(decoded(path).astype(np.int16) - picture)
    assert difference.mean() < (2 if sampling == (1, 1) else 6)


def ycbcr_tiff(ycc: NDArray[np.uint8], tile: tuple[int, int] | None, across: int, down: int) -> bytes:
    height, width = ycc.shape[:2]
    part_height, part_width = tile or (height, width)
    parts = [
        packed_units(ycc[top : top + part_height, left : left + part_width], across, down)
        for top in range(0, height, part_height)
        for left in range(0, width, part_width)
    ]
    where = (
        {"w": 322, "h": 323, "offsets": 324, "bytes": 325}
        if tile
        else {"h": 278, "offsets": 273, "bytes": 279}
    )
    longs: dict[int, list[int]] = {256: [width], 257: [height], where["h"]: [part_height]}
    if tile:
        longs[where["w"]] = [part_width]
    shorts = {258: [8, 8, 8], 259: [1], 262: [6], 277: [3], 284: [1], 530: [across, down]}
    count = len(longs) + len(shorts) + 2
    area = 8 + 2 + 12 * count + 4
    behind = b""
    starts = area + 6 + 8 * len(parts)
    offsets = [starts + sum(map(len, parts[:i])) for i in range(len(parts))]
    longs[where["offsets"]], longs[where["bytes"]] = offsets, [len(part) for part in parts]
    entries = b""
    for tag in sorted(longs.keys() | shorts.keys()):
        values, kind, code = (longs[tag], 4, "I") if tag in longs else (shorts[tag], 3, "H")
        data = struct.pack(f"<{len(values)}{code}", *values)
        if len(data) > 4:
            place, behind = area + len(behind), behind + data
            data = struct.pack("<I", place)
        entries += struct.pack("<HHI", tag, kind, len(values)) + data.ljust(4, b"\0")
    head = b"II*\0" + struct.pack("<IH", 8, count) + entries + bytes(4)
    return (head + behind).ljust(starts, b"\0") + b"".join(parts)


def packed_units(part: NDArray[np.uint8], across: int, down: int) -> bytes:
    height, width = part.shape[:2]
    blocks = part.reshape(height // down, down, width // across, across, 3).transpose(0, 2, 1, 3, 4)
    luma = blocks[..., 0].reshape(*blocks.shape[:2], -1)
    chroma = blocks[..., 1:].astype(np.float64).mean(axis=(2, 3)).round().astype(np.uint8)
    return np.concatenate([luma, chroma], axis=2).tobytes()


@pytest.mark.parametrize("tile", [True, False])
@pytest.mark.parametrize("compression", ["lzw", "deflate"])
def test_a_damaged_part_is_corrupt_and_never_blank(tmp_path: Path, compression: str, tile: bool) -> None:
    """libvips answers a tile that cannot be decoded with a black one."""
    image = pyvips.Image.new_from_array(source(3, 8)).copy(interpretation="srgb")
    path = tmp_path / "file.tif"
    image.tiffsave(str(path), compression=compression, tile=tile, tile_width=16, tile_height=16)
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        start, length = page.dataoffsets[-1], page.databytecounts[-1]
    data = bytearray(path.read_bytes())
    data[start : start + length] = b"\xa5" * length
    path.write_bytes(data)
    with pytest.raises(CorruptImage):
        decode(path, LIMITS)


@pytest.mark.parametrize(
    ("tag", "value", "named"),
    [(259, 6, "old-style JPEG"), (259, 34925, "LZMA"), (259, 50000, "Zstandard")],
)
def test_what_no_library_reads_is_refused_by_name(tmp_path: Path, tag: int, value: int, named: str) -> None:
    path = tmp_path / "file.tif"
    tifffile.imwrite(path, source(3, 16), photometric="rgb")
    data = bytearray(path.read_bytes())
    at = data.index(struct.pack("<HHI", tag, 3, 1)) + 8
    data[at : at + 4] = struct.pack("<I", value)
    path.write_bytes(data)
    with pytest.raises(UnsupportedFormat, match=named):
        decode(path, LIMITS)


def raw_tiff(
    photometric: int, subfile: int = 0, sub_photometric: int | None = None, dng: bool = False
) -> bytes:
    """A TIFF whose first page may be a preview of what lies in a sub-directory."""

    def page(kind: int, sub: int | None, entries: dict[int, int]) -> bytes:
        tags = {
            254: subfile,
            256: 8,
            257: 8,
            258: 8,
            259: 1,
            262: kind,
            273: 512,
            277: 1,
            278: 8,
            279: 64,
            **entries,
        }
        if sub is not None:
            tags[330] = sub
        packed = b"".join(struct.pack("<HHII", tag, 4, 1, tags[tag]) for tag in sorted(tags))
        return struct.pack("<H", len(tags)) + packed + bytes(4)

    first = page(photometric, 256 if sub_photometric is not None else None, {50706: 1} if dng else {})
    data = b"II*\0" + struct.pack("<I", 8) + first
    if sub_photometric is not None:
        data = data.ljust(256, b"\0") + page(sub_photometric, None, {254: 0})
    return data.ljust(576, b"\x80")


@pytest.mark.parametrize(
    "data",
    [
        raw_tiff(1, dng=True),
        raw_tiff(32803),
        raw_tiff(34892),
        raw_tiff(1, subfile=1, sub_photometric=32803),
        raw_tiff(1, sub_photometric=34892),
        raw_tiff(1, subfile=1, sub_photometric=1),
        b"II*\0\x10\0\0\0CR\2\0" + bytes(300),
        b"FUJIFILMCCD-RAW 0201FF",
        b"IIU\0\x18\0\0\0" + bytes(64),
        b"\0\0\0\x18ftypcrx \0\0\0\1crx isom",
    ],
)
def test_camera_raw_is_refused_by_name(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(UnsupportedFormat, match="camera raw"):
        probe(path, LIMITS)


def test_a_plain_page_with_a_reduced_copy_below_is_no_raw_file(tmp_path: Path) -> None:
    path = tmp_path / "file.tif"
    path.write_bytes(raw_tiff(1, sub_photometric=1))
    assert decoded(path).shape == (8, 8, 1)


def bmp_file(width: int, height: int, depth: int, masks: list[int], pixels: bytes, header: int = 56) -> bytes:
    fields = struct.pack("<IiiHHIIiiII", header, width, height, 1, depth, 3, len(pixels), 0, 0, 0, 0)
    body = (fields + struct.pack("<4I", *masks)).ljust(header, b"\0")
    return b"BM" + struct.pack("<IHHI", 14 + header + len(pixels), 0, 0, 14 + header) + body + pixels


@settings(max_examples=60, deadline=None)
@given(
    widths=st.lists(st.integers(1, 8), min_size=4, max_size=4),
    order=st.permutations(range(4)),
    depth=st.sampled_from([16, 32]),
    alpha=st.booleans(),
    seed=st.integers(0, 999),
)
def test_bmps_with_any_masks_are_exact(
    tmp_path_factory: pytest.TempPathFactory,
    widths: list[int],
    order: list[int],
    depth: int,
    alpha: bool,
    seed: int,
) -> None:
    """Against arithmetic on one pixel after another."""
    while sum(widths) > depth:
        widths[widths.index(max(widths))] -= 1
    masks, place = [0] * 4, 0
    for channel in order:
        masks[channel] = ((1 << widths[channel]) - 1) << place
        place += widths[channel]
    if not alpha:
        masks[3] = 0
    rng = np.random.default_rng(seed)
    width, height = 5, 3
    values = rng.integers(0, 2**depth, (height, width), np.uint64).astype("<u4" if depth == 32 else "<u2")
    rows = [row.tobytes().ljust((width * depth + 31) // 32 * 4, b"\0") for row in values[::-1]]
    path = tmp_path_factory.mktemp("bmp") / "file.bmp"
    path.write_bytes(bmp_file(width, height, depth, masks, b"".join(rows)))
    pixels = decoded(path)
    for y, x in product(range(height), range(width)):
        for channel, mask in enumerate(masks[: pixels.shape[2]]):
            bits = (int(values[y, x]) & mask) >> ((mask & -mask).bit_length() - 1)
            assert pixels[y, x, channel] == int(bits * 255 / (2 ** mask.bit_count() - 1) + 0.5)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_bmps_of_pillow_are_exact(tmp_path: Path, mode: str) -> None:
    image = pillow_image(mode)
    path = tmp_path / "file.bmp"
    image.save(path, dpi=(300, 300))
    expected = np.asarray(image.convert({"1": "L", "P": "RGB"}.get(mode, mode)))
    assert np.array_equal(decoded(path), expected.reshape(HEIGHT, WIDTH, -1))
    dpi = probe(path, LIMITS).dpi
    assert dpi is not None
    assert abs(dpi[0] - 300) < 0.05


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
@pytest.mark.parametrize("os2", [False, True])
def test_bmps_with_small_palettes_are_exact(tmp_path: Path, depth: int, os2: bool) -> None:
    rng = np.random.default_rng(depth)
    palette = rng.integers(0, 256, (1 << depth, 3), np.uint8)
    index = rng.integers(0, 1 << depth, (4, 11), np.uint8)
    bits = np.unpackbits(index[:, :, None], axis=2)[:, :, -depth:].reshape(4, -1)
    row_bytes = (11 * depth + 31) // 32 * 4
    rows = b"".join(np.packbits(row).tobytes().ljust(row_bytes, b"\0") for row in bits[::-1])
    colours = b"".join(bytes(reversed(c.tolist())) + (b"" if os2 else b"\0") for c in palette)
    if os2:
        header = struct.pack("<IHHHH", 12, 11, 4, 1, depth)
    else:
        header = struct.pack("<IiiHHIIiiII", 40, 11, 4, 1, depth, 0, 0, 0, 0, 0, 0)
    start = 14 + len(header) + len(colours)
    path = tmp_path / "file.bmp"
    path.write_bytes(b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + header + colours + rows)
    assert np.array_equal(decoded(path), palette[index])


def test_the_profile_of_a_bmp_is_kept(tmp_path: Path) -> None:
    profile = samples.srgb_profile()
    pixels = samples.noise(2, 2, 4)
    data = bytearray(bmp_file(2, 2, 32, [0xFF0000, 0xFF00, 0xFF, 0xFF000000], pixels.tobytes(), header=124))
    data[70:74] = b"MBED"[::-1]
    data[126:134] = struct.pack("<II", len(data) - 14, len(profile))
    path = tmp_path / "file.bmp"
    path.write_bytes(bytes(data) + profile)
    assert decode(path, LIMITS).metadata.icc == profile


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0", "4:0:0"])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("premultiplied", [False, True])
def test_avifs_equal_pillow(tmp_path: Path, subsampling: str, mode: str, premultiplied: bool) -> None:
    """Through libavif there, through libheif here."""
    channels = {"L": 1, "RGB": 3, "RGBA": 4}[mode]
    image = samples.pillow(samples.photo(64, 96, channels=channels))
    path = tmp_path / "file.avif"
    image.save(path, subsampling=subsampling, quality=90, alpha_premultiplied=premultiplied and channels == 4)
    pixels = decoded(path).astype(np.float64)
    with Image.open(io.BytesIO(path.read_bytes())) as reference:
        expected = np.asarray(reference.convert("RGBA"), np.float64)
    if pixels.shape[2] < 3:
        pixels = np.repeat(pixels, 3, axis=2)
    alpha = expected[:, :, 3:] / 255
    shown = np.abs((pixels[:, :, :3] - expected[:, :, :3]) * alpha)
    # The libraries interpolate halved chroma in their own ways.
    assert shown.mean() < (3.0 if subsampling == "4:2:0" else 1.5)
    if channels == 4:
        assert np.array_equal(pixels[:, :, 3], expected[:, :, 3])
