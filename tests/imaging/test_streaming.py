"""Encoders that run while rows arrive: the same pixels as from memory, little of it, and a clean end."""

import io
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from pixelmend.core.errors import InternalError, StorageFull
from pixelmend.core.geometry import Size
from pixelmend.imaging import row_tiff
from pixelmend.imaging.encode import encode_avif, encode_jpeg, encode_tiff, encode_to_file, encode_webp
from pixelmend.imaging.formats import AVIF, JPEG, PNG, TIFF, WEBP, Format, OutputSpec, format_registry
from pixelmend.imaging.metadata import Metadata
from pixelmend.imaging.resize import resize
from pixelmend.imaging.row_stream import RowStream
from pixelmend.imaging.stream_writer import StreamWriter
from pixelmend.imaging.writers import open_writer
from tests.imaging import samples

OUTPUTS = format_registry().outputs

ENCODERS = {JPEG: encode_jpeg, WEBP: encode_webp, AVIF: encode_avif, TIFF: encode_tiff}
STREAMED = tuple(kind for kind in OUTPUTS if kind is not PNG)
SIZE = Size(60, 40)


def in_memory(pixels: NDArray[Any]) -> pyvips.Image:
    """The pixels as an image that libvips may read in any order."""
    height, width, channels = pixels.shape
    bits = pixels.dtype.itemsize * 8
    image = pyvips.Image.new_from_memory(
        pixels.tobytes(), width, height, channels, "ushort" if bits == 16 else "uchar"
    )
    names = {(False, 8): "b-w", (False, 16): "grey16", (True, 8): "srgb", (True, 16): "rgb16"}
    return image.copy(interpretation=names[channels >= 3, bits])


def as_array(image: pyvips.Image) -> NDArray[Any]:
    dtype = np.uint16 if image.format == "ushort" else np.uint8
    return np.frombuffer(image.write_to_memory(), dtype).reshape(image.height, image.width, image.bands)


def decoded(path: Path) -> NDArray[Any]:
    return as_array(pyvips.Image.new_from_file(str(path)))


def encoder_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "encoder"]


def write_all(writer: Any, pixels: NDArray[Any], chunk: int = 13) -> None:
    with writer:
        for top in range(0, len(pixels), chunk):
            writer.write_rows(pixels[top : top + chunk])
        writer.finish()


@pytest.fixture(autouse=True)
def _no_thread_outlives_its_writer() -> Any:
    yield
    assert encoder_threads() == []


# --- the same pixels ----------------------------------------------------------------------------------


@given(
    width=st.integers(1, 50),
    height=st.integers(1, 60),
    channels=st.integers(1, 4),
    bits=st.sampled_from([8, 16]),
)
@settings(max_examples=100, deadline=None)
def test_the_head_makes_a_tiff_of_the_rows(width: int, height: int, channels: int, bits: int) -> None:
    picture = samples.noise(height, width, channels, bits)
    file = row_tiff.head(Size(width, height), channels, bits) + picture.astype(f"<u{bits // 8}").tobytes()
    with tifffile.TiffFile(io.BytesIO(file)) as tiff:
        assert np.array_equal(tiff.asarray().reshape(picture.shape), picture)
        extra = tiff.pages[0].tags.get("ExtraSamples")  # type: ignore[union-attr]
        assert (extra is not None) == (channels in (2, 4))


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", OUTPUTS, ids=str)
@pytest.mark.parametrize("size", [None, Size(231, 187), Size(31, 50), Size(411, 420), Size(1, 1)])
def test_streamed_pixels_are_those_of_an_image_in_memory(
    tmp_path: Path, kind: Format, channels: int, bits: int, size: Size | None
) -> None:
    picture = samples.photo(250, 310, channels)
    stored = picture if bits == 8 else picture.astype(np.uint16) * 257
    spec = OutputSpec(kind, size or Size(310, 250), channels, bits)
    path = tmp_path / "streamed"
    write_all(open_writer(path, spec, Metadata(), threads=2, source_size=Size(310, 250)), stored)
    expected = resize(in_memory(stored), spec.size)
    if kind is not PNG:
        encode_to_file(ENCODERS[kind], expected, spec, Metadata(), tmp_path / "expected")
        expected = pyvips.Image.new_from_file(str(tmp_path / "expected"))
    assert np.array_equal(decoded(path), as_array(expected))
    assert len(np.unique(decoded(path))) > 20 or size == Size(1, 1)


