"""What a format can hold of a result, and what it cannot: known before any work is done."""

from pixelmend.core.errors import InvalidParameter, OutputTooLarge
from pixelmend.imaging.formats.record import OutputSpec
from pixelmend.imaging.metadata import Metadata


def check_encodable(spec: OutputSpec) -> None:
    """Refuse what the encoder would refuse after the work was done.

    Raises OutputTooLarge if a side exceeds the format, InvalidParameter for a quality outside 1-100 or for a
    format that has none.
    """
    limit = spec.writing.max_side_px
    if max(spec.size.width, spec.size.height) > limit:
        raise OutputTooLarge(f"{spec.size} px exceeds the {limit} px that {spec.format} can hold on a side")
    if spec.quality is None:
        return
    if spec.writing.default_quality is None:
        raise InvalidParameter(f"quality={spec.quality} applies to lossy formats; {spec.format} is lossless")
    if not 1 <= spec.quality <= 100:
        raise InvalidParameter(f"quality={spec.quality} is outside 1..100")


def losses(spec: OutputSpec, metadata: Metadata) -> tuple[str, ...]:
    """What the file will not keep of the rows and their metadata, as short tokens.

    "alpha": flattened onto white. "16-bit": reduced to 8 (JPEG, WebP) or 12 (AVIF) bits. "icc": a grey
    profile, if the format has only RGB; the pixels are converted through it. "exif", "xmp": too big for
    JPEG's segments; EXIF also in a TIFF of 4 GB. "text": PNG's text chunks, in all other formats.
    """
    writing = spec.writing
    lost: list[str] = []
    if spec.has_alpha and not writing.has_alpha:
        lost.append("alpha")
    if spec.bits == 16 and not writing.sixteen_bit:
        lost.append("16-bit")
    if metadata.icc and spec.drops_grey_profile:
        lost.append("icc")
    lost.extend(writing.more_losses(spec, metadata))
    if metadata.text and not writing.keeps_text:
        lost.append("text")
    return tuple(lost)
