"""What can be asked for: which fields each kind of work takes, and in which format it is answered."""

import contextlib
from dataclasses import dataclass
from types import MappingProxyType

from pixelmend.api.forms import InpaintForm, UpscaleForm
from pixelmend.api.uploads import Upload
from pixelmend.core.errors import InvalidParameter, NotAcceptable
from pixelmend.imaging.formats import OutputFormat
from pixelmend.jobs.model import Kind


@dataclass(frozen=True, slots=True)
class Offer:
    """How one kind of work is asked for. mask_field: None where nothing is erased."""

    form: type[UpscaleForm] | type[InpaintForm]
    image_field: str
    mask_field: str | None = None

    @property
    def file_fields(self) -> tuple[str, ...]:
        return (self.image_field,) if self.mask_field is None else (self.image_field, self.mask_field)


OFFERS = MappingProxyType(
    {
        Kind.UPSCALE: Offer(UpscaleForm, "file"),
        Kind.INPAINT: Offer(InpaintForm, "file", "mask"),
        Kind.UPSCALE_BATCH: Offer(UpscaleForm, "files"),
        Kind.INPAINT_BATCH: Offer(InpaintForm, "files", "masks"),
    }
)


def take_kind(upload: Upload) -> Kind:
    task = upload.fields.pop("task", "").strip()
    offered = ", ".join(OFFERS)
    if not task:
        raise InvalidParameter(f"the field 'task' is missing; there are: {offered}")
    if task not in OFFERS:
        raise InvalidParameter(f"task={task[:64]!r} is not known; there are: {offered}")
    kind = Kind(task)
    for field in upload.files:
        if field not in OFFERS[kind].file_fields:
            wanted = " and ".join(repr(name) for name in OFFERS[kind].file_fields)
            raise InvalidParameter(f"task={task!r} takes the field {wanted}, not {field!r}")
    return kind


def negotiate(accept: str | None) -> OutputFormat:
    """The output format where no `format` field names one: PNG where the client takes it.

    Raises NotAcceptable naming the header and what there is.
    """
    if accept is None or not accept.strip():
        return OutputFormat.PNG
    ranges: dict[str, float] = {}
    for part in accept.split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                with contextlib.suppress(ValueError):
                    weight = float(parameter[2:])
        ranges[media.lower()] = weight

    def weight_of(output: OutputFormat) -> float:
        return ranges.get(output.media_type, ranges.get("image/*", ranges.get("*/*", 0.0)))

    # max keeps the first of equals, and PNG, which loses nothing, is the first.
    best = max(OutputFormat, key=weight_of)
    if weight_of(best) <= 0:
        offered = ", ".join(f.media_type for f in OutputFormat)
        raise NotAcceptable(f"Accept is {accept[:120]!r}; there are: {offered}")
    return best
