"""Colour that a file tells without an ICC profile: a profile says the same, and littleCMS shows it right."""

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from pixelmend.imaging.codec import Decoded, decode
from pixelmend.imaging.colour import Cicp, Colour
from pixelmend.imaging.colour_profile import profile_for
from pixelmend.imaging.formats import AVIF, JPEG, PNG, WEBP, Format, OutputSpec, format_registry
from pixelmend.imaging.probe import InputLimits
from pixelmend.imaging.writers import open_writer
from tests.imaging import samples

OUTPUTS = format_registry().outputs

LIMITS = InputLimits()
SRGB_CHRM = (31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000)
Doubles = NDArray[np.float64]

# H.273 once more, by hand: primaries of Display P3 and BT.2020
P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
BT2020 = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
BT709 = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))


def to_xyz(primaries: tuple[tuple[float, float], ...]) -> Doubles:
    """The matrix from linear RGB to XYZ with a white of D65."""
    columns = np.array([(x / y, 1.0, (1 - x - y) / y) for x, y in primaries]).T
    white = np.array((0.3127 / 0.3290, 1.0, (1 - 0.3127 - 0.3290) / 0.3290))
    return columns * np.linalg.solve(columns, white)


def srgb_light(value: Doubles) -> Doubles:
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def srgb_value(light: Doubles) -> Doubles:
    light = np.clip(light, 0.0, 1.0)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def shown(pixels: NDArray[Any], profile: bytes | None) -> NDArray[np.int16]:
    """On an sRGB screen, by littleCMS."""
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    if profile is None:
        return np.asarray(image.convert("RGB"), np.int16)
    converted = ImageCms.profileToProfile(
        image,
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
    )
    assert converted is not None
    return np.asarray(converted, np.int16)


def colours() -> NDArray[np.uint8]:
    """Colours of little saturation, so that none is outside sRGB."""
    values = np.random.default_rng(0).integers(90, 200, (8, 8, 1))
    spread = np.random.default_rng(1).integers(-12, 13, (8, 8, 3))
    return (values + spread).astype(np.uint8)


@pytest.mark.parametrize(("code", "primaries"), [(12, P3), (9, BT2020), (1, BT709)])
@pytest.mark.parametrize("transfer", [13, 8])
def test_code_points_are_shown_as_they_mean(
    code: int, primaries: tuple[tuple[float, float], ...], transfer: int
) -> None:
    pixels = colours()
    light = pixels / 255.0 if transfer == 8 else srgb_light(pixels / 255.0)
    linear = light @ (np.linalg.inv(to_xyz(BT709)) @ to_xyz(primaries)).T
    expected = srgb_value(linear) * 255.0
    found = shown(pixels, profile_for(Colour(Cicp(code, transfer)), 3))
    assert np.abs(found - expected).max() <= 1.6


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("gamma", [1.0, 0.55555, 0.3])
def test_a_gamma_is_shown_as_it_means(gamma: float, channels: int) -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], channels, axis=2)
    expected = srgb_value((ramp[:, :, :1] / 255.0) ** (1.0 / gamma)) * 255.0
    found = shown(ramp, profile_for(Colour(file_gamma=gamma), channels))
    dark = 32 if channels == 1 else 0  # near black littleCMS's own table for grey is coarse
    assert np.abs(found - expected)[:, dark:].max() <= 2


@pytest.mark.parametrize(
    "colour",
    [
        Colour(Cicp(1, 13)),
        Colour(Cicp(2, 2)),
        Colour(Cicp(1, 1)),
        Colour(file_gamma=0.45455),
        Colour(Cicp(200, 13)),
        Colour(file_gamma=1.0, chromaticities=((0.3, 0.3), (0.1, 0.1), (0.1, 0.1), (0.1, 0.1))),
    ],
)
def test_what_is_srgb_or_means_nothing_has_no_profile(colour: Colour) -> None:
    assert profile_for(colour, 3) is None


@pytest.mark.parametrize("transfer", [16, 18])
def test_hdr_is_toned_and_tagged(transfer: int) -> None:
    profile = profile_for(Colour(Cicp(9, transfer)), 3)
    assert profile is not None
    at = profile.index(b"cicp", 300)
    assert tuple(profile[at + 8 : at + 12]) == (9, transfer, 0, 1)
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    levels = shown(ramp, profile)[0, :, 0]
    assert (np.diff(levels) >= 0).all()
    assert levels[0] <= 1
    assert levels[-1] >= 253
    if transfer == 16:  # 203 nits, diffuse white, is the value 0.58 (BT.2408) and near the top of a screen
        assert 230 <= levels[148] <= 245


@pytest.mark.parametrize("transfer", [*range(4, 19)])
def test_every_curve_rises_from_black_to_white(transfer: int) -> None:
    if transfer in (6, 13):
        transfer = 14  # for these BT.709's colours need no profile
    profile = profile_for(Colour(Cicp(9, transfer)), 3)
    assert profile is not None
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    levels = shown(ramp, profile)[0, :, 0]
    assert (np.diff(levels) >= 0).all()
    assert levels[0] <= 1
    assert levels[-1] >= 240


def test_code_points_that_mean_nothing_are_named(tmp_path: Path) -> None:
    picture = opened(tmp_path, png(colours(), (b"cICP", bytes((200, 13, 0, 1)))))
    assert picture.notes == ("colour-unknown",)
    assert picture.metadata.cicp == Cicp(200, 13)  # for PNG, which keeps them


