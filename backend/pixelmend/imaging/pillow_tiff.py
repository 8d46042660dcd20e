"""Decoding with Pillow's libtiff the TIFF files that libvips reads wrongly or not at all."""

import warnings
from pathlib import Path

import numpy as np
from PIL import ImageCms
from PIL.TiffImagePlugin import TiffImageFile

from pixelmend.core.errors import CorruptImage, UnsupportedFormat
from pixelmend.imaging.direct import library_errors
from pixelmend.imaging.formats.record import FileContents, ImageInfo
from pixelmend.imaging.headers.tiff import TiffDetails

_CMYK, _YCBCR, _CIELAB = 5, 6, 8
_NONE, _OLD_JPEG, _JPEG, _WEBP = 1, 6, 7, 50001
# libvips' libtiff is built without these, and gives blank tiles for them instead of an error.
_NOT_IN_LIBVIPS = {34925: "LZMA", 50000: "Zstandard"}
# libvips mixes up the planes of these without an error.
_WRONG_IN_PLANES = {0: "grey", 1: "grey", 3: "palette colours", _YCBCR: "YCbCr colours"}


class _ThroughLibtiff(TiffImageFile):
    """Pillow reads uncompressed files itself, but not in tiles of subsampled YCbCr."""

    @property
    def use_load_libtiff(self) -> bool:
        return True

    @use_load_libtiff.setter
    def use_load_libtiff(self, _: bool) -> None:
        """The base class's own choice is ignored."""

    def load_end(self) -> None:
        """The base class applies the orientation here; ours is applied elsewhere."""


def needs_pillow(info: ImageInfo, header: TiffDetails) -> bool:
    """Whether libvips reads the file wrongly or not at all."""
    ycbcr = header.photometric == _YCBCR and header.compression != _JPEG
    lab = header.photometric == _CIELAB and info.bits == 8
    return ycbcr or lab or header.compression in _NOT_IN_LIBVIPS


def check_decodable(info: ImageInfo, header: TiffDetails) -> None:
    """Raise UnsupportedFormat, naming what it is, for a file that neither library reads right."""
    if header.compression == _OLD_JPEG:
        raise UnsupportedFormat("the TIFF has old-style JPEG compression (6); not supported")
    if header.planar and header.compression == _WEBP:
        raise UnsupportedFormat("the TIFF has WebP compression of separate planes; not supported")
    if header.planar and header.photometric in _WRONG_IN_PLANES:
        kind = _WRONG_IN_PLANES[header.photometric]
        raise UnsupportedFormat(f"the TIFF has {kind} and other channels in separate planes; not supported")
    if header.photometric == _CMYK and needs_pillow(info, header):
        raise UnsupportedFormat(
            f"the TIFF has CMYK colours with {_NOT_IN_LIBVIPS[header.compression]} compression; not supported"
        )
    if needs_pillow(info, header) and info.bits == 16 and header.samples > 1:
        what = _NOT_IN_LIBVIPS.get(header.compression)
        how = f"{what} compression" if what else "YCbCr colours"
        raise UnsupportedFormat(f"the TIFF has {how} of {header.samples} channels of 16 bits; not supported")


def decode_tiff(path: Path, header: TiffDetails, exif: bytes | None) -> FileContents:
    """Pixels as stored, Lab in sRGB; `exif` is passed on. Raises CorruptImage, UnsupportedFormat."""
    if header.photometric == _CIELAB:
        return _decode_lab(path, exif)
    with library_errors("tiff"), warnings.catch_warnings(), _ThroughLibtiff(path) as image:
        warnings.simplefilter("ignore")  # Pillow warns about odd tags
        plain = image
        if image.mode in ("P", "PA", "1", "RGBX"):
            plain = image.convert({"P": "RGB", "PA": "RGBA", "1": "L", "RGBX": "RGB"}[image.mode])  # type: ignore[assignment]
        if plain.mode not in ("L", "LA", "RGB", "RGBA", "I;16", "I;16L", "I;16B", "I;16N"):
            raise UnsupportedFormat(f"the TIFF has pixels of Pillow's mode {plain.mode}; not supported")
        pixels = np.asarray(plain)
        icc = image.info.get("icc_profile")
        xmp = image.info.get("xmp")
    if pixels.dtype not in (np.uint8, np.uint16):
        pixels = pixels.astype(np.uint16)
    pixels = pixels[:, :, np.newaxis] if pixels.ndim == 2 else pixels
    return FileContents(pixels, icc=icc or None, exif=exif, xmp=xmp or None)


def _decode_lab(path: Path, exif: bytes | None) -> FileContents:
    with library_errors("tiff"), warnings.catch_warnings(), _ThroughLibtiff(path) as image:
        warnings.simplefilter("ignore")
        converted = ImageCms.profileToProfile(
            image, ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    if converted is None:
        raise CorruptImage("the tiff cannot be decoded: its Lab data cannot be converted")
    return FileContents(np.asarray(converted), exif=exif, notes=("lab-converted",))
