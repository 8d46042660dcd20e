"""AVIF, and HEIC, which is read only: the same container with different codecs."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelmend.core.geometry import Size
from pixelmend.imaging.formats.record import FileContents, Format, ImageInfo, OutputSpec, Reading, Writing
from pixelmend.imaging.headers import heif
from pixelmend.imaging.metadata import Metadata

if TYPE_CHECKING:
    import pyvips

    from pixelmend.imaging.writers import ImageWriter

_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"})


def _brands(head: bytes) -> tuple[bytes, ...]:
    """The file's brand, then those that it is compatible with; empty for other files."""
    if head[4:8] != b"ftyp":
        return ()
    end = min(int.from_bytes(head[:4], "big"), len(head))
    return head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))


def _is_avif(head: bytes) -> bool:
    brands = _brands(head)
    # mif1 is the neutral brand of the container: the compatible brands then name the codec.
    return bool(brands) and brands[0] in _AVIF_BRANDS | _HEIF_BRANDS and bool(_AVIF_BRANDS & set(brands))


def _is_heic(head: bytes) -> bool:
    brands = _brands(head)
    return bool(brands) and brands[0] in _HEIF_BRANDS and not _AVIF_BRANDS & set(brands)


def _load(name: bytes, options: dict[str, Any]) -> "pyvips.Image":
    import pyvips

    # Pages are in the file's order, and any of them may be the primary image.
    first = pyvips.Image.heifload(name, page=0, n=1, unlimited=False, **options)
    primary = int(first.get("heif-primary"))
    if primary == 0:
        return first
    return pyvips.Image.heifload(name, page=primary, n=1, unlimited=False, **options)


def _decode_avif(path: Path, data: bytes, info: ImageInfo) -> FileContents:
    from pixelmend.imaging.direct import unpremultiplied
    from pixelmend.imaging.loading import decode_with_vips

    found = decode_with_vips(path, data, info, _load)
    if found.pixels.shape[2] in (2, 4) and _details(info).premultiplied:
        return replace(found, pixels=unpremultiplied(found.pixels))
    return found


def _decode_heic(path: Path, data: bytes, info: ImageInfo) -> FileContents:
    from pixelmend.imaging.direct import decode_heic
    from pixelmend.imaging.upright import turned

    return turned(decode_heic(path), info)


def _extras(data: bytes, info: ImageInfo) -> Iterable[str]:
    return _details(info).extras


def _details(info: ImageInfo) -> heif.HeifDetails:
    assert isinstance(info.details, heif.HeifDetails)
    return info.details


def _open(path: Path, spec: OutputSpec, metadata: Metadata, source: Size, threads: int) -> "ImageWriter":
    from pixelmend.imaging.encode import encode_avif
    from pixelmend.imaging.writers import stream_to_file

    return stream_to_file(path, spec, metadata, source, encode_avif)


AVIF = Format(
    "avif",
    "image/avif",
    (".avif",),
    Reading(_is_avif, heif.read, _decode_avif, _extras),
    # libvips' encoder takes 16384 px; the format itself could hold more.
    Writing(_open, 16_384, default_quality=65, grey_profile=False, peak_bytes_per_px=20),
)
HEIC = Format("heic", "image/heic", (".heic", ".heif"), Reading(_is_heic, heif.read, _decode_heic, _extras))
