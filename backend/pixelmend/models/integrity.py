"""Checks that a weight file is what it claims to be, by its bytes, before any parser sees them."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from pixelmend.core.errors import ModelUnusable

_UTF8_BOM = b"\xef\xbb\xbf"


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_web_page(head: bytes) -> bool:
    """head: the first bytes of a file that should hold weights."""
    return head.removeprefix(_UTF8_BOM).lstrip()[:1] == b"<"


def is_lfs_pointer(head: bytes) -> bool:
    return head.startswith(b"version https://git-lfs")


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A weight file whose bytes were looked at. path: leads to that file, even if it is renamed or replaced
    meanwhile.
    """

    path: Path
    sha256: str


def verify_file(path: Path, expected_sha256: str | None) -> str:
    """Return the file's sha256. Raises ModelUnusable as `checked_file`."""
    with checked_file(path, expected_sha256) as checked:
        return checked.sha256


@contextmanager
def checked_file(path: Path, expected_sha256: str | None) -> Iterator[CheckedFile]:
    """The file at `path`, checked, for as long as it is read.

    Raises ModelUnusable, naming the file and what is wrong with it, also if it was written to before the
    context ended.

    The usual bad downloads are recognised. Every other difference is found by the checksum, if there is one:
    without it, weights with a flipped byte would load without an error.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise ModelUnusable(f"{path.name}: cannot be read: {error.strerror}") from error
    with file:
        before = _state(file)
        # One descriptor for the check and for what follows: a file that is put in its place is another one.
        checked = CheckedFile(
            Path(f"/dev/fd/{file.fileno()}"), _checked_sha256(file, path.name, expected_sha256)
        )
        yield checked
        if _state(file) != before:
            raise ModelUnusable(f"{path.name}: was written to while it was read; try again")


def _checked_sha256(file: BufferedReader, name: str, expected_sha256: str | None) -> str:
    try:
        head = file.read(512)
        file.seek(0)
        actual = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        size_bytes = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise ModelUnusable(f"{name}: cannot be read: {error.strerror}") from error
    if not head:
        raise ModelUnusable(f"{name}: the file is empty")
    if is_web_page(head):
        raise ModelUnusable(f"{name}: this is a web page, not weights; download the file itself")
    if is_lfs_pointer(head):
        raise ModelUnusable(f"{name}: this is a Git LFS pointer, not weights; run `git lfs pull`")
    if expected_sha256 is not None and actual != expected_sha256:
        raise ModelUnusable(
            f"{name}: sha256 is {actual}, the catalog says {expected_sha256}; "
            f"the file has {size_bytes} bytes; download it again"
        )
    return actual


def _state(file: BufferedReader) -> tuple[int, int]:
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns
