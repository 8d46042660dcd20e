"""The PNG writer, held against two independent decoders."""

import errno
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from pixelmend.core.errors import StorageFull
from pixelmend.core.geometry import Size
from pixelmend.imaging import png, png_filters
from pixelmend.imaging.metadata import Metadata
from pixelmend.imaging.png import PngWriter, adler32_combine
from tests.imaging import samples


def write(path: Path, pixels: NDArray[Any], chunk: int = 7, **changed: Any) -> None:
    height, width, channels = pixels.shape
    options: dict[str, Any] = {"threads": 2, "metadata": Metadata()} | changed
    bits = pixels.dtype.itemsize * 8
    with PngWriter(path, Size(width, height), channels, bits, **options) as writer:
        for top in range(0, height, chunk):
            writer.write_rows(pixels[top : top + chunk])
        writer.finish()


def read_with_opencv(path: Path) -> NDArray[Any]:
    """(H, W, C) in RGB order."""
    read = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert read is not None
    if read.ndim == 2:
        return read[:, :, np.newaxis]
    return read[:, :, {3: [2, 1, 0], 4: [2, 1, 0, 3]}[read.shape[2]]]


def pictures() -> st.SearchStrategy[NDArray[Any]]:
    """Noise, smooth and flat pictures of every kind a PNG can hold."""

    def make(height: int, width: int, channels: int, bits: int, kind: str, seed: int) -> NDArray[Any]:
        full = 2**bits - 1
        if kind == "noise":
            return samples.noise(height, width, channels, bits, seed)
        if kind == "flat":
            values = np.full((height, width, channels), seed % (full + 1))
        else:
            y, x, c = np.mgrid[0:height, 0:width, 0:channels]
            values = (x * 3 + y * 5 + c * 11) * (full // 255) % (full + 1)
        return values.astype(np.uint8 if bits == 8 else np.uint16)

    return st.builds(
        make,
        st.integers(1, 40),
        st.integers(1, 40),
        st.sampled_from([1, 2, 3, 4]),
        st.sampled_from([8, 16]),
        st.sampled_from(["noise", "flat", "smooth"]),
        st.integers(0, 2**16),
    )


@given(
    picture=pictures(),
    chunk=st.integers(1, 45),
    band_bytes=st.integers(1, 4000),
    threads=st.integers(1, 3),
    level=st.integers(0, 3),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_picture_in_any_pieces_reads_back(
    tmp_path: Path, picture: NDArray[Any], chunk: int, band_bytes: int, threads: int, level: int
) -> None:
    path = tmp_path / "any.png"
    write(path, picture, chunk, band_bytes=band_bytes, threads=threads, level=level)
    channels, sixteen = picture.shape[2], picture.dtype == np.uint16
    if not (sixteen and channels > 1):  # Pillow has no such modes
        with Image.open(path) as image:
            image.load()  # verifies the checksums
            assert np.array_equal(np.asarray(image).reshape(picture.shape), picture)
    decoded = read_with_opencv(path)
    if channels == 2:  # OpenCV spreads grey over RGB
        assert np.array_equal(decoded[:, :, [0, 3]], picture)
    else:
        assert np.array_equal(decoded, picture)


@pytest.mark.parametrize("kind", range(5))
@pytest.mark.parametrize("pixel_bytes", [1, 2, 3, 4, 6, 8])
def test_each_filter_is_undone_by_a_decoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: int, pixel_bytes: int
) -> None:
    monkeypatch.setattr(png_filters, "_CANDIDATES", (kind,))
    bits = 8 if pixel_bytes <= 4 else 16
    channels = pixel_bytes * 8 // bits
    picture = samples.noise(19, 23, channels, bits)
    path = tmp_path / "filtered.png"
    write(path, picture, band_bytes=300)
    decoded = read_with_opencv(path)
    assert np.array_equal(decoded[:, :, [0, 3]] if channels == 2 else decoded, picture)


def test_flat_bands_prefer_a_filter_that_pays() -> None:
    smooth = np.cumsum(np.ones((65, 300), np.uint8), axis=1, dtype=np.uint8)

    def deflate(data: NDArray[np.uint8]) -> bytes:
        return zlib.compress(data.tobytes(), 1)

    filtered = png_filters.apply_best(smooth, 1, deflate)
    assert len(deflate(filtered)) < len(deflate(png_filters.apply(png_filters.NONE, smooth, 1))) / 2


@given(first=st.binary(max_size=500), second=st.binary(max_size=500))
def test_checksums_combine(first: bytes, second: bytes) -> None:
    combined = adler32_combine(zlib.adler32(first), zlib.adler32(second), len(second))
    assert combined == zlib.adler32(first + second)


def test_checksums_combine_over_long_runs() -> None:
    first, second = b"\xff" * 1_000_000, b"\xfe" * 3_000_000
    combined = adler32_combine(zlib.adler32(first), zlib.adler32(second), len(second))
    assert combined == zlib.adler32(first + second)


def test_metadata_reads_back(tmp_path: Path) -> None:
    profile = samples.srgb_profile()
    exif = samples.exif_block(t010f="Maker").tobytes().removeprefix(b"Exif\0\0")
    xmp = "<x:xmpmeta>Ä</x:xmpmeta>".encode()
    path = tmp_path / "metadata.png"
    write(path, samples.photo(), metadata=Metadata(profile, exif, xmp, (300.0, 150.0)))
    with Image.open(path) as image:
        image.load()
        assert image.info["icc_profile"] == profile
        assert image.getexif()[0x010F] == "Maker"
        assert image.info["XML:com.adobe.xmp"] == xmp.decode()
        assert image.info["dpi"] == pytest.approx((300, 150), abs=0.02)


def test_file_appears_only_when_finished(tmp_path: Path) -> None:
    path, picture = tmp_path / "result.png", samples.photo()
    writer = PngWriter(path, Size(60, 40), 3, 8, Metadata(), threads=1)
    writer.write_rows(picture)
    assert not path.exists()
    writer.finish()
    assert [entry.name for entry in tmp_path.iterdir()] == ["result.png"]


def test_finishing_too_early_leaves_nothing(tmp_path: Path) -> None:
    writer = PngWriter(tmp_path / "result.png", Size(60, 40), 3, 8, Metadata(), threads=1)
    writer.write_rows(samples.photo()[:39])
    with pytest.raises(ValueError, match="39 rows were written, the height is 40"):
        writer.finish()
    assert list(tmp_path.iterdir()) == []


def test_an_exception_in_the_block_leaves_nothing_and_keeps_an_old_file(tmp_path: Path) -> None:
    path = tmp_path / "result.png"
    path.write_bytes(b"old")
    writer = PngWriter(path, Size(60, 40), 3, 8, Metadata(), threads=2, band_bytes=500)

    def interrupted() -> None:
        with writer:
            writer.write_rows(samples.photo()[:20])
            raise KeyError

    with pytest.raises(KeyError):
        interrupted()
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["result.png"]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("png")]


