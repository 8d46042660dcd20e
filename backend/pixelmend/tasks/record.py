"""How a result was made, so that it can be made again: what a result's file carries."""

from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from pixelmend.core.errors import InvalidParameter
from pixelmend.core.version import VERSION
from pixelmend.tasks.options import ImageOptions

FORMAT = 1


@dataclass(frozen=True, slots=True)
class ModelUse:
    """A model that took part, with the file that it was read from. sha256: empty if it has no file."""

    id: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ResultRecord:
    """steps, options: as in `ImageTask`. precision: that the network computed in, or "none". tile: "224x282",
    in input pixels, or "none". source_sha256, mask_sha256: of the files that were sent.
    """

    steps: tuple[str, ...]
    options: ImageOptions
    models: tuple[ModelUse, ...]
    precision: str
    device: str
    tile: str
    source_sha256: str
    mask_sha256: str | None = None
    pixelmend: str = VERSION
    format: int = FORMAT

    def to_json(self) -> str:
        """ASCII. Defaults are written as well, since those of another version may differ."""
        return _CODEC.dump_json(self, exclude_none=True, ensure_ascii=True).decode()


_CODEC = TypeAdapter(ResultRecord)


def record_from_json(text: str) -> ResultRecord:
    """Raises InvalidParameter if it is of another version of the format, or no record."""
    try:
        record = _CODEC.validate_json(text)
    except ValidationError as error:
        raise InvalidParameter(f"the record cannot be read: {error.errors()[0]['msg']}") from error
    if record.format != FORMAT:
        raise InvalidParameter(f"the record has format {record.format}; this version reads {FORMAT}")
    return record
