"""Encoding a libvips image as JPEG, WebP, AVIF or TIFF, with metadata."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pyvips

from pixelmend.core.errors import InternalError
from pixelmend.imaging import containers, exif, tiff_exif
from pixelmend.imaging.formats.record import OutputSpec
from pixelmend.imaging.formats.tiff import is_big
from pixelmend.imaging.metadata import Metadata
from pixelmend.imaging.storage import storage_errors
from pixelmend.imaging.vips import reason

Encode = Callable[[pyvips.Image, OutputSpec, Metadata, BinaryIO], None]
"""Writes an image (of spec's size, channels and bits; straight alpha) to a file that is open for reading and
writing. Reads it once from top to bottom. Raises InternalError."""
_MM_PER_INCH = 25.4


def encode_to_file(
    encode: Encode, image: pyvips.Image, spec: OutputSpec, metadata: Metadata, path: Path
) -> None:
    """Encode `image` into the file `path`. metadata: upright for spec.size.

    JPEG and TIFF are written while the image is read and hold a few rows; the encoders of WebP and AVIF hold
    the whole image and begin with its last row. Raises StorageFull, InternalError if the encoder fails.
    """
    with storage_errors(path), path.open("w+b") as file:
        encode(image, spec, metadata, file)


def encode_jpeg(image: pyvips.Image, spec: OutputSpec, metadata: Metadata, file: BinaryIO) -> None:
    image = to_eight_bit(image)
    if spec.has_alpha:
        image = image.flatten(background=255)
    quality = spec.effective_quality
    file.write(containers.jpeg_head(metadata))
    # The start marker is in the head already.
    sink = _Sink(file, skip=2)
    with sink as target:
        # No optimised Huffman tables: for them libjpeg keeps the whole image as coefficients, 12 bytes a
        # pixel, and begins to write after the last row (docs/adr/0007-streaming-writers.md).
        image.jpegsave_target(
            target,
            Q=quality,
            subsample_mode="off" if quality >= 90 else "on",
            keep="none",
        )


def encode_webp(image: pyvips.Image, spec: OutputSpec, metadata: Metadata, file: BinaryIO) -> None:
    metadata = _with_resolution_in_exif(metadata)
    image, metadata = _grey_to_rgb(to_eight_bit(image), spec, metadata)
    try:
        encoded: bytes = image.webpsave_buffer(
            Q=spec.effective_quality,
            lossless=spec.effective_quality == 100,
            exact=True,  # colour under transparent pixels stays, or editors would show dark fringes
            effort=3,
            keep="none",
        )
    except pyvips.Error as error:
        raise InternalError(f"the webp encoder failed: {reason(error)}") from error
    containers.webp_with_metadata(encoded, spec.size, metadata, file)


def encode_avif(image: pyvips.Image, spec: OutputSpec, metadata: Metadata, file: BinaryIO) -> None:
    image, metadata = _grey_to_rgb(image, spec, _with_resolution_in_exif(metadata))
    with _Sink(file) as target:
        _tagged(image, metadata).heifsave_target(
            target,
            compression="av1",
            Q=spec.effective_quality,
            bitdepth=12 if spec.bits == 16 else 8,
            effort=2,
            subsample_mode="off" if spec.effective_quality >= 90 else "on",
        )


def encode_tiff(image: pyvips.Image, spec: OutputSpec, metadata: Metadata, file: BinaryIO) -> None:
    with _Sink(file) as target:
        _tagged(image, metadata).tiffsave_target(
            target,
            compression="deflate",
            predictor="horizontal",
            resunit="inch",
            bigtiff=is_big(spec),
        )
    if metadata.exif:
        tiff_exif.graft(file, metadata.exif)


def to_eight_bit(image: pyvips.Image) -> pyvips.Image:
    """The image in 8 bits, rounded: 65535 becomes 255."""
    if image.format == "uchar":
        return image
    kind = "b-w" if image.interpretation == "grey16" else "srgb"
    return (image / 257).rint().cast("uchar").copy(interpretation=kind)


def _grey_to_rgb(image: pyvips.Image, spec: OutputSpec, metadata: Metadata) -> tuple[pyvips.Image, Metadata]:
    """For formats that have RGB only: a grey profile is applied, because it cannot be embedded."""
    if not (metadata.icc and spec.drops_grey_profile):
        return image, metadata
    alpha = image[1] if spec.has_alpha else None
    grey = image[0].copy()
    grey.set_type(pyvips.GValue.blob_type, "icc-profile-data", metadata.icc)
    colour = grey.icc_transform("srgb", embedded=True, intent="relative", depth=16 if spec.bits == 16 else 8)
    if alpha is not None:
        colour = colour.bandjoin(alpha)
    return colour, replace(metadata, icc=None)


def _with_resolution_in_exif(metadata: Metadata) -> Metadata:
    """For formats whose only place for a resolution is the EXIF block."""
    if metadata.dpi is None:
        return metadata
    block = exif.with_resolution(metadata.exif or exif.EMPTY, *metadata.dpi)
    return replace(metadata, exif=block)


def _tagged(image: pyvips.Image, metadata: Metadata) -> pyvips.Image:
    """A copy that carries the metadata in libvips' own fields."""
    tagged = image.copy()
    # Fields that the image got on its way here (a profile used for a conversion) are not the result's.
    for field in ("icc-profile-data", "exif-data", "xmp-data", "orientation"):
        if tagged.get_typeof(field):
            tagged.remove(field)
    if metadata.dpi:
        tagged = tagged.copy(xres=metadata.dpi[0] / _MM_PER_INCH, yres=metadata.dpi[1] / _MM_PER_INCH)
    fields = {"icc-profile-data": metadata.icc, "exif-data": metadata.exif, "xmp-data": metadata.xmp}
    for field, value in fields.items():
        if value:
            prefix = b"Exif\0\0" if field == "exif-data" else b""
            tagged.set_type(pyvips.GValue.blob_type, field, prefix + value)
    return tagged


class _Sink:
    """Hands libvips a target that writes to `file` and remembers why a write failed.

    libvips itself reports the failure, but not its errno, which tells a full disk from a bug.
    """

    def __init__(self, file: BinaryIO, *, skip: int = 0) -> None:
        """skip: how many of the first bytes to leave out."""
        self._file = file
        self._skip = skip
        self._error: OSError | None = None

    def __enter__(self) -> pyvips.TargetCustom:
        target = pyvips.TargetCustom()
        target.on_write(self._write)
        target.on_read(self._file.read)
        target.on_seek(self._seek)
        target.on_end(lambda: 0)
        return target

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self._error is not None:
            raise self._error
        if isinstance(error, pyvips.Error):
            raise InternalError(f"the encoder failed: {reason(error)}") from error

    def _write(self, data: bytes) -> int:
        skipped = min(self._skip, len(data))
        self._skip -= skipped
        try:
            self._file.write(data[skipped:])
        except OSError as error:
            self._error = error
            return -1
        return len(data)

    def _seek(self, offset: int, whence: int) -> int:
        try:
            return self._file.seek(offset, whence)
        except OSError as error:  # there was no room for what was still in the buffer
            self._error = error
            return -1
