"""Every output format: pixels, metadata, resizing, refusals and full disks."""

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pillow_heif
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from pixelmend.core.errors import InvalidParameter, OutputTooLarge
from pixelmend.core.geometry import Size
from pixelmend.imaging.codec import configure_decoders, decode
from pixelmend.imaging.formats import (
    AVIF,
    JPEG,
    PNG,
    TIFF,
    WEBP,
    Format,
    OutputSpec,
    check_encodable,
    losses,
)
from pixelmend.imaging.metadata import Metadata
from pixelmend.imaging.probe import InputLimits
from pixelmend.imaging.writers import open_writer
from tests.imaging import samples
from tests.imaging.writing import OUTPUTS, full_metadata, write

LOSSY = (JPEG, WEBP, AVIF)


def read(path: Path) -> NDArray[Any]:
    """(H, W, C) by a decoder that shares no code with the writer: Pillow, tifffile, OpenCV."""
    pixels: NDArray[Any]
    if path.suffix == ".tif":
        pixels = tifffile.imread(path)
    elif path.suffix == ".png":
        image_read = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert image_read is not None
        pixels = image_read
        if pixels.ndim == 3:
            pixels = pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]]
    else:
        with Image.open(path) as image:
            pixels = np.asarray(image)
    return pixels[:, :, np.newaxis] if pixels.ndim == 2 else pixels


def as_eight(pixels: NDArray[Any]) -> NDArray[np.int64]:
    return (pixels.astype(np.int64) + 128) // 257 if pixels.dtype == np.uint16 else pixels.astype(np.int64)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_tiff_is_exact(tmp_path: Path, channels: int, bits: int) -> None:
    picture = samples.noise(45, 37, channels, bits)
    write(tmp_path / "x.tif", picture, TIFF)
    assert np.array_equal(read(tmp_path / "x.tif"), picture)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", LOSSY)
def test_lossy_formats_are_close(tmp_path: Path, kind: Format, channels: int, bits: int) -> None:
    picture = samples.photo(96, 120, channels)
    stored = picture if bits == 8 else picture.astype(np.uint16) * 257
    path = tmp_path / f"x{kind.suffix}"
    write(path, stored, kind, quality=95)
    expected = picture.astype(np.int64)
    if kind is JPEG and channels in (2, 4):
        alpha = expected[:, :, -1:] / 255
        expected = np.rint(expected[:, :, :-1] * alpha + 255 * (1 - alpha)).astype(np.int64)
    decoded = read(path).astype(np.int64)
    if decoded.shape[2] > expected.shape[2]:  # grey that had to become RGB
        colour = np.repeat(expected[:, :, :1], 3, axis=2)
        expected = np.dstack([colour, expected[:, :, 1:]]) if channels == 2 else colour
    assert decoded.shape == expected.shape
    assert np.abs(decoded - expected).mean() < 2.0
    assert np.abs(decoded - expected).max() < 20


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_keeps_grey_grey(tmp_path: Path, channels: int) -> None:
    write(tmp_path / "x.jpg", samples.photo(channels=channels), JPEG)
    with Image.open(tmp_path / "x.jpg") as image:
        assert image.mode == {1: "L", 3: "RGB"}[channels]


def test_jpeg_has_full_chroma_from_quality_90(tmp_path: Path) -> None:
    for quality, layers in ((90, (1, 1)), (89, (2, 2))):
        write(tmp_path / "x.jpg", samples.photo(), JPEG, quality=quality)
        with Image.open(tmp_path / "x.jpg") as image:
            assert image.layer[0][1:3] == layers  # type: ignore[attr-defined]


def test_webp_at_quality_100_is_lossless_even_where_invisible(tmp_path: Path) -> None:
    picture = samples.noise(40, 30, 4)
    picture[:20, :, 3] = 0
    write(tmp_path / "x.webp", picture, WEBP, quality=100)
    assert np.array_equal(read(tmp_path / "x.webp"), picture)


def test_avif_keeps_twelve_of_sixteen_bits(tmp_path: Path) -> None:
    ramp = np.broadcast_to(np.linspace(0, 65_535, 256).astype(np.uint16)[:, None, None], (256, 64, 3))
    write(tmp_path / "x.avif", np.ascontiguousarray(ramp), AVIF, quality=100)
    assert pillow_heif.open_heif(tmp_path / "x.avif").info["bit_depth"] == 12
    decoded = decode(tmp_path / "x.avif", InputLimits()).pixels
    assert decoded.dtype == np.uint16
    assert np.abs(decoded.astype(int) - ramp).max() < 600


@pytest.mark.parametrize("kind", OUTPUTS, ids=str)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_metadata_survives_every_format(tmp_path: Path, kind: Format, channels: int) -> None:
    metadata = full_metadata(channels)
    path = tmp_path / f"x{kind.suffix}"
    spec = write(path, samples.photo(channels=channels), kind, metadata)
    lost = losses(spec, metadata)

    with Image.open(path) as image:
        image.load()
        icc = image.info.get("icc_profile")
        xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
        tags = image.getexif()
        details = tags.get_ifd(0x8769)
        dpi: Any = image.info.get("dpi") or (tags.get(0x011A), tags.get(0x011B))
    assert icc == (None if "icc" in lost else metadata.icc)
    xmp = xmp.encode() if isinstance(xmp, str) else xmp
    assert xmp == b'<x:xmpmeta tiff:Orientation="1" exif:PixelXDimension="60">text</x:xmpmeta>'
    assert tuple(float(value) for value in dpi) == pytest.approx((300, 150), abs=0.02)
    if "exif" not in lost:
        assert tags[0x010F] == "Maker"
        assert tags[0x0112] == 1
        assert (details[0xA002], details[0xA003]) == (60, 40)
        assert details[0x927C] == b"maker note"

    again = decode(path, InputLimits()).metadata
    assert again.dpi == pytest.approx((300, 150), abs=0.02)
    assert (again.exif is None) == ("exif" in lost)
    assert (again.icc is None) == ("icc" in lost)
    assert again.xmp == xmp


@pytest.mark.parametrize("kind", OUTPUTS, ids=str)
def test_files_without_metadata_have_none(tmp_path: Path, kind: Format) -> None:
    path = tmp_path / f"x{kind.suffix}"
    write(path, samples.photo(), kind)
    with Image.open(path) as image:
        assert "icc_profile" not in image.info
    metadata = decode(path, InputLimits()).metadata
    assert (metadata.icc, metadata.xmp) == (None, None)


@pytest.mark.parametrize("kind", [WEBP, AVIF])
def test_grey_profile_is_applied_where_only_rgb_exists(tmp_path: Path, kind: Format) -> None:
    picture = np.full((32, 32, 1), 128, np.uint8)
    path = tmp_path / f"x{kind.suffix}"
    write(path, picture, kind, Metadata(icc=samples.grey_profile(1.0)), quality=95)
    # Linear light 128/255 is 188 in sRGB.
    assert np.abs(read(path)[:, :, :3].astype(int) - 188).max() <= 3


@pytest.mark.parametrize("kind", OUTPUTS, ids=str)
@pytest.mark.parametrize("size", [Size(31, 50), Size(60, 41), Size(130, 85), Size(1, 1)])
def test_resized_to_exactly_the_size(tmp_path: Path, kind: Format, size: Size) -> None:
    path = tmp_path / f"x{kind.suffix}"
    write(path, samples.photo(), kind, size=size)
    assert read(path).shape[:2] == (size.height, size.width)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 3])
def test_resize_agrees_with_an_independent_one(tmp_path: Path, channels: int, bits: int) -> None:
    picture = samples.photo(120, 160, channels)
    stored = picture if bits == 8 else picture.astype(np.uint16) * 257
    write(tmp_path / "x.png", stored, PNG, size=Size(100, 75))
    decoded = read(tmp_path / "x.png")
    assert decoded.dtype == stored.dtype
    reference = samples.pillow(picture).resize((100, 75), Image.Resampling.LANCZOS)
    expected = np.asarray(reference).reshape(75, 100, channels).astype(int)
    assert np.abs(as_eight(decoded) - expected).max() <= 3


def test_resize_gives_no_dark_fringe(tmp_path: Path) -> None:
    picture = np.zeros((80, 80, 4), np.uint8)
    picture[20:60, 20:60] = [250, 200, 100, 255]  # on transparent black
    write(tmp_path / "x.png", picture, PNG, size=Size(37, 37))
    decoded = read(tmp_path / "x.png").astype(int)
    visible = decoded[:, :, 3] > 8
    assert np.abs(decoded[visible][:, :3] - [250, 200, 100]).max() <= 16
    assert decoded[18, 18].tolist() == [250, 200, 100, 255]


def test_sixteen_bits_survive_a_resize(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65_535, 200).astype(np.uint16)
    picture = np.ascontiguousarray(np.broadcast_to(ramp[None, :, None], (40, 200, 4)))
    picture[:, :, 3] = 65_535
    write(tmp_path / "x.tif", picture, TIFF, size=Size(150, 30))
    decoded = read(tmp_path / "x.tif")
    assert decoded.dtype == np.uint16
    assert len(np.unique(decoded[:, :, 0])) > 140
    assert decoded[0, 5:-5, 0].astype(int) == pytest.approx(np.linspace(0, 65_535, 150)[5:-5], abs=300)


