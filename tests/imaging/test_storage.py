"""Large files are mapped, if their file system does that."""

import sys
from pathlib import Path

import pytest

from pixelmend.imaging.storage import mapped

CANNOT_BE_MAPPED = Path("/sys/devices/system/cpu/online")


def test_a_file_is_mapped(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123")
    with mapped(path) as data:
        assert (data[1:3], data[3], len(data)) == (b"12", ord("3"), 4)
        assert not isinstance(data, bytes)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such a file everywhere")
def test_a_file_that_its_file_system_does_not_map_is_read() -> None:
    with mapped(CANNOT_BE_MAPPED) as data:
        assert data == CANNOT_BE_MAPPED.read_bytes()
