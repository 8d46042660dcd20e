"""Reads a multipart upload straight into the spool, counting bytes as they arrive."""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from python_multipart.multipart import MultipartParser, parse_options_header

from pixelmend.core.errors import InvalidParameter, MalformedUpload, PayloadTooLarge
from pixelmend.imaging.boundary import reading
from pixelmend.imaging.storage import storage_errors

if TYPE_CHECKING:  # the library defines it for type checkers only
    from python_multipart.multipart import MultipartCallbacks

_CONTENT = {"files": "images", "mask": "place to remove", "masks": "places to remove"}
MAX_FIELDS = 32
MAX_FIELD_BYTES = 4096
MAX_HEADER_BYTES = 8192
TOLD_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class FileField:
    """A field that takes files: how many, where the n-th goes, how many bytes a body with it may have.

    setting: what `max_bytes` is called. together: fields of different groups exclude each other. of_tasks:
    other bounds, with their settings, for forms that name one of these tasks before the file.
    """

    path_of: Callable[[int], Path]
    max_bytes: int
    setting: str
    most: int = 1
    together: str = ""
    of_tasks: Mapping[str, tuple[int, str]] = field(default_factory=dict)

    def for_task(self, name: str | None) -> "FileField":
        found = None if name is None else self.of_tasks.get(name)
        return self if found is None else replace(self, max_bytes=found[0], setting=found[1], of_tasks={})

    @property
    def widest(self) -> "FileField":
        return max((self.for_task(name) for name in (None, *self.of_tasks)), key=lambda each: each.max_bytes)


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file that lies where its field said. digest: sha256 of its bytes."""

    digest: str
    size_bytes: int
    file_name: str | None


@dataclass(frozen=True, slots=True)
class Upload:
    """Fields by name, which are texts unless the body was JSON, and files by the fields that had them."""

    fields: dict[str, Any]
    files: Mapping[str, tuple[UploadedFile, ...]]

    def one(self, field: str) -> UploadedFile:
        """The only file of a field. Raises InvalidParameter if it is missing or empty."""
        files = self.files.get(field, ())
        if not files:
            raise InvalidParameter(f"the field {field!r} with the {_CONTENT.get(field, 'image')} is missing")
        if files[0].size_bytes == 0:
            raise InvalidParameter(f"the field {field!r} is empty (0 bytes)")
        return files[0]

    def many(self, field: str) -> tuple[UploadedFile, ...]:
        """One file or more. Raises InvalidParameter if there is none."""
        files = self.files.get(field, ())
        # A page that sends its form before any file was chosen sends one without a name.
        if not any(file.file_name or file.size_bytes for file in files):
            what = f"the {_CONTENT[field]}, or a ZIP of them,"
            raise InvalidParameter(f"the field {field!r} with {what} is missing")
        return files


@dataclass(frozen=True, slots=True)
class Bound:
    """How many bytes a body may have, and the setting that says so, with its value."""

    max_bytes: int
    setting: str


@dataclass
class _Part:
    name: str
    file_name: str | None
    file: IO[bytes] | None
    data: bytearray = field(default_factory=bytearray)
    digest: Any = field(default_factory=hashlib.sha256)
    file_bytes: int = 0


class _Reader:
    """Receives the parser's events. Fields that take no files are text."""

    def __init__(self, file_fields: Mapping[str, FileField], max_field_bytes: int) -> None:
        self._file_fields = file_fields
        self._max_field_bytes = max_field_bytes
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._headers: dict[str, bytes] = {}
        self._part: _Part | None = None
        self.fields: dict[str, str] = {}
        self.files: dict[str, list[UploadedFile]] = {}
        self._bounds: list[FileField] = []
        self.ended = False

    def close(self) -> None:
        if self._part is not None and self._part.file is not None:
            self._part.file.close()

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
        file = self._open_file(name) if name in self._file_fields else None
        if file is None and raw_name is not None:
            wanted = " or ".join(repr(field) for field in self._file_fields) or "no field here"
            raise InvalidParameter(f"a file was sent as {name!r}; it belongs in {wanted}")
        if file is None and len(self.fields) >= MAX_FIELDS:
            raise MalformedUpload(f"there are more than {MAX_FIELDS} fields")
        self._part = _Part(name, raw_name.decode("utf-8", "replace") if raw_name else None, file)

    def _open_file(self, name: str) -> IO[bytes]:
        taken = self._file_fields[name]
        for other in self.files:
            if self._file_fields[other].together != taken.together:
                raise InvalidParameter(f"the fields {other!r} and {name!r} exclude each other")
        self._bounds.append(taken.for_task(self.fields.get("task", "").strip()))
        files = self.files.setdefault(name, [])
        if len(files) >= taken.most:
            limit = (
                "once; one image is taken"
                if taken.most == 1
                else f"{taken.most} times, max_batch_items={taken.most}"
            )
            raise InvalidParameter(f"the field {name!r} was sent more than {limit}")
        return taken.path_of(len(files)).open("wb")

    @property
    def bound(self) -> Bound:
        """That which holds for the body, as far as it is known which fields are sent."""
        if self._bounds:
            taken = max(self._bounds, key=lambda each: each.max_bytes)
        else:
            taken = widest(self._file_fields.values())
        more = "; send the field task first for a film" if taken.of_tasks else ""
        return Bound(taken.max_bytes, f"{taken.setting}={taken.max_bytes}{more}")

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        part = self._part
        assert part is not None
        if part.file is not None:
            chunk = data[start:end]
            part.file.write(chunk)
            part.digest.update(chunk)
            part.file_bytes += len(chunk)
            return
        part.data += data[start:end]
        if len(part.data) > self._max_field_bytes:
            raise InvalidParameter(f"the field {part.name!r} exceeds {self._max_field_bytes} bytes")

    def _part_end(self) -> None:
        part = self._part
        assert part is not None
        if part.file is not None:
            part.file.close()
            file = UploadedFile(part.digest.hexdigest(), part.file_bytes, part.file_name)
            self.files[part.name].append(file)
            return
        if part.name in self.fields:
            raise InvalidParameter(f"the field {part.name!r} was sent more than once")
        try:
            self.fields[part.name] = part.data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InvalidParameter(f"the field {part.name!r} is not UTF-8 text") from error

    def _end(self) -> None:
        self.ended = True