@pytest.mark.parametrize(("kind", "side"), [(JPEG, 65_500), (WEBP, 16_383), (AVIF, 16_384)])
def test_the_stated_limit_is_what_the_encoder_takes(tmp_path: Path, kind: Format, side: int) -> None:
    picture = np.zeros((1, side, 1), np.uint8)
    write(tmp_path / f"x{kind.suffix}", picture, kind, quality=50)
    too_wide = OutputSpec(kind, Size(side + 1, 1), 1, 8)
    message = f"{side + 1}x1 px exceeds the {side} px that {kind} can hold on a side"
    with pytest.raises(OutputTooLarge, match=message):
        check_encodable(too_wide)
    with pytest.raises(OutputTooLarge):
        open_writer(tmp_path / "y", too_wide, Metadata(), threads=1)
    assert not (tmp_path / "y").exists()


@pytest.mark.parametrize("quality", [0, 101, -1])
def test_quality_out_of_range_is_refused(quality: int) -> None:
    with pytest.raises(InvalidParameter, match=f"quality={quality} is outside 1..100"):
        check_encodable(OutputSpec(JPEG, Size(1, 1), 3, 8, quality))


def test_quality_of_a_lossless_format_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="png is lossless"):
        check_encodable(OutputSpec(PNG, Size(1, 1), 3, 8, 80))


def test_losses_are_named() -> None:
    metadata = full_metadata()

    def lost(kind: Format, channels: int, bits: int, kept: Metadata = metadata) -> set[str]:
        return set(losses(OutputSpec(kind, Size(9, 9), channels, bits), kept))

    assert lost(PNG, 4, 16) == set()
    assert lost(JPEG, 4, 16) == {"alpha", "16-bit"}
    assert lost(WEBP, 3, 16) == {"16-bit"}
    assert lost(WEBP, 1, 8, full_metadata(1)) == {"icc"}
    huge = Metadata(exif=metadata.exif, xmp=bytes(70_000))
    assert lost(JPEG, 3, 8, huge) == {"xmp"}


@pytest.mark.parametrize("kind", OUTPUTS, ids=str)
def test_aborted_writers_leave_nothing(tmp_path: Path, kind: Format) -> None:
    spec = OutputSpec(kind, Size(60, 40), 3, 8)
    with open_writer(tmp_path / "x", spec, Metadata(), threads=1, source_size=Size(30, 20)) as writer:
        writer.write_rows(samples.photo(20, 30)[:10])
        with pytest.raises(ValueError, match="10 rows were written, the height is 20"):
            writer.finish()
        with pytest.raises(ValueError, match="already finished or aborted"):
            writer.write_rows(samples.photo(20, 30)[:1])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", OUTPUTS, ids=str)
@pytest.mark.parametrize("stage", ["rows", "result"])
def test_full_disk_is_named_in_every_format(tmp_path: Path, kind: Format, stage: str) -> None:
    """A limit on file sizes makes writes fail the way a full disk does."""
    program = f"""
        import resource, signal, sys
        from pathlib import Path
        import numpy as np
        from pixelmend.core.errors import StorageFull
        from pixelmend.core.geometry import Size
        from pixelmend.imaging.metadata import Metadata
        from pixelmend.imaging.formats import JPEG, PNG, OutputSpec, format_registry
        from pixelmend.imaging.writers import open_writer
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        def fill_disk():
            resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))
        rows = np.random.default_rng(0).integers(0, 256, (140, 140, 3), dtype=np.uint8)
        spec = OutputSpec(format_registry().output("{kind}"), Size(140, 140), 3, 8)
        directory = Path(sys.argv[1])
        try:
            with open_writer(directory / "x", spec, Metadata(), threads=1) as writer:
                if "{stage}" == "rows":
                    fill_disk()
                writer.write_rows(rows)
                fill_disk()
                writer.finish()
        except StorageFull as error:
            print("StorageFull", error.message)
        print(sorted(entry.name for entry in directory.iterdir()))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("StorageFull no room left while writing"), done.stdout + done.stderr
    assert done.stdout.endswith("[]\n"), done.stdout


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's account of the process")
def test_no_descriptors_leak(tmp_path: Path) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    configure_decoders(2)  # without its cache, which keeps files open
    write(tmp_path / "x.jpg", samples.photo(), JPEG)
    before = descriptors()
    for kind in OUTPUTS:
        path = tmp_path / f"x{kind.suffix}"
        for _ in range(5):
            write(path, samples.photo(), kind)
            decode(path, InputLimits())
    assert descriptors() <= before
