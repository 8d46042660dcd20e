"""Which output format the Accept header asks for."""

import contextlib

from pixelmend.core.errors import NotAcceptable
from pixelmend.imaging.formats import Format, FormatRegistry


def negotiate(accept: str | None, formats: FormatRegistry) -> Format:
    """The output format if no `format` field names one: PNG if the client takes it.

    Raises NotAcceptable naming the header and what there is.
    """
    if accept is None or not accept.strip():
        return formats.outputs[0]
    ranges: dict[str, float] = {}
    for part in accept.split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                with contextlib.suppress(ValueError):
                    weight = float(parameter[2:])
        ranges[media.lower()] = weight

    def weight_of(output: Format) -> float:
        return ranges.get(output.media_type, ranges.get("image/*", ranges.get("*/*", 0.0)))

    # max keeps the first of equals, and PNG, which loses nothing, is the first.
    best = max(formats.outputs, key=weight_of)
    if weight_of(best) <= 0:
        offered = ", ".join(f.media_type for f in formats.outputs)
        raise NotAcceptable(f"Accept is {accept[:120]!r}; there are: {offered}")
    return best
