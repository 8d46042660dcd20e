"""Exif data keeps every other byte if size, orientation and thumbnail change; damaged data harms nothing."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelmend.core.geometry import Size
from pixelmend.imaging import exif, tiff_exif
from pixelmend.imaging.codec import decode
from pixelmend.imaging.formats import (
    JPEG,
    TIFF,
)
from pixelmend.imaging.metadata import Metadata
from pixelmend.imaging.probe import InputLimits
from tests.imaging import samples
from tests.imaging.writing import full_metadata, write


def test_exif_keeps_every_other_byte() -> None:
    block = full_metadata().exif
    assert block is not None
    changed = exif.upright(block, Size(60, 40))
    assert len(changed) == len(block)
    different = sum(a != b for a, b in zip(block, changed, strict=True))
    assert 0 < different <= 12


def test_exif_thumbnail_goes() -> None:
    image = samples.pillow(samples.photo())
    thumbnail = samples.saved(samples.pillow(samples.photo(8, 8)), "jpeg")
    block = samples.exif_block(6, t010f="Maker").tobytes().removeprefix(b"Exif\0\0")
    first = int.from_bytes(block[4:8], "big")
    entries = int.from_bytes(block[first : first + 2], "big")
    link = first + 2 + entries * 12
    second = len(block)
    directory = (2).to_bytes(2, "big")
    for tag, value in ((0x0201, second + 30), (0x0202, len(thumbnail))):
        directory += (
            tag.to_bytes(2, "big")
            + (4).to_bytes(2, "big")
            + (1).to_bytes(4, "big")
            + value.to_bytes(4, "big")
        )
    directory += bytes(4)
    with_thumbnail = block[:link] + second.to_bytes(4, "big") + block[link + 4 :] + directory + thumbnail
    cleaned = exif.upright(with_thumbnail, Size(60, 40))
    assert thumbnail not in cleaned
    buffer = io.BytesIO()
    image.save(buffer, "jpeg", exif=b"Exif\0\0" + cleaned)
    tags = Image.open(buffer).getexif()
    assert tags[0x010F] == "Maker"
    assert tags[0x0112] == 1


@pytest.mark.parametrize("order", ["big", "little"])
def test_exif_of_a_tiff_passes_through_other_formats(tmp_path: Path, order: str) -> None:
    block = full_metadata().exif
    assert block is not None
    if order == "little":
        block = tiff_exif.gather(block)
        assert block is not None
        assert block[:2] == b"II"
    write(tmp_path / "x.tif", samples.photo(), TIFF, Metadata(exif=block))
    kept = decode(tmp_path / "x.tif", InputLimits()).metadata
    write(tmp_path / "x.jpg", samples.photo(), JPEG, kept)
    with Image.open(tmp_path / "x.jpg") as image:
        tags = image.getexif()
        details = tags.get_ifd(0x8769)
        assert (tags[0x010F], tags[0x0132]) == ("Maker", "2026:11:21 04:00:00")
        assert (details[0xA002], details[0x927C]) == (60, b"maker note")


def test_damaged_exif_never_raises() -> None:
    block = full_metadata().exif
    assert block is not None
    chance = np.random.default_rng(3)
    for _ in range(500):
        bytes_ = bytearray(block[: chance.integers(14, len(block))])
        for _ in range(4):
            bytes_[chance.integers(4, len(bytes_))] = chance.integers(256)
        damaged = bytes(bytes_)
        assert 1 <= exif.orientation(damaged) <= 8
        exif.dpi(damaged)
        exif.upright(damaged, Size(3, 4))
        tiff_exif.gather(damaged)
        exif.with_resolution(damaged, 300.0, 300.0)
