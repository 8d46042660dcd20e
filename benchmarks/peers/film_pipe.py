"""Frames through pipes of FFmpeg and RealESRGANer, as its own script for films does: no sound, fixed rate.

`--input` is the film, and needs the programs ffmpeg and ffprobe.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import numpy as np

from benchmarks.peers.common import EXIT_MISSING, Arguments, arguments, missing, real_esrganer, take_turns


def main() -> int:
    options = arguments()
    try:
        upsampler = real_esrganer(options)
    except ImportError as error:
        return missing(error)
    if shutil.which("ffmpeg") is None or shutil.which("ffprobe") is None:
        print('{"missing": "ffmpeg"}', flush=True)
        return EXIT_MISSING
    size = _size(options.input)
    small = np.zeros((64, 64, 3), np.uint8)
    return take_turns(
        options,
        lambda: _upscale(options, upsampler, size),
        lambda last: np.ascontiguousarray(last[:, :, ::-1]),
        lambda: upsampler.enhance(small),
    )


def _size(film: Path) -> tuple[int, int]:
    told = subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=width,height",
         "-of", "csv=p=0", str(film)],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    width, height = told.strip().split(",")[:2]
    return int(width), int(height)


def _upscale(options: Arguments, upsampler: Any, size: tuple[int, int]) -> Any:
    """Returns the last frame."""
    width, height = size
    target = options.input.with_name(f"{options.input.stem}-pipe.mp4")
    reader = subprocess.Popen(
        ["ffmpeg", "-v", "error", "-i", str(options.input), "-f", "rawvideo", "-pix_fmt", "bgr24", "-"],
        stdout=subprocess.PIPE,
    )
    shape = ["-s", f"{4 * width}x{4 * height}", "-r", "24"]
    writer = subprocess.Popen(
        [
            "ffmpeg",
            "-v",
            "error",
            "-y",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "bgr24",
            *shape,
            "-i",
            "-",
            "-c:v",
            "libx264",
            "-crf",
            "16",
            "-pix_fmt",
            "yuv420p",
            str(target),
        ],
        stdin=subprocess.PIPE,
    )
    assert reader.stdout is not None
    assert writer.stdin is not None
    frames: IO[bytes] = reader.stdout
    last: Any = None
    while len(data := frames.read(width * height * 3)) == width * height * 3:
        last, _ = upsampler.enhance(np.frombuffer(data, np.uint8).reshape(height, width, 3))
        writer.stdin.write(last.tobytes())
    writer.stdin.close()
    if reader.wait() or writer.wait():
        raise RuntimeError("ffmpeg failed")
    return last


if __name__ == "__main__":
    sys.exit(main())
