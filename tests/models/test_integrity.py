"""Bad downloads are told from their bytes, by name."""

import hashlib
from pathlib import Path

import pytest

from pixelmend.core.errors import ModelUnusable
from pixelmend.models.integrity import checked_file, sha256_of, verify_file

LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 4885111\n"


def file_of(folder: Path, content: bytes) -> Path:
    path = folder / "m.pth"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"<!DOCTYPE html><html>404</html>", "this is a web page"),
        (b"\xef\xbb\xbf\r\n <html>", "this is a web page"),
        (LFS_POINTER, "this is a Git LFS pointer"),
    ],
)
def test_usual_bad_downloads_are_named_for_what_they_are(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(ModelUnusable, match=f"^m[.]pth: {reason}"):
        verify_file(file_of(tmp_path, content), None)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match=r"^m[.]pth: cannot be read: No such file"):
        verify_file(tmp_path / "m.pth", None)


def test_a_right_file_gives_its_checksum(tmp_path: Path) -> None:
    content = bytes(range(256)) * 9000
    path = file_of(tmp_path, content)
    expected = hashlib.sha256(content).hexdigest()
    assert verify_file(path, None) == verify_file(path, expected) == sha256_of(path) == expected


def test_one_flipped_bit_is_seen(tmp_path: Path) -> None:
    content = bytearray(range(256))
    expected = hashlib.sha256(content).hexdigest()
    content[100] ^= 1
    with pytest.raises(ModelUnusable, match=f"m[.]pth: sha256 is .*, the catalog says {expected}.*256 bytes"):
        verify_file(file_of(tmp_path, bytes(content)), expected)


def test_what_was_checked_is_what_is_read(tmp_path: Path) -> None:
    """Whatever is put in its place meanwhile."""
    path = file_of(tmp_path, b"weights")
    with checked_file(path, sha256_of(path)) as checked:
        other = tmp_path / "other"
        other.write_bytes(b"evil!!!")
        other.replace(path)
        assert checked.path.read_bytes() == b"weights"
        path.unlink()
        assert checked.path.read_bytes() == b"weights"


def test_file_that_is_written_to_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = file_of(tmp_path, b"weights")
    with (
        pytest.raises(ModelUnusable, match="was written to while it was read"),
        checked_file(path, sha256_of(path)),
    ):
        path.write_bytes(b"changed in its place")
