"""TIFF."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelmend.core.geometry import Size
from pixelmend.imaging.formats.record import FileContents, Format, ImageInfo, OutputSpec, Reading, Writing
from pixelmend.imaging.headers import tiff
from pixelmend.imaging.metadata import Metadata

if TYPE_CHECKING:
    import pyvips

    from pixelmend.imaging.writers import ImageWriter

_SIGNS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_MAX_CLASSIC_BYTES = 3_900_000_000
"""Below 2^32, because incompressible data grows a little."""


def _recognise(head: bytes) -> bool:
    return head.startswith(_SIGNS)


def _load(name: bytes, options: dict[str, Any]) -> "pyvips.Image":
    import pyvips

    # libtiff calls missing pixels an error, which "truncated" lets pass: they would be black.
    options = options | {"fail_on": "error"}
    return pyvips.Image.tiffload(name, page=0, n=1, autorotate=False, unlimited=False, **options)


def _decode(path: Path, data: bytes, info: ImageInfo) -> FileContents:
    from pixelmend.imaging import tiff_exif
    from pixelmend.imaging.loading import decode_with_vips
    from pixelmend.imaging.pillow_tiff import check_decodable, decode_tiff, needs_pillow
    from pixelmend.imaging.upright import turned

    details = _details(info)
    check_decodable(info, details)
    block = tiff_exif.gather(data)
    if needs_pillow(info, details):
        return turned(decode_tiff(path, details, exif=block), info)
    return decode_with_vips(path, data, info, _load, tiff=details, exif=block)


def _extras(data: bytes, info: ImageInfo) -> Iterable[str]:
    return _details(info).extras


def _details(info: ImageInfo) -> tiff.TiffDetails:
    assert isinstance(info.details, tiff.TiffDetails)
    return info.details


def is_big(spec: OutputSpec) -> bool:
    """Whether the file may outgrow 32-bit offsets."""
    return spec.size.pixels * spec.channels * spec.bits // 8 > _MAX_CLASSIC_BYTES


def _more_losses(spec: OutputSpec, metadata: Metadata) -> Iterator[str]:
    if metadata.exif and is_big(spec):
        yield "exif"


def _open(path: Path, spec: OutputSpec, metadata: Metadata, source: Size, threads: int) -> "ImageWriter":
    from pixelmend.imaging.encode import encode_tiff
    from pixelmend.imaging.writers import stream_to_file

    return stream_to_file(path, spec, metadata, source, encode_tiff)


TIFF = Format(
    "tiff",
    "image/tiff",
    (".tif", ".tiff"),
    Reading(_recognise, tiff.read, _decode, _extras),
    Writing(_open, 10_000_000, sixteen_bit=True, more_losses=_more_losses),
)
