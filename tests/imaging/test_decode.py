"""Every kind of input, pixel by pixel against what it was made from or an independent decoder."""

import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pillow_heif
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

from pixelmend.core.geometry import Size
from pixelmend.imaging.codec import Decoded, configure_decoders, decode
from pixelmend.imaging.formats import GIF, WEBP
from pixelmend.imaging.probe import InputLimits, probe
from tests.imaging import samples

LIMITS = InputLimits()


def opened(tmp_path: Path, data: bytes) -> Decoded:
    """The decoded file, after checking that its header promised the same."""
    path = tmp_path / "file"
    path.write_bytes(data)
    info = probe(path, LIMITS)
    decoded = decode(path, LIMITS)
    assert info.oriented_size == decoded.size
    assert info.bits == decoded.bits
    assert decoded.pixels.flags.c_contiguous
    if info.format not in (GIF, WEBP):
        assert info.grey == (decoded.channels <= 2)
        assert info.has_alpha == decoded.has_alpha
    return decoded


def oriented(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """What a viewer shows: EXIF's table, row and column 0 of the stored picture being at
    1 top left, 2 top right, 3 bottom right, 4 bottom left, 5 left top, 6 right top, 7 right bottom,
    8 left bottom."""
    mirrored = orientation in (2, 4, 5, 7)
    quarter_turns = {1: 0, 2: 0, 3: 2, 4: 2, 5: 1, 6: -1, 7: -1, 8: 1}[orientation]
    return np.rot90(pixels[:, ::-1] if mirrored else pixels, quarter_turns)


def distance(a: NDArray[Any], b: NDArray[Any]) -> int:
    assert a.shape == b.shape
    return int(np.abs(a.astype(int) - b).max())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["png", "tiff", "webp", "jpeg"])
def test_orientation_is_applied_exactly(tmp_path: Path, kind: str, orientation: int) -> None:
    picture = samples.photo()
    exif = samples.exif_block(orientation)
    options = {"lossless": True} if kind == "webp" else {}
    data = samples.saved(samples.pillow(picture), kind, exif=exif, **options)
    stored = picture
    if kind == "jpeg":
        plain = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        assert plain is not None
        stored = plain[:, :, ::-1].astype(np.uint8)
    decoded = opened(tmp_path, data)
    assert np.array_equal(decoded.pixels, oriented(stored, orientation))


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_avif_rotation_is_applied_exactly_once(tmp_path: Path, orientation: int) -> None:
    picture = samples.photo()
    data = samples.saved(
        samples.pillow(picture),
        "avif",
        exif=samples.exif_block(orientation),
        quality=100,
        subsampling="4:4:4",
    )
    decoded = opened(tmp_path, data)
    assert distance(decoded.pixels, oriented(picture, orientation)) <= 4


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_eight_bit_channels_are_exact(tmp_path: Path, kind: str, channels: int) -> None:
    picture = samples.photo(channels=channels)
    assert np.array_equal(opened(tmp_path, samples.saved(samples.pillow(picture), kind)).pixels, picture)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_sixteen_bits_are_exact(tmp_path: Path, suffix: str, channels: int) -> None:
    picture = samples.noise(23, 31, channels, bits=16)
    order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[channels]
    done, encoded = cv2.imencode(suffix, picture[:, :, order])
    assert done
    decoded = opened(tmp_path, encoded.tobytes())
    assert decoded.pixels.dtype == np.uint16
    assert np.array_equal(decoded.pixels, picture)


def test_dark_sixteen_bits_stay_sixteen(tmp_path: Path) -> None:
    dark = np.full((4, 5, 3), 17, np.uint16)
    decoded = opened(tmp_path, cv2.imencode(".png", dark)[1].tobytes())
    assert decoded.pixels.dtype == np.uint16
    assert np.array_equal(decoded.pixels, dark)


