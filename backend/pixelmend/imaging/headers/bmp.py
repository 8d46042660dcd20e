"""BMP header, read by Pillow, which also decodes this format."""

import io

from PIL.BmpImagePlugin import BmpImageFile

from pixelmend.errors import CorruptImage
from pixelmend.imaging.headers.fields import HeaderFields, checked_dpi, checked_size


def read(data: bytes) -> HeaderFields:
    """Read the header of a BMP file. Raises CorruptImage."""
    # The plugin itself rather than Image.open: no other format can be tried, and no warning is given
    # for big images, which are refused by our own limits.
    try:
        image = BmpImageFile(io.BytesIO(data[:2048]))
    except (OSError, ValueError, SyntaxError, IndexError, KeyError) as error:
        raise CorruptImage(f"the BMP header cannot be read: {error}") from error
    with image:
        dpi = image.info.get("dpi")
        return HeaderFields(
            size=checked_size(*image.size),
            grey=image.mode in ("1", "L"),
            has_alpha=image.mode == "RGBA",
            dpi=checked_dpi(*dpi) if dpi else None,
        )
