"""Reads a multipart upload straight into the spool, counting bytes as they arrive."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from pixelmend.errors import InvalidParameter, MalformedUpload, PayloadTooLarge
from pixelmend.imaging.storage import storage_errors

if TYPE_CHECKING:  # the library defines it for type checkers only
    from python_multipart.multipart import MultipartCallbacks

MAX_FIELDS = 32
MAX_FIELD_BYTES = 4096
MAX_HEADER_BYTES = 8192


@dataclass(frozen=True, slots=True)
class Upload:
    """The form: text fields by name, and the file, which lies at the path it was read to."""

    fields: dict[str, str]
    digest: str
    size_bytes: int
    file_name: str | None


@dataclass
class _Part:
    name: str
    file_name: str | None
    is_file: bool
    data: bytearray = field(default_factory=bytearray)


class _Reader:
    """Receives the parser's events. One file field, named `file_field`; everything else is text."""

    def __init__(self, file: IO[bytes], file_field: str) -> None:
        self._file = file
        self._file_field = file_field
        self._digest = hashlib.sha256()
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._headers: dict[str, bytes] = {}
        self._part: _Part | None = None
        self.fields: dict[str, str] = {}
        self.file_name: str | None = None
        self.file_bytes = 0
        self.has_file = False
        self.ended = False

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._part_begin,
            "on_header_field": self._add_header_name,
            "on_header_value": self._add_header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._part_data,
            "on_part_end": self._part_end,
            "on_end": self._end,
        }

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()

    def _part_begin(self) -> None:
        self._headers = {}

    def _add_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]
        self._bound_headers()

    def _add_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]
        self._bound_headers()

    def _bound_headers(self) -> None:
        if len(self._header_name) + len(self._header_value) > MAX_HEADER_BYTES:
            raise MalformedUpload(f"a part's header exceeds {MAX_HEADER_BYTES} bytes")

    def _header_end(self) -> None:
        self._headers[self._header_name.decode("latin-1").lower()] = bytes(self._header_value)
        self._header_name.clear()
        self._header_value.clear()
        if len(self._headers) > MAX_FIELDS:
            raise MalformedUpload(f"a part has more than {MAX_FIELDS} headers")

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", b""))
        name = options.get(b"name", b"").decode("utf-8", "replace")
        raw_name = options.get(b"filename")
        if not name:
            raise MalformedUpload("a part has no name in its Content-Disposition header")
        is_file = name == self._file_field
        if is_file and self.has_file:
            raise InvalidParameter(f"the field {name!r} was sent more than once; one image is taken")
        if not is_file and raw_name is not None:
            raise InvalidParameter(f"a file was sent as {name!r}; the image belongs in {self._file_field!r}")
        if not is_file and len(self.fields) >= MAX_FIELDS:
            raise MalformedUpload(f"there are more than {MAX_FIELDS} fields")
        self.has_file = self.has_file or is_file
        self._part = _Part(name, raw_name.decode("utf-8", "replace") if raw_name else None, is_file)

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        part = self._part
        assert part is not None
        if part.is_file:
            chunk = data[start:end]
            self._file.write(chunk)
            self._digest.update(chunk)
            self.file_bytes += len(chunk)
            return
        part.data += data[start:end]
        if len(part.data) > MAX_FIELD_BYTES:
            raise InvalidParameter(f"the field {part.name!r} exceeds {MAX_FIELD_BYTES} bytes")

    def _part_end(self) -> None:
        part = self._part
        assert part is not None
        if part.is_file:
            self.file_name = part.file_name
            return
        if part.name in self.fields:
            raise InvalidParameter(f"the field {part.name!r} was sent more than once")
        try:
            self.fields[part.name] = part.data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InvalidParameter(f"the field {part.name!r} is not UTF-8 text") from error

    def _end(self) -> None:
        self.ended = True


async def read_upload(
    content_type: str,
    content_length: str | None,
    chunks: AsyncIterator[bytes],
    path: Path,
    *,
    max_bytes: int,
    file_field: str = "file",
) -> Upload:
    """Write the file field of a multipart body to `path` and return the rest.

    max_bytes bounds the whole body, whether or not it announces its length. Raises MalformedUpload,
    PayloadTooLarge, InvalidParameter, StorageFull; whoever made `path` removes it.
    """
    kind, options = parse_options_header(content_type.encode("latin-1"))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise MalformedUpload(f"Content-Type is {content_type[:80]!r}, multipart/form-data is needed")
    if content_length is not None and content_length.isdecimal() and int(content_length) > max_bytes:
        raise PayloadTooLarge(f"the body has {content_length} bytes, max_upload_bytes={max_bytes}")
    received = 0
    with storage_errors(path), path.open("wb") as file:
        reader = _Reader(file, file_field)
        try:
            parser = MultipartParser(boundary, reader.callbacks())
            async for chunk in chunks:
                received += len(chunk)
                if received > max_bytes:
                    raise PayloadTooLarge(f"the body exceeds max_upload_bytes={max_bytes}")
                # Spooled writes of some 64 KB: as quick as handing them to a thread would be.
                parser.write(chunk)
            parser.finalize()
        except FormParserError as error:
            raise MalformedUpload(f"the multipart body is broken: {error}") from error
    if not reader.ended:
        raise MalformedUpload("the multipart body ends before its last boundary")
    if not reader.has_file:
        raise InvalidParameter(f"the field {file_field!r} with the image is missing")
    if reader.file_bytes == 0:
        raise InvalidParameter(f"the field {file_field!r} is empty (0 bytes)")
    return Upload(reader.fields, reader.digest, reader.file_bytes, reader.file_name)
