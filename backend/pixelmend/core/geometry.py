"""Sizes and rectangles in pixels. Pure values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"a size needs at least 1x1 px, got {self.width}x{self.height}")

    @property
    def pixels(self) -> int:
        return self.width * self.height

    def scale(self, factor: int) -> "Size":
        return Size(self.width * factor, self.height * factor)

    def transposed(self) -> "Size":
        return Size(self.height, self.width)

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open interval `[start, stop)` on one axis."""

    start: int
    stop: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.stop:
            raise ValueError(f"a span needs 0 <= start < stop, got {self.start}..{self.stop}")

    @property
    def length(self) -> int:
        return self.stop - self.start

    def scale(self, factor: int) -> "Span":
        return Span(self.start * factor, self.stop * factor)

    def shift(self, offset: int) -> "Span":
        return Span(self.start + offset, self.stop + offset)

    def contains(self, other: "Span") -> bool:
        return self.start <= other.start and other.stop <= self.stop

    def as_slice(self) -> slice:
        return slice(self.start, self.stop)


@dataclass(frozen=True, slots=True)
class Rect:
    """An axis-aligned rectangle: columns `x`, rows `y`."""

    x: Span
    y: Span

    @property
    def size(self) -> Size:
        return Size(self.x.length, self.y.length)

    def scale(self, factor: int) -> "Rect":
        return Rect(self.x.scale(factor), self.y.scale(factor))

    def contains(self, other: "Rect") -> bool:
        return self.x.contains(other.x) and self.y.contains(other.y)

    def widened(self, margin_px: int, within: Size) -> "Rect":
        """With a margin on every side, as far as `within` reaches."""
        return Rect(
            Span(max(0, self.x.start - margin_px), min(within.width, self.x.stop + margin_px)),
            Span(max(0, self.y.start - margin_px), min(within.height, self.y.stop + margin_px)),
        )

    def relative_to(self, outer: "Rect") -> "Rect":
        """This rectangle in the coordinates of `outer`, which must contain it."""
        return Rect(self.x.shift(-outer.x.start), self.y.shift(-outer.y.start))

    def as_slices(self) -> tuple[slice, slice]:
        """Index for a (rows, columns, ...) array."""
        return self.y.as_slice(), self.x.as_slice()