@pytest.mark.parametrize(
    "rows",
    [
        np.zeros((41, 60, 3), np.uint8),
        np.zeros((1, 59, 3), np.uint8),
        np.zeros((1, 60, 4), np.uint8),
        np.zeros((1, 60, 3), np.uint16),
        np.zeros((60, 3), np.uint8),
    ],
)
def test_rows_that_do_not_fit_are_refused(tmp_path: Path, rows: NDArray[Any]) -> None:
    with PngWriter(tmp_path / "x.png", Size(60, 40), 3, 8, Metadata(), threads=1) as writer:
        with pytest.raises(ValueError):
            writer.write_rows(rows)
        writer.write_rows(samples.photo())
        writer.finish()


def test_use_after_the_end_is_refused(tmp_path: Path) -> None:
    writer = PngWriter(tmp_path / "x.png", Size(60, 40), 3, 8, Metadata(), threads=1)
    writer.abort()
    with pytest.raises(ValueError):
        writer.write_rows(samples.photo())
    with pytest.raises(ValueError):
        writer.finish()


def test_rows_may_be_reused_by_the_caller(tmp_path: Path) -> None:
    picture = samples.noise(50, 40, 3)
    buffer = np.empty((5, 40, 3), np.uint8)
    with PngWriter(tmp_path / "x.png", Size(40, 50), 3, 8, Metadata(), threads=2, band_bytes=300) as writer:
        for top in range(0, 50, 5):
            buffer[...] = picture[top : top + 5]
            writer.write_rows(buffer)
            buffer[...] = 0
        writer.finish()
    assert np.array_equal(read_with_opencv(tmp_path / "x.png"), picture)


