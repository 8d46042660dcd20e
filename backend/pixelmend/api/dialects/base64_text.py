"""Base64 as it arrives in pieces of a JSON string, decoded piece by piece."""

import binascii
import json
import re

from pixelmend.core.errors import InvalidParameter, MalformedUpload

_SCHEME = b"data:"
_MAX_PREFIX_BYTES = 256
_BLANKS = b" \t\r\n"
_ALPHABET = "only A-Z, a-z, 0-9, +, / and = are allowed"
_CONTROL = re.compile(rb"[\x00-\x1f]")
# The beginning of an escape whose end is still to come.
_BEGUN_ESCAPE = re.compile(rb"\\(?:u[0-9A-Fa-f]{0,3})?\Z")


class Base64Text:
    """Turns the inside of a JSON string into bytes; a prefix as `data:image/png;base64,` is left out.

    field: what the string is called, for messages. Raises InvalidParameter for what is not base64, and
    MalformedUpload for what is no JSON.
    """

    def __init__(self, field: str) -> None:
        self._field = field
        self._escape = b""
        self._prefix: bytes | None = b""
        """What may be the beginning of a prefix; None once that is decided."""
        self._left = b""
        """Fewer than the four characters that make three bytes."""
        self._is_padded = False

    def feed(self, piece: bytes) -> bytes:
        """What can be decoded so far."""
        return self._decoded(self._without_prefix(self._unescaped(piece)))

    def finish(self) -> bytes:
        """What is left, at the end of the string."""
        rest = self._decoded(self._prefix or b"")
        if self._left or self._escape:
            raise self._wrong("it ends within a group of 4 characters")
        return rest

    def _unescaped(self, piece: bytes) -> bytes:
        """Encoders may write the + and / of base64 as escapes, and break its lines."""
        if not piece.isascii():
            raise self._wrong(_ALPHABET)
        if _CONTROL.search(piece):
            raise MalformedUpload(f"the string {self._field!r} is no JSON: it has a control character")
        piece = self._escape + piece
        begun = _BEGUN_ESCAPE.search(piece)
        self._escape = begun[0] if begun else b""
        piece = piece[: len(piece) - len(self._escape)]
        if b"\\" not in piece:
            return piece
        try:
            text: str = json.loads(b'"' + piece + b'"')
            return text.encode("ascii")
        except UnicodeEncodeError as error:
            raise self._wrong(_ALPHABET) from error
        except ValueError as error:
            raise MalformedUpload(f"the string {self._field!r} is no JSON: {error}") from error

    def _without_prefix(self, text: bytes) -> bytes:
        if self._prefix is None:
            return text
        text = self._prefix + text
        if text[: len(_SCHEME)] != _SCHEME[: len(text)]:
            self._prefix = None
            return text
        kind, comma, data = text.partition(b",")
        if len(kind) > _MAX_PREFIX_BYTES or (comma and not kind.endswith(b";base64")):
            raise self._wrong("its data: prefix does not end with ;base64,")
        self._prefix = None if comma else text
        return data

    def _decoded(self, text: bytes) -> bytes:
        text = self._left + text.translate(None, _BLANKS)
        whole = len(text) - len(text) % 4
        text, self._left = text[:whole], text[whole:]
        if not text:
            return b""
        if self._is_padded:
            raise self._wrong("it goes on after its padding")
        self._is_padded = text.endswith(b"=")
        try:
            return binascii.a2b_base64(text, strict_mode=True)
        except ValueError as error:
            raise self._wrong(str(error)) from error

    def _wrong(self, why: str) -> InvalidParameter:
        return InvalidParameter(f"the field {self._field!r} is not an image in base64: {why}")