def test_sixteen_bit_grey_with_alpha_is_exact(tmp_path: Path) -> None:
    picture = samples.noise(7, 9, 2, bits=16)
    rows = picture.astype(">u2").view(np.uint8).reshape(7, -1)
    raw = np.hstack([np.zeros((7, 1), np.uint8), rows]).tobytes()
    data = samples.png_file(9, 7, depth=16, colour=4, data=raw)
    assert np.array_equal(opened(tmp_path, data).pixels, picture)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_few_bits_of_grey_spread_over_eight(tmp_path: Path, depth: int) -> None:
    values = np.arange(16, dtype=np.uint8).reshape(2, 8) % 2**depth
    bits = np.unpackbits(values[:, :, np.newaxis], axis=2)[:, :, -depth:].reshape(2, -1)
    raw = b"".join(b"\0" + np.packbits(row).tobytes() for row in bits)
    decoded = opened(tmp_path, samples.png_file(8, 2, depth=depth, colour=0, data=raw))
    assert np.array_equal(decoded.pixels[:, :, 0], values * (255 // (2**depth - 1)))


@pytest.mark.parametrize("kind", ["png", "bmp", "gif", "tiff"])
def test_palette_becomes_rgb(tmp_path: Path, kind: str) -> None:
    image = samples.pillow(samples.photo()).quantize(17)
    expected = np.asarray(image.convert("RGB"))
    assert np.array_equal(opened(tmp_path, samples.saved(image, kind)).pixels, expected)


def test_palette_with_partial_transparency_becomes_rgba(tmp_path: Path) -> None:
    image = samples.pillow(samples.photo()).quantize(17)
    data = samples.saved(image, "png", transparency=bytes([0, 77, 200]))
    colours = np.array(image.getpalette(), np.uint8).reshape(-1, 3)
    alphas = np.full(256, 255, np.uint8)
    alphas[:3] = [0, 77, 200]
    index = np.asarray(image)
    expected = np.dstack([colours[index], alphas[index]])
    assert np.array_equal(opened(tmp_path, data).pixels, expected)


def test_transparent_grey_becomes_grey_with_alpha(tmp_path: Path) -> None:
    picture = samples.photo(channels=1)
    key = int(picture[20, 30, 0])
    decoded = opened(tmp_path, samples.saved(samples.pillow(picture), "png", transparency=key))
    expected = np.where(picture == key, 0, 255)
    assert np.array_equal(decoded.pixels, np.concatenate([picture, expected], axis=2))


def test_transparent_colour_becomes_alpha(tmp_path: Path) -> None:
    picture = samples.photo()
    key = tuple(int(value) for value in picture[20, 30])
    decoded = opened(tmp_path, samples.saved(samples.pillow(picture), "png", transparency=key))
    assert np.array_equal(decoded.pixels[:, :, :3], picture)
    assert np.array_equal(decoded.pixels[:, :, 3] == 0, (picture == key).all(axis=2))


def test_transparent_gif_becomes_rgba(tmp_path: Path) -> None:
    image = samples.pillow(samples.photo()).quantize(9)
    data = samples.saved(image, "gif", transparency=3)
    decoded = opened(tmp_path, data)
    with Image.open(tmp_path / "file") as reference:
        hidden = np.asarray(reference.convert("RGBA"))[:, :, 3] == 0
    assert hidden.any()
    assert np.array_equal(decoded.pixels[:, :, 3] == 0, hidden)
    shown = np.asarray(image.convert("RGB"))
    assert np.array_equal(decoded.pixels[~hidden][:, :3], shown[~hidden])


def _interlaced(picture: NDArray[Any]) -> bytes:
    """An Adam7 PNG of an RGB picture."""
    passes = [
        (0, 0, 8, 8),
        (0, 4, 8, 8),
        (4, 0, 8, 4),
        (0, 2, 4, 4),
        (2, 0, 4, 2),
        (0, 1, 2, 2),
        (1, 0, 2, 1),
    ]
    raw = b""
    for top, left, down, right in passes:
        part = picture[top::down, left::right]
        raw += b"".join(b"\0" + row.tobytes() for row in part if part.shape[1])
    height, width = picture.shape[:2]
    header = samples.png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 1))
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + samples.png_chunk(b"IDAT", zlib.compress(raw))
        + samples.png_chunk(b"IEND", b"")
    )


def test_interlaced_png_is_exact(tmp_path: Path) -> None:
    picture = samples.photo(37, 53)
    assert np.array_equal(opened(tmp_path, _interlaced(picture)).pixels, picture)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_jpeg_equals_an_independent_decoder(tmp_path: Path, progressive: bool, subsampling: int) -> None:
    data = samples.saved(
        samples.pillow(samples.photo()), "jpeg", quality=88, progressive=progressive, subsampling=subsampling
    )
    reference = np.asarray(Image.open(_file(tmp_path, data)))
    assert np.array_equal(opened(tmp_path, data).pixels, reference)


def test_grey_jpeg_stays_grey(tmp_path: Path) -> None:
    data = samples.saved(samples.pillow(samples.photo(channels=1)), "jpeg")
    reference = np.asarray(Image.open(_file(tmp_path, data)))
    assert np.array_equal(opened(tmp_path, data).pixels[:, :, 0], reference)


