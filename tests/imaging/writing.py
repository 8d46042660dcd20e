"""Writes small images, with all metadata that there can be."""

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from pixelmend.core.geometry import Size
from pixelmend.imaging.formats import (
    Format,
    OutputSpec,
    format_registry,
)
from pixelmend.imaging.metadata import Metadata
from pixelmend.imaging.writers import open_writer
from tests.imaging import samples

OUTPUTS = format_registry().outputs


def write(
    path: Path,
    pixels: NDArray[Any],
    kind: Format,
    metadata: Metadata | None = None,
    *,
    size: Size | None = None,
    quality: int | None = None,
) -> OutputSpec:
    height, width, channels = pixels.shape
    spec = OutputSpec(kind, size or Size(width, height), channels, pixels.dtype.itemsize * 8, quality)
    with open_writer(
        path,
        spec,
        metadata or Metadata(),
        threads=2,
        source_size=Size(width, height) if size else None,
    ) as writer:
        for top in range(0, height, 13):
            writer.write_rows(pixels[top : top + 13])
        writer.finish()
    assert not path.with_name(path.name + ".part").exists()
    return spec


def full_metadata(channels: int = 3) -> Metadata:
    block = samples.exif_block(6, t010f="Maker", t0132="2026:11:21 04:00:00")
    details = block.get_ifd(0x8769)
    details[0xA002], details[0xA003], details[0x927C] = 7, 9, b"maker note"
    profile = samples.srgb_profile() if channels >= 3 else samples.grey_profile()
    xmp = b'<x:xmpmeta tiff:Orientation="6" exif:PixelXDimension="7">text</x:xmpmeta>'
    return Metadata(profile, block.tobytes().removeprefix(b"Exif\0\0"), xmp, (300.0, 150.0))
