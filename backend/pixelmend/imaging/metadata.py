"""The metadata that is kept with the pixels: colour profile, EXIF, XMP, resolution."""

from dataclasses import dataclass, replace

from pixelmend.core.geometry import Size
from pixelmend.imaging import exif, xmp
from pixelmend.imaging.colour import Cicp


@dataclass(frozen=True, slots=True)
class Metadata:
    r"""Metadata of an image whose orientation has been applied.

    icc: an ICC profile that fits the pixels' channels. exif: a TIFF structure without the `Exif\0\0`
    prefix. xmp: an XMP packet (UTF-8). dpi: horizontal and vertical pixels per inch. cicp: code points
    that the file had; `icc` says the same to readers that do not know them. text: text chunks of a PNG.
    """

    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    cicp: Cicp | None = None
    text: tuple[tuple[bytes, bytes], ...] = ()

    def upright(self, size: Size) -> "Metadata":
        """The same for an upright image of `size` px: orientations read 1, dimensions are `size`, the
        EXIF thumbnail of the old image is removed.
        """
        return replace(
            self,
            exif=exif.upright(self.exif, size) if self.exif else None,
            xmp=xmp.upright(self.xmp, size) if self.xmp else None,
        )


def usable_icc(profile: bytes | None, colour_channels: int) -> bool:
    """Whether `profile` is an ICC profile for images of 1 (grey), 3 (RGB) or 4 (CMYK) channels.

    A profile for another kind of image would make readers show wrong colours, or refuse the file.
    """
    if profile is None or len(profile) < 132 or profile[36:40] != b"acsp":
        return False
    wanted = {1: b"GRAY", 3: b"RGB ", 4: b"CMYK"}[colour_channels]
    return profile[16:20] == wanted and int.from_bytes(profile[:4], "big") <= len(profile)
