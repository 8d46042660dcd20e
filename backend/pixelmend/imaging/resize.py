"""Resizing to an exact size with libvips."""

import pyvips

from pixelmend.core.geometry import Size


def resize(image: pyvips.Image, size: Size) -> pyvips.Image:
    """Resize to exactly `size` px: Lanczos, antialiased, when shrinking, bicubic when growing; format and
    channels stay, and so does the place of the image: centres of areas lie on centres of areas.

    Reads `image` from top to bottom, a window of rows at a time: sequential access is enough.
    Alpha is straight before and after, but colour is weighted with it in between: otherwise the colour
    of invisible pixels would bleed into visible ones.
    """
    if (image.width, image.height) == (size.width, size.height):
        return image
    limit = 65_535 if image.format == "ushort" else 255
    working = image.premultiply(max_alpha=limit) if image.hasalpha() else image
    working = _enlarged(_shrunk(working, size), size)
    if image.hasalpha():
        working = working.unpremultiply(max_alpha=limit).rint()
    return working.cast(image.format).copy(interpretation=image.interpretation)


def _shrunk(image: pyvips.Image, size: Size) -> pyvips.Image:
    """Resize the axes that get shorter."""
    width, height = min(image.width, size.width), min(image.height, size.height)
    if (width, height) == (image.width, image.height):
        return image
    made = image.resize(width / image.width, vscale=height / image.height, kernel="lanczos3")
    # Rounding in libvips may make it a pixel too small or large for extreme ratios.
    if (made.width, made.height) != (width, height):
        made = made.gravity("centre", width, height, extend="copy")
    return made


def _enlarged(image: pyvips.Image, size: Size) -> pyvips.Image:
    """Resize the axes that get longer. Not by libvips' own `resize`, which is half a result's pixel off."""
    if (image.width, image.height) == (size.width, size.height):
        return image
    across, down = size.width / image.width, size.height / image.height
    return image.affine(
        [across, 0, 0, down],
        interpolate=pyvips.Interpolate.new("bicubic"),
        odx=(across - 1) / 2,
        ody=(down - 1) / 2,
        oarea=[0, 0, size.width, size.height],
        extend="copy",
    )
