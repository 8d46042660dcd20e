"""The formats of a service, by their names, file names and first bytes."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from pixelmend.core.errors import InvalidParameter, UnsupportedFormat
from pixelmend.imaging.formats.bmp import BMP
from pixelmend.imaging.formats.foreign import describe
from pixelmend.imaging.formats.gif import GIF
from pixelmend.imaging.formats.heif import AVIF, HEIC
from pixelmend.imaging.formats.jpeg import JPEG
from pixelmend.imaging.formats.png import PNG
from pixelmend.imaging.formats.record import Format
from pixelmend.imaging.formats.tiff import TIFF
from pixelmend.imaging.formats.webp import WEBP

SNIFF_BYTES = 256
"""How many leading bytes are looked at; fewer are fine if the file is shorter."""


@dataclass(frozen=True, slots=True)
class FormatRegistry:
    """formats: in the order in which they are shown. The first one that is written is the default."""

    formats: tuple[Format, ...]

    @property
    def inputs(self) -> tuple[Format, ...]:
        return tuple(each for each in self.formats if each.reading is not None)

    @property
    def outputs(self) -> tuple[Format, ...]:
        return tuple(each for each in self.formats if each.writing is not None)

    def output(self, name: str) -> Format:
        """Raises InvalidParameter naming the formats there are."""
        return format_named(name, self.outputs)

    def output_of_suffix(self, suffix: str) -> Format | None:
        """suffix: of a file name, with its dot, in any case."""
        return next((each for each in self.outputs if suffix.lower() in each.suffixes), None)

    def beginning_with(self, head: bytes) -> Format | None:
        """head: the first SNIFF_BYTES bytes."""
        return next((each for each in self.inputs if each.reading and each.reading.recognise(head)), None)

    def recognise(self, head: bytes, accepted: Collection[str] | None = None) -> Format:
        """The format of a file by its first bytes. Its name, and the type its sender claims, do not matter.

        head: the first SNIFF_BYTES bytes. accepted: names; None for all. Raises UnsupportedFormat, naming
        what was seen, for everything else.
        """
        accepted = tuple(each.name for each in self.inputs) if accepted is None else accepted
        listed = ", ".join(accepted)
        found = self.beginning_with(head)
        if found is None:
            foreign = describe(head)
            is_film = foreign.film_suffix is not None
            instead = "films are for the task upscale-video" if is_film else f"accepted are {listed}"
            raise UnsupportedFormat(f"the file is {foreign.words}; {instead}")
        if found.name not in accepted:
            raise UnsupportedFormat(f"the file is {found}, which is switched off here; accepted are {listed}")
        return found


def format_named(name: str, formats: tuple[Format, ...]) -> Format:
    """Raises InvalidParameter naming the formats there are."""
    found = next((each for each in formats if each.name == name), None)
    if found is None:
        known = ", ".join(map(str, formats))
        raise InvalidParameter(f"format={name[:64]!r} is not known; there are: {known}")
    return found


def format_registry(more: Iterable[Format] = ()) -> FormatRegistry:
    """The formats that come with the package, and `more`. A name that is taken raises ValueError."""
    formats = (PNG, JPEG, WEBP, AVIF, TIFF, HEIC, BMP, GIF, *more)
    names = [each.name for each in formats]
    if len(set(names)) < len(names):
        raise ValueError(f"two formats have one name: {', '.join(names)}")
    return FormatRegistry(formats)
