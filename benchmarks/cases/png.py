"""The PNG writer against the encoders that others use, in this process."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import pictures
from benchmarks.context import Context
from benchmarks.report import Row, at_least, at_most
from benchmarks.timing import compare, interleave

SIDE_PX = 4096
ROWS_AT_ONCE = 1024
"""As rows come from the network: some hundreds at a time."""

Encoder = Callable[[pictures.Bytes], int]
"""Encodes and returns the size in bytes."""


def png(context: Context) -> list[Row]:
    """4096x4096 RGB."""
    small = Image.fromarray(pictures.photo(SIDE_PX // 4, SIDE_PX // 4))
    photo = np.asarray(small.resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC))
    rows = _measure(context, "photo", photo, judged=True)
    return rows + _measure(context, "page of text", pictures.page_of_text(SIDE_PX), judged=False)


def _measure(context: Context, name: str, pixels: pictures.Bytes, *, judged: bool) -> list[Row]:
    encoders: dict[str, Encoder] = {
        "ours": _Ours(context.folder / "ours.png", context.machine.physical_cores),
        "Pillow": _pillow(),
        "Pillow level 1": _pillow(compress_level=1),
        "OpenCV": _opencv,
        "libvips": _libvips(),
        "libvips level 1": _libvips(compression=1),
    }
    sizes = {encoder: encode(pixels) for encoder, encode in encoders.items()}
    if not np.array_equal(pictures.decoded((context.folder / "ours.png").read_bytes()), pixels):
        raise RuntimeError(f"our PNG of the {name} does not decode to what was encoded")
    timed = {encoder: _timed(encode, pixels) for encoder, encode in encoders.items()}
    seconds = interleave(timed, context.repeats(5, 3), rest_s=0.05, on_run=context.ran)
    rows = []
    for other in list(encoders)[1:]:
        found = compare(seconds["ours"], seconds[other])
        size_ratio = sizes["ours"] / sizes[other]
        target = at_least(30) if judged and other == "Pillow" else None
        details = {"ours_seconds": seconds["ours"], "peer_seconds": seconds[other], "bytes": sizes}
        rows.append(
            Row(
                f"PNG 4096x4096, {name}: time against {other}",
                found.ratio,
                target=target,
                note=f"{found.ours_s:.3f} s against {found.peer_s:.3f} s; "
                f"rounds {found.lowest:.1f} to {found.highest:.1f}x; our file {size_ratio:.2f}x",
                details=details,
            )
        )
        if other == "Pillow":
            rows.append(
                Row(
                    f"PNG 4096x4096, {name}: size against {other}",
                    size_ratio,
                    target=at_most(1.3) if judged else None,
                    note=f"{sizes['ours'] / 1e6:.2f} MB against {sizes[other] / 1e6:.2f} MB",
                    details=details,
                )
            )
    return rows


def _timed(encode: Encoder, pixels: pictures.Bytes) -> Callable[[], float]:
    import time

    def run() -> float:
        began_s = time.perf_counter()
        encode(pixels)
        return time.perf_counter() - began_s

    return run


class _Ours:
    """To a file, row by row, as the service writes; the others write to memory."""

    def __init__(self, path: Path, threads: int) -> None:
        self._path = path
        self._threads = threads

    def __call__(self, pixels: pictures.Bytes) -> int:
        from pixelmend.core.geometry import Size
        from pixelmend.imaging.formats import PNG, OutputSpec
        from pixelmend.imaging.metadata import Metadata
        from pixelmend.imaging.writers import open_writer

        height, width, channels = pixels.shape
        spec = OutputSpec(PNG, Size(width, height), channels, 8)
        with open_writer(self._path, spec, Metadata(), threads=self._threads) as writer:
            for top in range(0, height, ROWS_AT_ONCE):
                writer.write_rows(pixels[top : top + ROWS_AT_ONCE])
            writer.finish()
        return self._path.stat().st_size


def _pillow(**options: int) -> Encoder:
    def encode(pixels: pictures.Bytes) -> int:
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG", **options)
        return buffer.tell()

    return encode


def _opencv(pixels: pictures.Bytes) -> int:
    import cv2

    # It takes BGR; the order of the channels makes no difference to the work.
    return len(cv2.imencode(".png", pixels)[1])


def _libvips(**options: int) -> Encoder:
    import pyvips

    def encode(pixels: pictures.Bytes) -> int:
        height, width, channels = pixels.shape
        image = pyvips.Image.new_from_memory(pixels, width, height, channels, "uchar")
        return len(image.pngsave_buffer(**options))

    return encode
