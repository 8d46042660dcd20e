"""A format is one record: a toy format of this file is read and written like those of the package."""

import struct
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pytest

from pixelmend.core.errors import InvalidParameter, OutputTooLarge, UnsupportedFormat
from pixelmend.core.geometry import Size
from pixelmend.imaging.codec import decode
from pixelmend.imaging.formats import (
    JPEG,
    PNG,
    TIFF,
    FileContents,
    Format,
    ImageInfo,
    OutputSpec,
    Reading,
    Writing,
    check_encodable,
    format_registry,
    losses,
)
from pixelmend.imaging.headers.fields import HeaderFields
from pixelmend.imaging.metadata import Metadata
from pixelmend.imaging.probe import InputLimits
from pixelmend.imaging.vips import Pixels
from pixelmend.imaging.writers import open_writer
from tests.imaging import samples

SIGN = b"TOY\n"


class ToyWriter:
    """A sign, width and height, and the rows as they are."""

    def __init__(self, path: Path, size: Size) -> None:
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._part.write_bytes(SIGN + struct.pack(">II", size.width, size.height))

    def write_rows(self, rows: Pixels) -> None:
        with self._part.open("ab") as file:
            file.write(rows.tobytes())

    def finish(self) -> None:
        self._part.replace(self._path)

    def abort(self) -> None:
        self._part.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()


def open_toy(path: Path, spec: OutputSpec, metadata: Metadata, source: Size, threads: int) -> ToyWriter:
    assert source == spec.size
    return ToyWriter(path, spec.size)


def decode_toy(path: Path, data: bytes, info: ImageInfo) -> FileContents:
    pixels = np.frombuffer(data[12:], np.uint8)
    return FileContents(pixels.reshape(info.size.height, info.size.width, 3).copy())


TOY = Format(
    "toy",
    "image/x-toy",
    (".toy",),
    Reading(
        lambda head: head.startswith(SIGN),
        lambda data: HeaderFields(Size(*struct.unpack_from(">II", data, 4))),
        decode_toy,
    ),
    Writing(open_toy, max_side_px=1000),
)
FORMATS = format_registry([TOY])


def test_toy_format_is_written_recognised_and_read(tmp_path: Path) -> None:
    picture, path = samples.photo(), tmp_path / "image"
    spec = OutputSpec(FORMATS.output("toy"), Size(picture.shape[1], picture.shape[0]), 3, 8)
    with open_writer(path, spec, Metadata(), threads=1) as writer:
        writer.write_rows(picture)
        writer.finish()
    assert np.array_equal(decode(path, InputLimits(formats=FORMATS)).pixels, picture)
    with pytest.raises(UnsupportedFormat, match="accepted are png, jpeg"):
        decode(path, InputLimits())


def test_record_says_what_is_lost_and_refused() -> None:
    spec = OutputSpec(TOY, Size(1000, 9), 4, 16)
    check_encodable(spec)
    assert losses(spec, Metadata(text=((b"tEXt", b"a"),))) == ("16-bit", "text")
    with pytest.raises(OutputTooLarge, match="1001x9 px exceeds the 1000 px that toy can hold"):
        check_encodable(OutputSpec(TOY, Size(1001, 9), 3, 8))
    with pytest.raises(InvalidParameter, match="quality=80 applies to lossy formats; toy is lossless"):
        check_encodable(OutputSpec(TOY, Size(9, 9), 3, 8, 80))


def test_registry_finds_formats_by_name_and_suffix() -> None:
    assert FORMATS.output("jpeg") is JPEG
    assert (FORMATS.output_of_suffix(".JPG"), FORMATS.output_of_suffix(".tiff")) == (JPEG, TIFF)
    assert (FORMATS.output_of_suffix(".toy"), FORMATS.output_of_suffix(".bmp")) == (TOY, None)
    assert FORMATS.outputs[0] is PNG
    with pytest.raises(InvalidParameter, match=r"format='bmp' is not known; there are: png, jpeg, .*, toy"):
        FORMATS.output("bmp")
    with pytest.raises(ValueError, match="two formats have one name"):
        format_registry([PNG])