def test_jpegs_pixels_do_not_depend_on_the_huffman_tables(tmp_path: Path) -> None:
    picture = samples.photo(250, 310, 3)
    spec = OutputSpec(JPEG, Size(310, 250), 3, 8)
    write_all(open_writer(tmp_path / "x.jpg", spec, Metadata(), threads=1), picture)
    optimised = in_memory(picture).jpegsave_buffer(
        Q=spec.effective_quality, subsample_mode="off", optimize_coding=True
    )
    with Image.open(io.BytesIO(optimised)) as image:
        assert np.array_equal(decoded(tmp_path / "x.jpg"), np.asarray(image))


def test_rows_may_be_a_view_and_be_reused(tmp_path: Path) -> None:
    picture = samples.noise(50, 40, 3)
    spec = OutputSpec(TIFF, Size(40, 50), 3, 8)
    buffer = np.empty((5, 60, 3), np.uint8)
    with open_writer(tmp_path / "x.tif", spec, Metadata(), threads=1) as writer:
        for top in range(0, 50, 5):
            buffer[:, 10:50] = picture[top : top + 5]
            writer.write_rows(buffer[:, 10:50])
            buffer[...] = 0
        writer.finish()
    assert np.array_equal(decoded(tmp_path / "x.tif"), picture)


def test_many_writers_at_once(tmp_path: Path) -> None:
    """More of them than libvips has threads, fed in turns: none may starve another."""
    pictures = [samples.noise(64, 200, 3, seed=seed) for seed in range(12)]
    spec = OutputSpec(TIFF, Size(200, 64), 3, 8)
    writers = [
        open_writer(tmp_path / f"{index}.tif", spec, Metadata(), threads=1) for index in range(len(pictures))
    ]
    for top in range(0, 64, 8):
        for writer, picture in zip(writers, pictures, strict=True):
            writer.write_rows(picture[top : top + 8])
    for index, writer in enumerate(writers):
        writer.finish()
        assert np.array_equal(decoded(tmp_path / f"{index}.tif"), pictures[index])


# --- memory -------------------------------------------------------------------------------------------


