"""Arrays in files without compression."""

from pathlib import Path

import numpy as np
import pytest

from pixelmend.core.geometry import Size
from pixelmend.imaging.bare_tiff import BareTiffWriter, read_array, write_array
from pixelmend.imaging.codec import decode
from pixelmend.imaging.formats import format_registry
from pixelmend.imaging.formats.bare_tiff import BARE_TIFF
from pixelmend.imaging.probe import InputLimits
from tests.library.pictures import pictures

PICTURES = pictures(37)


@pytest.mark.parametrize("name", PICTURES)
def test_what_is_written_is_read_here_and_by_the_decoder(tmp_path: Path, name: str) -> None:
    pixels = PICTURES[name] if PICTURES[name].ndim == 3 else PICTURES[name][:, :, None]
    path = tmp_path / "a.tif"
    write_array(path, pixels[::-1])
    read = read_array(path, Size(37, 37), pixels.shape[2], pixels.dtype.itemsize * 8)
    np.testing.assert_array_equal(read, pixels[::-1])
    np.testing.assert_array_equal(decode(path, InputLimits()).pixels, pixels[::-1])


def test_a_writer_leaves_all_or_nothing(tmp_path: Path) -> None:
    path, rgb = tmp_path / "a.tif", PICTURES["rgb"]
    with BareTiffWriter(path, Size(37, 37), 3, 8) as writer:
        writer.write_rows(rgb[:20])
        with pytest.raises(ValueError, match="expected rows"):
            writer.write_rows(rgb[20:, :5])
        with pytest.raises(ValueError, match="20 rows were written, the height is 37"):
            writer.finish()
    assert list(tmp_path.iterdir()) == []
    with BareTiffWriter(path, Size(37, 37), 3, 8) as writer:
        writer.write_rows(rgb[:20])
        writer.write_rows(rgb[20:])
        writer.finish()
    assert list(tmp_path.iterdir()) == [path]
    np.testing.assert_array_equal(read_array(path, Size(37, 37), 3, 8), rgb)
    with pytest.raises(ValueError, match="reshape"):
        read_array(path, Size(37, 38), 3, 8)


def test_no_client_is_offered_it() -> None:
    assert BARE_TIFF.name not in [each.name for each in format_registry().outputs]
