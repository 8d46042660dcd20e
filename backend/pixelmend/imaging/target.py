"""The size of the result as callers give it: a factor, or a width, a height or both."""

from dataclasses import dataclass

from pixelmend.core.errors import InvalidParameter, OutputTooLarge
from pixelmend.core.geometry import Rect, Size, Span

MIN_FACTOR = 1.0
MAX_FACTOR = 8.0
MAX_SIDE_PX = 10_000_000
"""Far beyond every format; keeps the arithmetic away from numbers of a thousand digits."""


@dataclass(frozen=True, slots=True)
class Target:
    """Either `scale`, or `width_px` and/or `height_px`; with none of them, the model's own scale.

    covers: with both sides, what does not fit of the image is cut off and not squeezed in.
    """

    scale: float | None = None
    width_px: int | None = None
    height_px: int | None = None
    covers: bool = False

    def __post_init__(self) -> None:
        for name, side in (("width", self.width_px), ("height", self.height_px)):
            if side is not None and not 1 <= side <= MAX_SIDE_PX:
                raise InvalidParameter(f"{name}={str(side)[:20]} is outside 1 to {MAX_SIDE_PX}")
        if self.scale is not None and (self.width_px or self.height_px):
            raise InvalidParameter(
                f"scale={self.scale:g} and an exact size exclude each other; give one of them"
            )

        if self.covers and (self.width_px is None or self.height_px is None):
            raise InvalidParameter("fit=cover needs an exact size: give both width and height")

    def part_of(self, source: Size) -> Rect:
        """What becomes the result: all of `source`, or its middle, as large as the result's shape allows."""
        width, height = source.width, source.height
        if self.covers and self.width_px is not None and self.height_px is not None:
            if self.width_px * source.height >= self.height_px * source.width:
                height = max(1, round(source.width * self.height_px / self.width_px))
            else:
                width = max(1, round(source.height * self.width_px / self.height_px))
        left, top = (source.width - width) // 2, (source.height - height) // 2
        return Rect(Span(left, left + width), Span(top, top + height))

    def size_for(self, source: Size, model_scale: int, max_pixels: int) -> Size:
        """The result's size for an upright `source`.

        One of width and height keeps the aspect ratio; both are taken as they are. Factors are those of the
        part that becomes the result. Raises InvalidParameter for factors outside 1 to 8, OutputTooLarge above
        `max_pixels`.
        """
        source = self.part_of(source).size
        if self.width_px is not None or self.height_px is not None:
            width = self.width_px or max(1, round(source.width * (self.height_px or 0) / source.height))
            height = self.height_px or max(1, round(source.height * (self.width_px or 0) / source.width))
            # A side that follows from the other has the same factor; only what was asked for is named.
            if self.width_px is not None:
                _check_factor(f"width={width}", width, source.width)
            if self.height_px is not None:
                _check_factor(f"height={height}", height, source.height)
        else:
            factor = float(model_scale) if self.scale is None else self.scale
            if not MIN_FACTOR <= factor <= MAX_FACTOR:
                raise InvalidParameter(f"scale={factor:g} is outside {MIN_FACTOR:g} to {MAX_FACTOR:g}")
            width, height = round(source.width * factor), round(source.height * factor)
        if width * height > max_pixels:
            raise OutputTooLarge(f"{width}x{height} px exceeds max_output_pixels={max_pixels}")
        return Size(width, height)


def _check_factor(what: str, length: int, source: int) -> None:
    if not MIN_FACTOR * source <= length <= MAX_FACTOR * source:
        raise InvalidParameter(
            f"{what} is {length / source:.3g} times the image's {source} px; "
            f"factors from {MIN_FACTOR:g} to {MAX_FACTOR:g} are possible"
        )
