"""Files from public reports, each with what is right (tests/cases.py says where they are)."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from pixelmend.core.errors import CorruptImage, UnsupportedFormat
from pixelmend.core.geometry import Size
from pixelmend.imaging.codec import Decoded, decode
from pixelmend.imaging.mask import Hole, hole_from_mask
from pixelmend.imaging.probe import InputLimits, probe
from tests.cases import case

LIMITS = InputLimits()


def decoded(name: str) -> Decoded:
    return decode(case(name), LIMITS, first_frame=True)


def shown(picture: Decoded) -> NDArray[np.float64]:
    """What a viewer shows on an sRGB screen, without alpha."""
    image = Image.fromarray(picture.pixels[:, :, :3])
    if picture.metadata.icc is not None:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(picture.metadata.icc))
        converted = ImageCms.profileToProfile(
            image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
        assert converted is not None
        image = converted
    return np.asarray(image, np.float64)


def over_white(pixels: NDArray[Any]) -> NDArray[np.float64]:
    alpha = pixels[:, :, 3:] / 255.0
    over: NDArray[np.float64] = pixels[:, :, :3] * alpha + 255.0 * (1.0 - alpha)
    return over


def test_ycbcr_in_strips_is_converted() -> None:
    picture = decoded("ycbcr-strips.tif")
    expected = np.asarray(Image.open(case("ycbcr-strips.tif")).convert("RGB"), np.int16)
    assert picture.size == Size(64, 48)
    assert np.abs(picture.pixels.astype(np.int16) - expected).max() <= 3


def test_ycbcr_in_tiles_is_converted() -> None:
    """It is the same picture as the one in strips, with chroma halved."""
    picture, other = decoded("ycbcr-tiled.tif"), decoded("ycbcr-strips.tif")
    assert picture.size == Size(64, 48)
    difference = np.abs(picture.pixels.astype(np.int16) - other.pixels)
    assert difference.mean() < 12
    assert picture.pixels.std() > 20


def test_a_directory_beyond_the_file_is_corrupt() -> None:
    with pytest.raises(CorruptImage, match="lies beyond the file"):
        probe(case("seek-too-large.tif"), LIMITS)


def test_premultiplied_colours_are_divided() -> None:
    picture, source = decoded("premultiplied.avif"), decoded("premultiplied-source.png")
    assert np.abs(over_white(picture.pixels) - over_white(source.pixels)).mean() < 2


def test_the_primary_picture_is_decoded_wherever_it_stands() -> None:
    picture, source = decoded("avif-second-item-primary.avif"), decoded("avif-second-item-source.png")
    assert np.abs(picture.pixels.astype(np.int16) - source.pixels).max() <= 6
    assert "first-frame" in picture.notes


def test_camera_raw_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedFormat, match="camera raw"):
        probe(case("camera-raw.dng"), LIMITS)


def test_display_p3_told_by_code_points_is_kept() -> None:
    picture = decoded("nclx-p3.avif")
    source = np.asarray(Image.open(case("nclx-source.png")).convert("RGB"))
    assert np.abs(picture.pixels.astype(np.int16) - source).mean() < 3  # the values are those of P3
    assert picture.metadata.icc is not None
    assert np.abs(shown(picture) - source).mean() > 5  # and are shown so


def test_linear_light_told_by_gamma_is_kept() -> None:
    picture = decoded("png-gama-1.0.png")
    at = np.argwhere((picture.pixels == 128).any(axis=2))[0]
    channel = int(np.argmax(picture.pixels[*at] == 128))
    assert abs(shown(picture)[at[0], at[1], channel] - 188) <= 1


def test_text_of_a_png_is_kept() -> None:
    names = [name for name, _ in decoded("png-text.png").metadata.text]
    assert len(names) == 4
    assert {b"tEXt", b"iTXt"} <= set(names)


def test_a_gain_map_is_named_and_no_longer_described() -> None:
    picture = decoded("gain-map.jpg")
    assert "gain-map" in picture.notes
    assert picture.metadata.xmp is not None
    for promise in (b"hdrgm", b"Container", b"GainMap"):
        assert promise not in picture.metadata.xmp


def hole(name: str) -> Hole:
    mask = decode(case(name), LIMITS)
    return hole_from_mask(mask.pixels, mask.size)


def test_masks_remove_what_their_makers_meant() -> None:
    expected = np.asarray(Image.open(case("mask-zero-one.png"))) > 0
    for name in ("mask-alpha-254.png", "mask-zero-one.png", "mask-stroke-on-transparent.png"):
        assert np.array_equal(hole(name).pixels, expected), name
    assert "stretched" in hole("mask-zero-one.png").notes[0]
    assert "stroke" in hole("mask-stroke-on-transparent.png").notes[0]


def test_every_case_is_tested(request: pytest.FixtureRequest) -> None:
    text = Path(__file__).read_text()
    untested = [path.name for path in case("README.md").parent.iterdir() if path.name not in text]
    assert untested == []