def test_a_failure_in_a_thread_reaches_the_caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> bytes:
        raise MemoryError("no memory in a thread")

    monkeypatch.setattr(png, "_deflate", failing)
    with pytest.raises(MemoryError, match="in a thread"):
        write(tmp_path / "x.png", samples.photo(), band_bytes=500)
    assert list(tmp_path.iterdir()) == []


def test_bands_in_flight_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting, most, lock = 0, 0, threading.Lock()
    original = png._deflate

    def slow(data: NDArray[np.uint8], level: int) -> bytes:
        time.sleep(0.002)
        return original(data, level)

    class CountingPool(ThreadPoolExecutor):
        def submit(self, *args: Any, **kwargs: Any) -> Any:
            nonlocal waiting, most
            with lock:
                waiting += 1
                most = max(most, waiting)
            future = super().submit(*args, **kwargs)

            def finished(_: object) -> None:
                nonlocal waiting
                with lock:
                    waiting -= 1

            future.add_done_callback(finished)
            return future

    monkeypatch.setattr(png, "_deflate", slow)
    monkeypatch.setattr(png, "ThreadPoolExecutor", CountingPool)
    write(tmp_path / "x.png", samples.noise(60, 40, 3), chunk=60, band_bytes=120, threads=2)
    assert 2 < most <= 5  # two per thread, and the one that makes the caller wait


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_full_disk_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    writer = PngWriter(tmp_path / "x.png", Size(400, 400), 3, 8, Metadata(), threads=1, band_bytes=4000)
    writer._file.close()
    writer._file = open("/dev/full", "wb", buffering=0)  # noqa: PTH123, SIM115
    with writer, pytest.raises(StorageFull, match=r"no room left while writing x\.png\.part"):
        writer.write_rows(samples.noise(400, 400, 3))
    assert list(tmp_path.iterdir()) == []


def test_missing_directory_is_not_called_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(OSError) as caught:
        PngWriter(tmp_path / "nowhere" / "x.png", Size(1, 1), 1, 8, Metadata(), threads=1)
    assert caught.value.errno == errno.ENOENT


def test_size_stays_near_a_plain_encoders(tmp_path: Path) -> None:
    """What the writer is quick at must not cost much room; how quick it is, `benchmarks/` says."""
    rough = cv2.GaussianBlur(samples.noise(512, 512, 3), (0, 0), 1.5)
    big = cv2.resize(rough, (2048, 2048), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    ours, theirs = tmp_path / "ours.png", tmp_path / "theirs.png"
    write(ours, big, 128)
    Image.fromarray(big).save(theirs)
    assert ours.stat().st_size < 1.3 * theirs.stat().st_size


def gradient() -> NDArray[np.uint8]:
    y, x = np.mgrid[0:1024, 0:1024]
    return np.dstack([x // 8, y // 8, (x + y) // 16]).astype(np.uint8)


def text() -> NDArray[np.uint8]:
    page = np.full((1024, 1024, 3), 255, np.uint8)
    for line in range(40, 1024, 40):
        cv2.putText(page, "what is flat stays small", (30, line), cv2.FONT_HERSHEY_SIMPLEX, 1, (0, 0, 0))
    return page.repeat(2, axis=0).repeat(2, axis=1)


@pytest.mark.parametrize("flat", [gradient(), text()], ids=["gradient", "text"])
def test_flat_pictures_stay_near_a_plain_encoders_size(tmp_path: Path, flat: NDArray[np.uint8]) -> None:
    """ISA-L alone makes more than 1.5 times as much of them."""
    ours, theirs = tmp_path / "ours.png", tmp_path / "theirs.png"
    write(ours, flat, 128)
    Image.fromarray(flat).save(theirs)
    assert ours.stat().st_size < 1.2 * theirs.stat().st_size
    assert np.array_equal(read_with_opencv(ours), flat)
