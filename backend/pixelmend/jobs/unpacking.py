"""Extracts images from a ZIP of unknown origin: bounded, and nothing is ever written under its names."""

import hashlib
import io
import os
import stat
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from pixelmend.core.errors import (
    CorruptImage,
    InvalidParameter,
    MalformedUpload,
    PayloadTooLarge,
    PixelmendError,
    UnsupportedFormat,
)
from pixelmend.core.text import printable
from pixelmend.imaging.boundary import reading
from pixelmend.imaging.names import is_litter
from pixelmend.imaging.storage import storage_errors

_SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06")
_MAX_DIRECTORY_BYTES = 4_000_000
"""The bound on the list of entries, which is read into memory whole. One entry takes some hundred bytes."""
_COPIED_AT_ONCE_BYTES = 1 << 20
_SYSTEM_FOLDERS = frozenset({"__MACOSX", "@eaDir"})
"""Folders of macOS and of network storage: their files look like images and are not the sender's."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED, _PATCHED, _UTF8_NAME = 0x1, 0x20, 0x800


@dataclass(frozen=True, slots=True)
class Unpacked:
    """An image that was taken out, or why it was not. digest: sha256 of its bytes."""

    file_name: str
    digest: str
    error: PixelmendError | None = None


@dataclass(frozen=True, slots=True)
class UnpackLimits:
    """max_bytes: of all images together; max_image_bytes: of one of them."""

    max_items: int
    max_bytes: int
    max_image_bytes: int


def is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in _SIGNATURES


def unpack(archive: Path, folder: Path, limits: UnpackLimits) -> list[Unpacked]:
    """Write the n-th image of the archive to `folder / str(n)`; one that is refused has no file.

    Folders, and what operating systems leave in archives of their own accord, do not count. Raises
    MalformedUpload if the file is no readable ZIP, InvalidParameter and PayloadTooLarge beyond the
    limits, before anything is unpacked, and StorageFull.
    """
    with (
        archive.open("rb") as file,
        reading("the ZIP", MalformedUpload),
        zipfile.ZipFile(_Bounded(file)) as source,
    ):
        entries = [entry for entry in source.infolist() if not _is_litter(entry)]
        _check(entries, limits)
        return [_take(source, entry, folder / str(n), limits) for n, entry in enumerate(entries)]


class _Bounded(io.BufferedReader):
    """A file that hands out no more at once than a list of entries may have."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(io.FileIO(file.fileno(), closefd=False))
        self._size_bytes = os.fstat(file.fileno()).st_size

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = self._size_bytes - self.tell() if size is None or size < 0 else size
        if wanted > _MAX_DIRECTORY_BYTES:
            raise MalformedUpload(f"the ZIP's list of entries exceeds {_MAX_DIRECTORY_BYTES} bytes")
        return super().read(wanted)


def _is_litter(entry: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(entry.filename)
    of_a_system = not _SYSTEM_FOLDERS.isdisjoint(path.parts)
    return entry.filename.endswith("/") or of_a_system or is_litter(path.name)


def _check(entries: list[zipfile.ZipInfo], limits: UnpackLimits) -> None:
    if not entries:
        raise InvalidParameter("there is no file in the ZIP")
    if len(entries) > limits.max_items:
        raise InvalidParameter(f"the ZIP has {len(entries)} files, max_batch_items={limits.max_items}")
    # What an entry claims is all that is ever read of it.
    claimed = sum(entry.file_size for entry in entries)
    if claimed > limits.max_bytes:
        raise PayloadTooLarge(f"the ZIP unpacks to {claimed} bytes, max_batch_bytes={limits.max_bytes}")


def _take(source: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path, limits: UnpackLimits) -> Unpacked:
    error = _refusal(entry, limits)
    digest = hashlib.sha256()
    if error is None:
        try:
            with storage_errors(path), path.open("wb") as file, reading("this entry of the ZIP"):
                for chunk in _chunks(source, entry):
                    digest.update(chunk)
                    file.write(chunk)
        except CorruptImage as problem:
            error = problem
            path.unlink(missing_ok=True)
    return Unpacked(_name_of(entry), digest.hexdigest(), error)


def _name_of(entry: zipfile.ZipInfo) -> str:
    """As its sender called it: many programs write UTF-8 without the flag that says so."""
    name = entry.filename
    if not entry.flag_bits & _UTF8_NAME:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return printable(name)


def _chunks(source: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    with source.open(entry) as file:
        while chunk := file.read(_COPIED_AT_ONCE_BYTES):
            yield chunk


def _refusal(entry: zipfile.ZipInfo, limits: UnpackLimits) -> PixelmendError | None:
    # It is written nowhere; but an archive that tries deserves no trust.
    name = PurePosixPath(entry.filename.replace("\\", "/"))
    if name.is_absolute() or ".." in name.parts:
        return InvalidParameter(f"the name {entry.filename[:200]!r} leads out of the archive")
    if stat.S_ISLNK(entry.external_attr >> 16):
        return UnsupportedFormat("this entry of the ZIP is a link and not a file")
    if entry.flag_bits & _ENCRYPTED:
        return UnsupportedFormat("this entry of the ZIP is encrypted")
    if entry.flag_bits & _PATCHED:
        return UnsupportedFormat("this entry of the ZIP is a patch and not a file")
    if entry.compress_type not in _METHODS:
        return UnsupportedFormat(
            f"this entry of the ZIP has method {entry.compress_type}; stored and deflated are understood"
        )
    if entry.file_size > limits.max_image_bytes:
        return PayloadTooLarge(
            f"the image has {entry.file_size} bytes, max_upload_bytes={limits.max_image_bytes}"
        )
    return None
