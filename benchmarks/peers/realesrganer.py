"""Real-ESRGAN's RealESRGANer: a BGR array in, a BGR array out, pre_pad at its default of 10 px."""

import sys

import numpy as np

from benchmarks.peers.common import arguments, missing, real_esrganer, take_turns


def main() -> int:
    options = arguments()
    try:
        upsampler = real_esrganer(options)
    except ImportError as error:
        return missing(error)
    picture = np.ascontiguousarray(np.load(options.input)[:, :, ::-1])
    small = np.ascontiguousarray(picture[:64, :64])
    return take_turns(
        options,
        lambda: upsampler.enhance(picture)[0],
        lambda bgr: np.ascontiguousarray(bgr[:, :, ::-1]),
        (lambda: upsampler.enhance(small)) if options.device == "cpu" else None,
    )


if __name__ == "__main__":
    sys.exit(main())