def widest(fields: Iterable[FileField]) -> FileField:
    """That which allows the most bytes, if any task may still be named."""
    return max((taken.widest for taken in fields), key=lambda taken: taken.max_bytes)


async def counted(
    chunks: AsyncIterator[bytes],
    content_length: str | None,
    bound: Callable[[], Bound],
    on_received: Callable[[int], None],
) -> AsyncIterator[bytes]:
    """The chunks of a body as they arrive. Raises PayloadTooLarge as soon as they are, or say they will be,
    more than `bound` allows at that moment, and what `on_received` raises.
    """
    allowed = bound()
    if content_length is not None and content_length.isdecimal() and int(content_length) > allowed.max_bytes:
        raise PayloadTooLarge(f"the body has {content_length} bytes, {allowed.setting}")
    received = 0

    def require_bound() -> None:
        allowed = bound()
        if received > allowed.max_bytes:
            raise PayloadTooLarge(f"the body exceeds {allowed.setting}")

    async for chunk in chunks:
        if received // TOLD_BYTES < (received := received + len(chunk)) // TOLD_BYTES:
            on_received(received)
        require_bound()
        yield chunk
    require_bound()  # the last chunk may have told which fields are sent


async def read_upload(
    content_type: str,
    content_length: str | None,
    chunks: AsyncIterator[bytes],
    file_fields: Mapping[str, FileField],
    on_received: Callable[[int], None] = lambda _: None,
    *,
    max_field_bytes: int = MAX_FIELD_BYTES,
) -> Upload:
    """Write the files of a multipart body to where their fields say, and return the rest.

    A field's bound is on the whole body, whether or not it announces its length. on_received: told of the
    bytes so far, after each TOLD_BYTES; what it raises ends the upload. max_field_bytes: of a text. Raises
    MalformedUpload, PayloadTooLarge, InvalidParameter, StorageFull; the caller, who named the paths, removes
    what lies there.
    """
    with reading("the Content-Type", MalformedUpload):
        kind, options = parse_options_header(content_type.encode("latin-1"))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise MalformedUpload(f"Content-Type is {content_type[:80]!r}, multipart/form-data is needed")
    reader = _Reader(file_fields, max_field_bytes)
    try:
        with storage_errors(Path("the upload")):
            with reading("the multipart body", MalformedUpload):
                parser = MultipartParser(boundary, reader.callbacks())
            async for chunk in counted(chunks, content_length, lambda: reader.bound, on_received):
                # Spooled writes of some 64 KB: as quick as handing them to a thread would be.
                with reading("the multipart body", MalformedUpload):
                    parser.write(chunk)
            with reading("the multipart body", MalformedUpload):
                parser.finalize()
    finally:
        reader.close()
    if not reader.ended:
        raise MalformedUpload("the multipart body ends before its last boundary")
    return Upload(reader.fields, {name: tuple(files) for name, files in reader.files.items()})
