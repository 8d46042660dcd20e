"""How far beyond the edge of an image a network sees."""

from pixelmend.core.geometry import Size

EDGE_MARGIN_PX = 8
"""With 6 px and more, the zeros that pad the convolutions do not show in flat areas
(docs/adr/0004-edges.md)."""


def with_margin(size: Size, margin_px: int = EDGE_MARGIN_PX) -> Size:
    """The size of an image that is continued by `margin_px` on every side."""
    return Size(size.width + 2 * margin_px, size.height + 2 * margin_px)
