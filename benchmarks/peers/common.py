"""What the peers' scripts share: arguments in, one JSON line for every timed run out.

    python -m benchmarks.peers.NAME --weights FILE.pth --architecture compact --input PICTURE.npy --repeats 3

With `--repeats N` a script warms up, runs N times, prints {"seconds": [...], ...} and ends. Without, it
prints {"ready": ...} after its warm-up, then runs once for every line that it reads and prints
{"seconds": ...}: so that the benchmark can let it take turns with others. `--output` saves the last result
as (H, W, 3) uint8.
"""

import argparse
import json
import os
import sys
import time
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

EXIT_MISSING = 3
"""A package that the peer needs is not installed."""


@dataclass(frozen=True, slots=True)
class Arguments:
    weights: Path
    architecture: str
    input: Path
    output: Path | None
    repeats: int | None
    precision: str
    device: str
    threads: int
    tile_px: int


def arguments() -> Arguments:
    parser = argparse.ArgumentParser()
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--architecture", choices=["compact", "rrdb"], required=True)
    parser.add_argument("--input", type=Path, required=True, help="(H, W, 3) uint8 RGB, .npy")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--precision", choices=["float32", "bfloat16", "float16"], default="float32")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--tile", type=int, default=0, dest="tile_px")
    return Arguments(**vars(parser.parse_args()))


def missing(error: ImportError) -> int:
    """Say which package is missing, for the benchmark to pass on."""
    print(json.dumps({"missing": str(error.name or error)}), flush=True)
    return EXIT_MISSING


def take_turns(
    options: Arguments,
    run: Callable[[], Any],
    to_pixels: Callable[[Any], Any],
    warm_up: Callable[[], object] | None = None,
    **about: object,
) -> int:
    """Warm up, then run as the arguments say.

    run: one timed run; it returns when the result is there. to_pixels: a result as (H, W, 3) uint8.
    warm_up: instead of one untimed run, if a smaller one will do. about: printed along.
    """
    (warm_up or run)()
    result: Any = None

    def timed() -> float:
        nonlocal result
        began_s = time.perf_counter()
        result = run()
        return time.perf_counter() - began_s

    if options.repeats is not None:
        print(json.dumps({"seconds": [timed() for _ in range(options.repeats)], **about}), flush=True)
    else:
        print(json.dumps({"ready": True, **about}), flush=True)
        for _ in sys.stdin:
            print(json.dumps({"seconds": timed()}), flush=True)
            if options.output is not None:
                np.save(options.output, to_pixels(result))
                print(json.dumps({"saved": True}), flush=True)
    return 0


def planar(pixels: Any) -> Any:
    """(H, W, 3) uint8 as (1, 3, H, W) float32 in [0, 1]."""
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], np.float32) / 255


def interleaved(planes: Any) -> Any:
    """(1, 3, H, W) in [0, 1] as (H, W, 3) uint8."""
    return (np.asarray(planes[0], np.float32).transpose(1, 2, 0).clip(0, 1) * 255).round().astype(np.uint8)


def real_esrganer(options: Arguments) -> Any:
    """The reference implementation's own upsampler, as its README makes one. Raises ImportError."""
    # basicsr imports a module that torchvision has dropped; the one function it wants lives elsewhere now.
    from torchvision.transforms.functional import rgb_to_grayscale

    gone = types.ModuleType("torchvision.transforms.functional_tensor")
    gone.rgb_to_grayscale = rgb_to_grayscale  # type: ignore[attr-defined]
    sys.modules[gone.__name__] = gone

    from basicsr.archs.rrdbnet_arch import RRDBNet  # type: ignore[import-not-found]
    from realesrgan import RealESRGANer  # type: ignore[import-not-found]
    from realesrgan.archs.srvgg_arch import SRVGGNetCompact  # type: ignore[import-not-found]

    if options.architecture == "rrdb":
        model = RRDBNet(num_in_ch=3, num_out_ch=3, num_feat=64, num_block=23, num_grow_ch=32, scale=4)
    else:
        model = SRVGGNetCompact(
            num_in_ch=3, num_out_ch=3, num_feat=64, num_conv=16, upscale=4, act_type="prelu"
        )
    return RealESRGANer(
        scale=4,
        model_path=str(options.weights),
        model=model,
        tile=options.tile_px,
        half=options.precision == "float16",
        device=options.device,
    )


def spandrel_network(options: Arguments) -> Any:
    """The model as spandrel's README loads one: a descriptor. Raises ImportError."""
    from spandrel import ModelLoader

    return ModelLoader().load_from_file(options.weights).eval()
