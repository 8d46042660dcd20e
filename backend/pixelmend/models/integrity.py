"""Is a weight file what it claims to be? Answered from its bytes, before any parser sees them."""

import hashlib
from pathlib import Path

from pixelmend.errors import ModelUnusable

_UTF8_BOM = b"\xef\xbb\xbf"


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_web_page(head: bytes) -> bool:
    """head: the first bytes of a file that should hold weights."""
    return head.removeprefix(_UTF8_BOM).lstrip()[:1] == b"<"


def is_lfs_pointer(head: bytes) -> bool:
    return head.startswith(b"version https://git-lfs")


def verify_file(path: Path, expected_sha256: str | None) -> str:
    """Return the file's sha256. Raises ModelUnusable, naming the file and what is wrong with it.

    The usual bad downloads are named for what they are; everything else that differs by a byte is caught by
    the checksum where there is one. Weights with a flipped byte load without complaint otherwise.
    """
    try:
        with path.open("rb") as file:
            head = file.read(512)
        actual = sha256_of(path)
        size_bytes = path.stat().st_size
    except OSError as error:
        raise ModelUnusable(f"{path.name}: cannot be read: {error.strerror}") from error
    if not head:
        raise ModelUnusable(f"{path.name}: the file is empty")
    if is_web_page(head):
        raise ModelUnusable(f"{path.name}: this is a web page, not weights; download the file itself")
    if is_lfs_pointer(head):
        raise ModelUnusable(f"{path.name}: this is a Git LFS pointer, not weights; run `git lfs pull`")
    if expected_sha256 is not None and actual != expected_sha256:
        raise ModelUnusable(
            f"{path.name}: sha256 is {actual}, the catalog says {expected_sha256}; "
            f"the file has {size_bytes} bytes; download it again"
        )
    return actual
