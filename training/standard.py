"""Score weights on standard sets: ``python -m training.standard SETS WEIGHTS...``.

``SETS`` has a folder of PNG files for each set. The protocol is the field's: pictures cut to multiples of the
scale, reduced by Matlab's bicubic; PSNR and SSIM of studio-range BT.601 luma, ``scale`` pixels cut off each
side.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from training.methods import Method, bicubic, network_method, read_network
from training.metrics import psnr, ssim
from training.reduction import reduce_image

Bytes = NDArray[np.uint8]


def read_picture(path: Path, multiple: int) -> Bytes:
    """(h, w, 3) uint8 RGB, sides cut to multiples of ``multiple``."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"))
    height, width = (side // multiple * multiple for side in pixels.shape[:2])
    return pixels[:height, :width].copy()


def score_set(method: Method, folder: Path, scale: int) -> tuple[float, float]:
    """Mean PSNR (dB) and SSIM of luma over the pictures of ``folder``."""
    figures = []
    for path in sorted(folder.glob("*.png")):
        truth = read_picture(path, scale)
        result = method.upscale(reduce_image(truth, scale))
        figures.append((psnr(result, truth, scale).y, ssim(result, truth, scale)))
    mean_psnr, mean_ssim = np.mean(figures, axis=0).tolist()
    return mean_psnr, mean_ssim


def main(arguments: Sequence[str] | None = None) -> None:
    """The command: a Markdown table, a line for each file of weights."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("sets", type=Path, help="folder with a folder of PNG files for each set")
    parser.add_argument("weights", type=Path, nargs="+", help="networks of one scale")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    options = parser.parse_args(arguments)
    precision = torch.bfloat16 if options.precision == "bf16" else torch.float32
    networks = {path.stem: read_network(path) for path in options.weights}
    scale = next(iter(networks.values())).config.scale
    methods = [bicubic(scale), *(network_method(n, network, precision) for n, network in networks.items())]
    folders = sorted(path for path in options.sets.iterdir() if path.is_dir())
    print("| method | " + " | ".join(folder.name for folder in folders) + " |")
    print("|---" * (len(folders) + 1) + "|")
    for method in methods:
        scores = (score_set(method, folder, scale) for folder in folders)
        cells = " | ".join(f"{decibels:.2f}/{similar:.4f}" for decibels, similar in scores)
        print(f"| {method.name} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
