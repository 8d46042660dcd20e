"""Resizing to an exact size with libvips."""

import pyvips

from pixelmend.imaging.geometry import Size


def resize(image: pyvips.Image, size: Size) -> pyvips.Image:
    """Resize to exactly `size` px: Lanczos, antialiased when shrinking; format and channels stay.

    Reads `image` from top to bottom, a window of rows at a time: sequential access is enough.
    Alpha is straight before and after, but colour is weighted with it in between: otherwise the colour
    of invisible pixels would bleed into visible ones.
    """
    if (image.width, image.height) == (size.width, size.height):
        return image
    limit = 65_535 if image.format == "ushort" else 255
    working = image.premultiply(max_alpha=limit) if image.hasalpha() else image
    working = working.resize(size.width / image.width, vscale=size.height / image.height, kernel="lanczos3")
    # rounding in libvips may leave it a pixel off for extreme ratios
    if (working.width, working.height) != (size.width, size.height):
        working = working.gravity("centre", size.width, size.height, extend="copy")
    if image.hasalpha():
        working = working.unpremultiply(max_alpha=limit).rint()
    return working.cast(image.format).copy(interpretation=image.interpretation)
