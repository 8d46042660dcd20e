"""Reads JSON whose strings are images in base64: these go straight into the spool, the rest is small."""

import hashlib
import re
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import IO

from pixelmend.api.dialects.base64_text import Base64Text
from pixelmend.api.json_body import parse_object
from pixelmend.api.uploads import Bound, FileField, Upload, UploadedFile, counted, widest
from pixelmend.core.errors import InvalidParameter, MalformedUpload, PayloadTooLarge
from pixelmend.imaging.storage import storage_errors

MAX_REST_BYTES = 65_536
"""The most that a body may have beside its images."""
_MAX_NAME_BYTES = 256
_BLANKS = b" \t\r\n"
# The inside of a string as far as it is there, in whole escapes. It never steps back.
_INSIDE = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)


def base64_bytes(size_bytes: int) -> int:
    """How long a body with files of that size in base64 may be."""
    return -(-size_bytes // 3) * 4 + MAX_REST_BYTES


class _Image:
    """An image on its way from a string into its file."""

    def __init__(self, field: str, path: Path) -> None:
        self._text = Base64Text(field)
        self._file: IO[bytes] = path.open("wb")
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def feed(self, piece: bytes) -> None:
        self._write(self._text.feed(piece))

    def finish(self) -> UploadedFile:
        self._write(self._text.finish())
        self._file.close()
        return UploadedFile(self._digest.hexdigest(), self.size_bytes, None)

    def close(self) -> None:
        self._file.close()

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._digest.update(data)
        self.size_bytes += len(data)


class _Reader:
    """Follows the strings of a JSON text. In the rest of the text an image is only a number.

    file_fields: the names under which strings are images, at any depth.
    """

    def __init__(self, file_fields: Mapping[str, FileField]) -> None:
        self._file_fields = file_fields
        self._rest = bytearray()
        self._carried = b""
        self._in_string = False
        self._image: _Image | None = None
        self._string = bytearray()
        """The beginning of the latest string that is no image."""
        self._between = bytearray()
        """What came since the end of that string."""
        self._field = ""
        self.files: dict[str, list[UploadedFile]] = {}

    def feed(self, chunk: bytes) -> None:
        chunk, self._carried = self._carried + chunk, b""
        place = 0
        while place < len(chunk):
            place = self._inside(chunk, place) if self._in_string else self._outside(chunk, place)

    def finish(self) -> bytes:
        """The rest. Raises MalformedUpload if the text ends within a string."""
        if self._in_string:
            raise MalformedUpload("the body is JSON that ends within a string")
        return bytes(self._rest)

    def close(self) -> None:
        if self._image is not None:
            self._image.close()

    def _outside(self, chunk: bytes, start: int) -> int:
        end = chunk.find(b'"', start)
        if end < 0:
            self._keep(chunk[start:])
            self._between += chunk[start:]
            return len(chunk)
        self._keep(chunk[start : end + 1])
        self._between += chunk[start:end]
        self._begin_string()
        return end + 1

    def _begin_string(self) -> None:
        self._in_string = True
        named = self._string.decode("utf-8", "replace") if self._between.strip(_BLANKS) == b":" else None
        self._between.clear()
        self._string.clear()
        if named is None or named not in self._file_fields:
            return
        taken, files = self._file_fields[named], self.files.setdefault(named, [])
        if len(files) >= taken.most:
            raise InvalidParameter(f"there are more than {taken.most} images as {named!r}")
        self._field, self._image = named, _Image(named, taken.path_of(len(files)))
        self._keep(str(len(files)).encode())

    def _inside(self, chunk: bytes, start: int) -> int:
        match = _INSIDE.match(chunk, start)
        assert match is not None, "it may be empty"
        if self._image is not None:
            self._image.feed(match[0])
            self._require_room(self._image)
        else:
            self._keep(match[0])
            self._string += match[0][: _MAX_NAME_BYTES - len(self._string)]
        end = match.end()
        if end == len(chunk):
            return end
        if chunk[end : end + 1] != b'"':
            self._carried = chunk[end:]  # a backslash whose other half is still to come
            return len(chunk)
        self._end_string()
        return end + 1

    def _end_string(self) -> None:
        self._in_string = False
        self._keep(b'"')
        if self._image is not None:
            self.files[self._field].append(self._image.finish())
            self._image = None

    def _require_room(self, image: _Image) -> None:
        taken = self._file_fields[self._field]
        size_bytes = image.size_bytes + sum(
            file.size_bytes for files in self.files.values() for file in files
        )
        if size_bytes > taken.max_bytes:
            raise PayloadTooLarge(f"the images exceed {taken.setting}={taken.max_bytes}")

    def _keep(self, text: bytes) -> None:
        self._rest += text
        if len(self._rest) > MAX_REST_BYTES:
            raise PayloadTooLarge(f"what the body has beside its images exceeds {MAX_REST_BYTES} bytes")


async def read_json_upload(
    content_type: str,
    content_length: str | None,
    chunks: AsyncIterator[bytes],
    file_fields: Mapping[str, FileField],
    on_received: Callable[[int], None],
) -> Upload:
    """As `read_upload`, for an object in JSON. The fields are the object's, and a string that was an image is
    its number among those of its name: "0".

    A body may have 4/3 of what files may have, and MAX_REST_BYTES. content_type is not looked at.
    """
    taken = widest(file_fields.values())
    most = base64_bytes(taken.max_bytes)
    bound = Bound(most, f"{taken.setting}={taken.max_bytes}, which is {most} in base64")
    reader = _Reader(file_fields)
    try:
        with storage_errors(Path("the upload")):
            async for chunk in counted(chunks, content_length, lambda: bound, on_received):
                reader.feed(chunk)
    finally:
        reader.close()
    return Upload(parse_object(reader.finish()), {name: tuple(sent) for name, sent in reader.files.items()})
