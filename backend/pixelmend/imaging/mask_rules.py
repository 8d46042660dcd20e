"""How a mask is read and what it has to be, as far as no pixels are needed."""

from enum import StrEnum

from pixelmend.core.errors import InvalidParameter, PixelmendError
from pixelmend.core.geometry import Size

_ASPECT_TOLERANCE_PX = 1.0


class MaskPolarity(StrEnum):
    """Which part of a mask is removed."""

    AUTO = "auto"
    WHITE = "white"
    TRANSPARENT = "transparent"
    OPAQUE = "opaque"


def check_same_shape(mask: Size, image: Size) -> None:
    """Sides may be rounded by a pixel. Raises InvalidParameter if the mask has another shape."""
    tolerance = _ASPECT_TOLERANCE_PX * max(image.width, image.height, mask.width, mask.height)
    if abs(mask.width * image.height - mask.height * image.width) > tolerance:
        raise InvalidParameter(f"the mask is {mask} px and the image {image} px: their shapes differ")


def about_the_mask(error: PixelmendError) -> PixelmendError:
    """The same error, which says which of the two files it is about."""
    return error if "mask" in error.message else type(error)(f"the mask: {error.message}")
