"""TIFF without compression or metadata, in which programs of ours take arrays back from an engine.

It is not among the formats that come with the package, so no client of a service is offered it.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from pixelmend.core.geometry import Size
from pixelmend.imaging.formats.record import Format, OutputSpec, Writing
from pixelmend.imaging.metadata import Metadata

if TYPE_CHECKING:
    from pixelmend.imaging.writers import ImageWriter


def _open(path: Path, spec: OutputSpec, metadata: Metadata, source: Size, threads: int) -> "ImageWriter":
    from pixelmend.imaging.bare_tiff import open_bare_tiff

    return open_bare_tiff(path, spec, source)


BARE_TIFF = Format("bare-tiff", "image/tiff", (".tif",), writing=Writing(_open, 10_000_000, sixteen_bit=True))
