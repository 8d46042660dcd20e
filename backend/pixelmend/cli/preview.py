"""A small picture of a result, for those who look at it through a conversation."""

import io
from pathlib import Path

from PIL import Image

PREVIEW_PX = 512
MAX_PIXELS = 300_000_000


def preview_of(path: Path) -> bytes | None:
    """A JPEG whose longer side has PREVIEW_PX at most; None for what Pillow does not read, or too large."""
    try:
        with Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                return None
            image.draft("RGB", (PREVIEW_PX, PREVIEW_PX))
            small = image.convert("RGBA") if image.has_transparency_data else image.convert("RGB")
            small.thumbnail((PREVIEW_PX, PREVIEW_PX), Image.Resampling.LANCZOS)
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    if small.mode == "RGBA":
        white = Image.new("RGBA", small.size, "white")
        small = Image.alpha_composite(white, small).convert("RGB")
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