def png(pixels: NDArray[np.uint8], *chunks: tuple[bytes, bytes]) -> bytes:
    """The picture with chunks behind IHDR."""
    plain = samples.saved(samples.pillow(pixels), "png")
    return plain[:33] + b"".join(samples.png_chunk(name, body) for name, body in chunks) + plain[33:]


def opened(tmp_path: Path, data: bytes) -> Decoded:
    path = tmp_path / "file"
    path.write_bytes(data)
    return decode(path, LIMITS)


GAMMA_ONE = (b"gAMA", struct.pack(">I", 100_000))
P3_CODE = (b"cICP", bytes((12, 13, 0, 1)))


@pytest.mark.parametrize("kind", OUTPUTS, ids=str)
@pytest.mark.parametrize("chunk", [GAMMA_ONE, P3_CODE])
def test_every_format_carries_it(tmp_path: Path, kind: Format, chunk: tuple[bytes, bytes]) -> None:
    picture = opened(tmp_path, png(colours(), chunk))
    result = tmp_path / f"result{kind.suffix}"
    spec = OutputSpec(kind, picture.size, 3, 8, 100 if kind in (JPEG, WEBP, AVIF) else None)
    with open_writer(result, spec, picture.metadata, threads=1) as writer:
        writer.write_rows(picture.pixels)
        writer.finish()
    again = decode(result, LIMITS)
    told = Colour(Cicp(12, 13)) if chunk == P3_CODE else Colour(file_gamma=1.0)
    expected = shown(colours(), profile_for(told, 3))
    assert again.metadata.icc == picture.metadata.icc is not None
    lossy = 8 if kind in (JPEG, AVIF) else 0
    assert np.abs(shown(again.pixels, again.metadata.icc) - expected).max() <= lossy
    if kind is PNG:
        assert again.metadata.cicp == (Cicp(12, 13) if chunk == P3_CODE else None)


def test_srgb_and_profiles_go_before_gamma(tmp_path: Path) -> None:
    assert opened(tmp_path, png(colours(), GAMMA_ONE, (b"sRGB", b"\0"))).metadata.icc is None
    chrm = (b"cHRM", struct.pack(">8I", *SRGB_CHRM))
    assert opened(tmp_path, png(colours(), (b"gAMA", struct.pack(">I", 45_455)), chrm)).metadata.icc is None
    profile = samples.srgb_profile()
    data = samples.saved(samples.pillow(colours()), "png", icc_profile=profile)
    both = data[:33] + samples.png_chunk(*GAMMA_ONE) + data[33:]
    assert opened(tmp_path, both).metadata.icc == profile


@pytest.mark.parametrize("value", [0, 1, 2**32 - 1])
def test_a_gamma_that_no_device_has_is_noise(tmp_path: Path, value: int) -> None:
    picture = opened(tmp_path, png(colours(), (b"gAMA", struct.pack(">I", value))))
    assert picture.metadata.icc is None


def test_grey_takes_the_curve_alone(tmp_path: Path) -> None:
    chrm = (b"cHRM", struct.pack(">8I", *SRGB_CHRM))
    picture = opened(tmp_path, png(samples.photo(channels=1), GAMMA_ONE, chrm))
    assert picture.metadata.icc is not None
    assert picture.metadata.icc[16:20] == b"GRAY"


def test_a_profile_of_the_wrong_kind_is_named(tmp_path: Path) -> None:
    """libpng drops it without a word."""
    data = samples.saved(samples.pillow(samples.photo(channels=1)), "png", icc_profile=samples.srgb_profile())
    picture = opened(tmp_path, data)
    assert picture.metadata.icc is None
    assert picture.notes == ("icc-unusable",)


def test_adobe_rgb_as_cameras_say_it(tmp_path: Path) -> None:
    """EXIF: a colour space that is none, and the interoperability index R03."""
    interop = struct.pack("<HHHI4sI", 1, 1, 2, 4, b"R03\0", 0)
    details = struct.pack("<HHHIIHHIII", 2, 0xA001, 3, 1, 0xFFFF, 0xA005, 4, 1, 8 + 18 + 30, 0)
    first = struct.pack("<HHHIII", 1, 0x8769, 4, 1, 8 + 18, 0)
    block = b"II*\0" + struct.pack("<I", 8) + first + details + interop
    data = samples.saved(samples.pillow(colours()), "jpeg", exif=b"Exif\0\0" + block, quality=95)
    picture = opened(tmp_path, data)
    assert picture.metadata.icc is not None
    vivid = np.full((1, 1, 3), (40, 200, 60), np.uint8)
    assert shown(vivid, picture.metadata.icc)[0, 0, 0] < 10  # Adobe RGB's green lies far outside sRGB


@pytest.mark.parametrize("colour", [{"primaries": 12, "transfer": 13}, {"primaries": 9, "transfer": 16}])
def test_code_points_of_an_avif_are_kept(tmp_path: Path, colour: dict[str, Any]) -> None:
    data = samples.saved(samples.pillow(colours()), "avif", quality=100, subsampling="4:4:4")
    at = data.index(b"colrnclx") + 8
    data = data[:at] + struct.pack(">HH", colour["primaries"], colour["transfer"]) + data[at + 4 :]
    picture = opened(tmp_path, data)
    assert picture.metadata.cicp == Cicp(**colour)
    assert picture.metadata.icc == profile_for(Colour(Cicp(**colour)), 3)