def peak_mb(program: str, *arguments: object) -> float:
    """What the program printed: megabytes that its process grew by at most, while it did its work."""
    prelude = """
        import sys
        from pathlib import Path
        import numpy as np
        from pixelmend.imaging.codec import configure_decoders, decode
        from pixelmend.core.geometry import Size
        from pixelmend.imaging.metadata import Metadata
        from pixelmend.imaging.probe import InputLimits
        from pixelmend.imaging.formats import JPEG, PNG, OutputSpec, format_registry
        from pixelmend.imaging.writers import open_writer
        configure_decoders(2)
        def account(name):
            return int(Path("/proc/self/status").read_text().split(name + ":")[1].split()[0]) / 1024
        def grown(work):
            before = account("VmRSS")
            Path("/proc/self/clear_refs").write_text("5")  # the peak begins again
            work()
            print(account("VmHWM") - before)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(prelude) + textwrap.dedent(program), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


WRITE = """
    kind, side, target = format_registry().output(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    y, x, c = np.mgrid[0:256, 0:side, 0:3]
    rows = ((x * y // 64 + c * 40 + (x * 7919 + y * 104729) % 5) % 256).astype(np.uint8)
    def work():
        spec = OutputSpec(kind, Size(target, target), 3, 8)
        path = Path(sys.argv[1]) / "x"
        with open_writer(path, spec, Metadata(), threads=2, source_size=Size(side, side)) as writer:
            for top in range(0, side, 256):
                writer.write_rows(rows)
            writer.finish()
    grown(work)
"""

needs_clear_refs = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="reads Linux's account of the process"
)


@pytest.mark.full
@needs_clear_refs
@pytest.mark.parametrize(
    ("kind", "target"), [("png", 1.0), ("jpeg", 1.0), ("jpeg", 0.75), ("png", 0.75), ("tiff", 0.25)]
)
def test_memory_of_a_writer_hardly_grows_with_the_image(tmp_path: Path, kind: str, target: float) -> None:
    """4 MP against 64 MP, which as rows are 12 MB and 192 MB."""
    small = peak_mb(WRITE, tmp_path, kind, 2048, int(2048 * target))
    large = peak_mb(WRITE, tmp_path, kind, 8192, int(8192 * target))
    assert large - small < 60
    assert large < 100


@needs_clear_refs
@pytest.mark.parametrize("kind", ["png", "jpeg"])
def test_decoding_holds_one_copy_of_the_pixels(tmp_path: Path, kind: str) -> None:
    """16 MP, which as pixels are 48 MB."""
    path = tmp_path / "x"
    spec = OutputSpec(format_registry().output(kind), Size(4096, 4096), 3, 8)
    write_all(open_writer(path, spec, Metadata(), threads=2), np.tile(samples.photo(512, 512), (8, 8, 1)))
    grown = peak_mb("grown(lambda: decode(Path(sys.argv[1]), InputLimits()))", path)
    assert grown < 48 + 36


def test_what_waits_is_bounded_in_bytes() -> None:
    stream = RowStream(Size(1000, 1000), 3, 8, capacity_bytes=1_500_000)
    most = 0

    def write_rows() -> None:
        with pytest.raises(ValueError, match="already finished or aborted"):
            stream.write(np.zeros((1000, 1000, 3), np.uint8))

    writing = threading.Thread(target=write_rows)
    writing.start()
    deadline = time.monotonic() + 0.1
    while time.monotonic() < deadline:
        most = max(most, stream._waiting_bytes)
    assert writing.is_alive()
    assert 0 < most <= 2 << 20  # two pieces may always wait; the rows have 3 MB
    stream.abort()
    writing.join(30)
    assert not writing.is_alive()


def test_rows_larger_than_the_stream_pass_through_it() -> None:
    picture = samples.noise(50, 100, 3)
    stream = RowStream(Size(100, 50), 3, 8, capacity_bytes=10)
    read: list[NDArray[Any]] = []
    reading = threading.Thread(target=lambda: read.append(as_array(stream.image())))
    reading.start()
    for top in range(0, 50, 5):
        stream.write(picture[top : top + 5])
    stream.complete()
    reading.join(30)
    assert np.array_equal(read[0], picture)


# --- ends ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", OUTPUTS, ids=str)
@pytest.mark.parametrize("rows", [0, 1, 100, 400])
def test_abort_at_any_row_leaves_nothing(tmp_path: Path, kind: Format, rows: int) -> None:
    """Even with every row written: the file does not appear before `finish`."""
    spec = OutputSpec(kind, Size(250, 300), 3, 8)
    writer = open_writer(tmp_path / "x", spec, Metadata(), threads=1, source_size=Size(300, 400))
    if rows:
        writer.write_rows(samples.noise(rows, 300, 3))
    writer.abort()
    writer.abort()
    assert list(tmp_path.iterdir()) == []
    assert encoder_threads() == []
    with pytest.raises(ValueError, match="already finished or aborted"):
        writer.finish()


@pytest.mark.parametrize("kind", STREAMED)
def test_a_finished_file_survives_a_late_abort(tmp_path: Path, kind: Format) -> None:
    writer = open_writer(tmp_path / "x", OutputSpec(kind, SIZE, 3, 8), Metadata(), threads=1)
    write_all(writer, samples.photo())
    writer.abort()
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]
    with pytest.raises(ValueError, match="already finished or aborted"):
        writer.write_rows(samples.photo()[:1])


@pytest.mark.parametrize("kind", STREAMED)
def test_an_old_file_stays_until_the_new_one_is_complete(tmp_path: Path, kind: Format) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")
    with open_writer(path, OutputSpec(kind, SIZE, 3, 8), Metadata(), threads=1) as writer:
        writer.write_rows(samples.photo()[:39])
        with pytest.raises(ValueError, match="39 rows were written, the height is 40"):
            writer.finish()
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]


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
    spec = OutputSpec(TIFF, SIZE, 3, 8)
    with open_writer(tmp_path / "x.tif", spec, Metadata(), threads=1) as writer:
        with pytest.raises(ValueError, match=r"expected rows|row 41 exceeds the height of 40"):
            writer.write_rows(rows)
        writer.write_rows(samples.photo())
        writer.finish()
    assert np.array_equal(decoded(tmp_path / "x.tif"), samples.photo())


def blocked_writer(save: Callable[[pyvips.Image], None]) -> tuple[threading.Thread, StreamWriter, list[Any]]:
    """A thread that waits in `write_rows`, since `save` reads nothing; and what it will have raised."""
    writer = StreamWriter(Size(4096, 4096), 3, 8, save)
    raised: list[Any] = []

    def write() -> None:
        try:
            writer.write_rows(np.zeros((4096, 4096, 3), np.uint8))
        except Exception as error:
            raised.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    stream, seen = writer._stream, -1
    while seen != stream._waiting_bytes or seen == 0:
        seen = stream._waiting_bytes
        time.sleep(0.05)
    assert thread.is_alive()
    return thread, writer, raised


def test_an_abort_from_elsewhere_frees_a_writer_that_waits() -> None:
    go_on = threading.Event()
    thread, writer, raised = blocked_writer(lambda image: (go_on.wait(30), image.avg())[1])
    threading.Timer(0.1, go_on.set).start()
    writer.abort()
    thread.join(30)
    assert [type(error) for error in raised] == [ValueError]


@pytest.mark.parametrize(
    ("failure", "seen"),
    [(StorageFull("no room"), StorageFull), (pyvips.Error("what vips says"), InternalError)],
)
def test_a_failing_encoder_frees_a_writer_that_waits(failure: Exception, seen: type[Exception]) -> None:
    go_on = threading.Event()

    def save(image: pyvips.Image) -> None:
        go_on.wait(30)
        raise failure

    thread, writer, raised = blocked_writer(save)
    go_on.set()
    thread.join(30)
    assert [type(error) for error in raised] == [seen]
    with pytest.raises(seen):
        writer.finish()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("kind", [JPEG, TIFF, PNG])
def test_a_disk_that_fills_up_ends_the_rows(tmp_path: Path, kind: Format) -> None:
    """The encoder writes while rows arrive, so the error need not wait for `finish`."""
    (tmp_path / "x.part").symlink_to("/dev/full")
    spec = OutputSpec(kind, Size(1000, 60_000), 3, 8)
    source = Size(1024, 60_000)
    rows = samples.noise(64, 1024, 3)

    def write() -> None:
        for _ in range(source.height // 64):
            writer.write_rows(rows)

    with (
        open_writer(tmp_path / "x", spec, Metadata(), threads=1, source_size=source) as writer,
        pytest.raises(StorageFull, match=r"no room left while writing x\.part"),
    ):
        write()
    assert list(tmp_path.iterdir()) == []


def test_a_failing_save_of_resized_png_is_named(tmp_path: Path) -> None:
    """The error of a PNG writer passes through libvips, which calls it, unchanged."""
    spec = OutputSpec(PNG, Size(40, 30), 3, 8)
    writer = open_writer(tmp_path / "none" / "x", spec, Metadata(), threads=1, source_size=SIZE)
    with pytest.raises(FileNotFoundError):
        write_all(writer, samples.photo())


def test_the_last_rows_wait_for_finish() -> None:
    """Else an encoder that begins with the last row could not be aborted before `finish`."""
    seen: list[float] = []
    writer = StreamWriter(SIZE, 3, 8, lambda image: seen.append(image.avg()))
    writer.write_rows(samples.photo())
    time.sleep(0.1)
    assert seen == []
    writer.finish()
    assert seen == [pytest.approx(samples.photo().mean())]


def test_a_process_may_exit_with_a_writer_open(tmp_path: Path) -> None:
    program = f"""
        import sys
        from pathlib import Path
        import numpy as np
        from pixelmend.core.geometry import Size
        from pixelmend.imaging.metadata import Metadata
        from pixelmend.imaging.formats import JPEG, PNG, OutputSpec, format_registry
        from pixelmend.imaging.writers import open_writer
        spec = OutputSpec(JPEG, Size(3000, 3000), 3, 8)
        writer = open_writer(Path({str(tmp_path)!r}) / "x", spec, Metadata(), threads=1)
        writer.write_rows(np.zeros((1000, 3000, 3), np.uint8))
        while not list(Path({str(tmp_path)!r}).iterdir()):
            pass
        print("end", flush=True)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, "end\n"), done.stderr
    assert list(tmp_path.iterdir()) == []