def _file(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "reference"
    path.write_bytes(data)
    return path


def _cmyk_profile(tmp_path: Path) -> bytes:
    """libvips' own CMYK profile, which every installation has."""
    import pyvips

    black = pyvips.Image.black(1, 1, bands=3).copy(interpretation="srgb").icc_transform("cmyk")
    return bytes(black.get("icc-profile-data"))


@pytest.mark.parametrize("embedded", [True, False])
@pytest.mark.parametrize("kind", ["jpeg", "tiff"])
def test_cmyk_is_converted_through_its_profile(tmp_path: Path, kind: str, embedded: bool) -> None:
    profile = _cmyk_profile(tmp_path)
    image = samples.pillow(samples.photo(channels=4)).convert("RGB").convert("CMYK")
    options: dict[str, Any] = {"icc_profile": profile} if embedded else {}
    if kind == "jpeg":
        options["quality"] = 100
    data = samples.saved(image, kind, **options)
    decoded = opened(tmp_path, data)
    (tmp_path / "cmyk.icc").write_bytes(profile)
    reference = ImageCms.profileToProfile(
        Image.open(_file(tmp_path, data)),
        str(tmp_path / "cmyk.icc"),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    assert reference is not None
    assert distance(decoded.pixels, np.asarray(reference)) <= 2
    assert decoded.notes == ("cmyk-converted",)
    assert decoded.metadata.icc is None


def test_lab_tiff_is_converted(tmp_path: Path) -> None:
    picture = samples.photo()
    lab = ImageCms.profileToProfile(
        samples.pillow(picture),
        ImageCms.createProfile("sRGB"),
        ImageCms.createProfile("LAB"),
        outputMode="LAB",
    )
    assert lab is not None
    decoded = opened(tmp_path, samples.saved(lab, "tiff"))
    assert decoded.notes == ("lab-converted",)
    assert np.abs(decoded.pixels.astype(int) - picture).mean() < 2  # 8-bit Lab is coarse


@pytest.mark.parametrize("bits", [8, 16])
def test_premultiplied_tiff_alpha_is_made_straight(tmp_path: Path, bits: int) -> None:
    full = 2**bits - 1
    alpha = np.array([[full, full // 2, full // 5, 0]])[:, :, np.newaxis]
    straight = np.broadcast_to(np.array([full, full // 4, 0]), (1, 4, 3))
    stored = np.dstack([np.rint(straight * (alpha / full)), alpha]).astype(
        np.uint8 if bits == 8 else np.uint16
    )
    path = tmp_path / "premultiplied.tif"
    tifffile.imwrite(path, stored, photometric="rgb", extrasamples=["assocalpha"])
    decoded = opened(tmp_path, path.read_bytes())
    assert np.array_equal(decoded.pixels[:, :, 3], stored[:, :, 3])
    shown = decoded.pixels[:, :3, :3].astype(int) - straight[:, :3]
    assert np.abs(shown).max() <= 3  # 8-bit products of a small alpha are coarse


def test_unspecified_tiff_channels_are_dropped_and_named(tmp_path: Path) -> None:
    picture = samples.noise(6, 8, 5)
    path = tmp_path / "five.tif"
    tifffile.imwrite(path, picture, photometric="rgb", extrasamples=["unspecified", "unspecified"])
    decoded = opened(tmp_path, path.read_bytes())
    assert np.array_equal(decoded.pixels, picture[:, :, :3])
    assert decoded.notes == ("extra-channels-dropped",)


@pytest.mark.parametrize(
    "options", [{"tile": (16, 16)}, {"planarconfig": "separate"}, {"bigtiff": True}, {"byteorder": ">"}]
)
def test_tiff_layouts_are_exact(tmp_path: Path, options: dict[str, object]) -> None:
    picture = samples.noise(40, 56, 3, bits=16)
    stored = np.moveaxis(picture, 2, 0) if "planarconfig" in options else picture
    path = tmp_path / "layout.tif"
    tifffile.imwrite(path, stored, photometric="rgb", **options)  # type: ignore[arg-type]
    assert np.array_equal(opened(tmp_path, path.read_bytes()).pixels, picture)


def test_white_is_zero_tiff_is_inverted(tmp_path: Path) -> None:
    picture = samples.photo(channels=1)
    path = tmp_path / "inverted.tif"
    tifffile.imwrite(path, 255 - picture[:, :, 0], photometric="miniswhite")
    assert np.array_equal(opened(tmp_path, path.read_bytes()).pixels, picture)


def test_tiff_thumbnail_page_is_not_a_page(tmp_path: Path) -> None:
    path = tmp_path / "pages.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(samples.photo(), photometric="rgb")
        writer.write(samples.photo(10, 15), photometric="rgb", subfiletype=1)
    assert np.array_equal(opened(tmp_path, path.read_bytes()).pixels, samples.photo())


@pytest.mark.parametrize("channels", [3, 4])
def test_lossless_webp_is_exact(tmp_path: Path, channels: int) -> None:
    picture = samples.photo(channels=channels)
    data = samples.saved(samples.pillow(picture), "webp", lossless=True, exact=True)
    assert np.array_equal(opened(tmp_path, data).pixels, picture)


def test_lossy_webp_equals_an_independent_decoder(tmp_path: Path) -> None:
    data = samples.saved(samples.pillow(samples.photo(channels=4)), "webp", quality=80)
    reference = np.asarray(Image.open(_file(tmp_path, data)))
    assert distance(opened(tmp_path, data).pixels, reference) <= 1


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("kind", ["avif", "heic"])
def test_avif_and_heic_are_close(tmp_path: Path, kind: str, channels: int) -> None:
    picture = samples.photo(channels=channels)
    full = "4:0:0" if channels == 1 else "4:4:4"
    options = {"quality": 100, "subsampling": full} if kind == "avif" else {"quality": 100, "chroma": 444}
    decoded = opened(tmp_path, samples.saved(samples.pillow(picture), kind, **options))
    assert distance(decoded.pixels, picture) <= 4


@pytest.mark.parametrize(("mode", "channels"), [("L;16", 1), ("RGB;16", 3), ("RGBA;16", 4)])
def test_ten_bit_heic_fills_the_sixteen_bit_range(tmp_path: Path, mode: str, channels: int) -> None:
    picture = np.zeros((16, 16, channels), np.uint16)
    picture[:, 8:] = 65_535
    picture[:, :, -1] = picture[:, :, -1] if channels in (1, 3) else 65_535
    file = pillow_heif.from_bytes(mode, (16, 16), picture.tobytes())
    path = tmp_path / "ten.heic"
    file.save(path, quality=-1, chroma=444)
    decoded = opened(tmp_path, path.read_bytes())
    assert decoded.pixels.dtype == np.uint16
    assert decoded.pixels.min() < 600
    assert decoded.pixels[:, 12].min() == 65_535  # and not 65472, which would be a tint of grey


def test_bmp_with_alpha_and_run_lengths(tmp_path: Path) -> None:
    picture = samples.photo(channels=4)
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    bgra = np.ascontiguousarray(picture[::-1, :, [2, 1, 0, 3]]).tobytes()
    header = struct.pack("<IiiHHIIiiII", 124, 60, 40, 1, 32, 3, len(bgra), 0, 0, 0, 0) + masks + bytes(68)
    data = b"BM" + struct.pack("<IHHI", 14 + 124 + len(bgra), 0, 0, 14 + 124) + header + bgra
    assert np.array_equal(opened(tmp_path, data).pixels, picture)

    runs = b"".join(bytes([4, 1, 4, 2, 0, 0]) for _ in range(3)) + b"\0\1"
    palette = bytes([0, 0, 0, 0, 10, 20, 30, 0, 40, 50, 60, 0]) + bytes(253 * 4)
    header = struct.pack("<IiiHHIIiiII", 40, 8, 3, 1, 8, 1, len(runs), 0, 0, 256, 0)
    data = (
        b"BM"
        + struct.pack("<IHHI", 14 + 40 + 1024 + len(runs), 0, 0, 14 + 40 + 1024)
        + header
        + palette
        + runs
    )
    decoded = opened(tmp_path, data).pixels
    assert decoded.shape == (3, 8, 3)
    assert decoded[0, 0].tolist() == [30, 20, 10]
    assert decoded[2, 7].tolist() == [60, 50, 40]


def test_one_bit_bmp_is_grey(tmp_path: Path) -> None:
    image = samples.pillow(samples.photo(channels=1)).convert("1")
    decoded = opened(tmp_path, samples.saved(image, "bmp"))
    assert np.array_equal(decoded.pixels[:, :, 0], np.asarray(image) * np.uint8(255))


@pytest.mark.parametrize("width", [1, 2, 3, 16, 17])
def test_tiny_and_odd_sizes(tmp_path: Path, width: int) -> None:
    for height in (1, 2, 17):
        picture = samples.photo(height, width)
        decoded = opened(tmp_path, samples.saved(samples.pillow(picture), "png", exif=samples.exif_block(5)))
        assert decoded.size == Size(height, width)
        assert np.array_equal(decoded.pixels, oriented(picture, 5))


def test_a_replaced_file_is_not_remembered(tmp_path: Path) -> None:
    first = opened(tmp_path, samples.saved(samples.pillow(samples.photo()), "png"))
    second = opened(tmp_path, samples.saved(samples.pillow(samples.photo()[::-1].copy()), "png"))
    assert np.array_equal(first.pixels, second.pixels[::-1])


def test_all_formats_decode_with_untrusted_loaders_blocked(tmp_path: Path) -> None:
    configure_decoders(2)
    for name, data in samples.one_of_each().items():
        assert opened(tmp_path, data).size in (Size(60, 40), Size(40, 60)), name
