"""Judge weights on photographs: ``python -m training.evaluate WEIGHTS [--pictures DIR] [--precision bf16]``.

Each photograph is reduced four times by antialiased bicubic and enlarged again by bicubic (Pillow, a = -0.5)
and by the network; both results are clamped and rounded to 8 bits. PSNR is that of studio-range BT.601 (see
metrics.py).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file

from pixelmend.engine.compact import Compact, from_state
from training.data import reduce_image
from training.metrics import Score, psnr
from training.photos import NAMES, photo

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Result:
    """How one photograph came out."""

    name: str
    bicubic: Score
    model: Score

    @property
    def gain(self) -> Score:
        """The model's PSNR less that of bicubic, dB."""
        return Score(
            self.model.y - self.bicubic.y, self.model.cb - self.bicubic.cb, self.model.cr - self.bicubic.cr
        )


def enlarge_bicubic(low: Bytes, scale: int) -> Bytes:
    """(h, w, 3) to (s*h, s*w, 3), uint8."""
    height, width = low.shape[:2]
    return np.asarray(Image.fromarray(low).resize((width * scale, height * scale), Image.Resampling.BICUBIC))


@torch.inference_mode()
def enlarge(network: Compact, low: Bytes, precision: torch.dtype = torch.float32) -> Bytes:
    """(h, w, 3) to (s*h, s*w, 3), uint8, computed in ``precision`` on the device of ``network``."""
    device = next(network.parameters()).device
    tensor = torch.from_numpy(low.copy()).to(device).permute(2, 0, 1)[None].float() / 255.0
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == torch.bfloat16):
        output = network(tensor.contiguous(memory_format=torch.channels_last))
    pixels = output[0].clamp(0.0, 1.0).mul(255.0).round().byte().permute(1, 2, 0)
    return np.asarray(pixels.cpu().numpy())


def judge(
    network: Compact, names: Sequence[str] = NAMES, precision: torch.dtype = torch.float32
) -> list[Result]:
    """One result per photograph."""
    scale = network.config.scale
    results = []
    for name in names:
        truth = photo(name, scale)
        low = reduce_image(truth, scale)
        bicubic = psnr(enlarge_bicubic(low, scale), truth)
        results.append(Result(name, bicubic, psnr(enlarge(network, low, precision), truth)))
    return results


def mean_gain(results: Sequence[Result]) -> Score:
    """The mean over photographs of the gain in each plane, dB."""
    gains = np.array([(r.gain.y, r.gain.cb, r.gain.cr) for r in results]).mean(axis=0)
    return Score(*gains.tolist())


def table(results: Sequence[Result]) -> str:
    """A Markdown table: bicubic, model and gain of Y, Cb and Cr."""
    lines = [
        "| photograph | bicubic Y / Cb / Cr (dB) | model Y / Cb / Cr (dB) | gain Y / Cb / Cr (dB) |",
        "|---|---|---|---|",
    ]
    lines += [f"| {r.name} | {_cell(r.bicubic)} | {_cell(r.model)} | {_cell(r.gain, '+')} |" for r in results]
    lines.append(f"| mean | | | {_cell(mean_gain(results), '+')} |")
    return "\n".join(lines)


def _cell(score: Score, sign: str = "") -> str:
    return " / ".join(f"{value:{sign}.2f}" for value in (score.y, score.cb, score.cr))


def flat_deviation(
    network: Compact, border: int, levels: Sequence[int] = (0, 32, 64, 128, 192, 224, 255)
) -> int:
    """The largest error of any channel on flat pictures from black to white, in steps of 1/255.

    The outermost ``border`` input pixels are left out: zeros pad the convolutions there.
    """
    worst = 0
    inner = slice(border * network.config.scale, (48 - border) * network.config.scale)
    for level in levels:
        output = enlarge(network, np.full((48, 48, 3), level, np.uint8))[inner, inner]
        worst = max(worst, int(np.abs(output.astype(np.int16) - level).max()))
    return worst


def save_comparisons(network: Compact, folder: Path, names: Sequence[str] = NAMES) -> None:
    """Write, per photograph, bicubic, model and original side by side."""
    folder.mkdir(parents=True, exist_ok=True)
    scale = network.config.scale
    for name in names:
        truth = photo(name, scale)
        low = reduce_image(truth, scale)
        row = np.concatenate((enlarge_bicubic(low, scale), enlarge(network, low), truth), axis=1)
        Image.fromarray(row).save(folder / f"{name}.png")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("weights", type=Path, help="safetensors file")
    parser.add_argument("--pictures", type=Path, help="folder for side-by-side pictures")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    options = parser.parse_args(arguments)
    network = from_state(load_file(options.weights)).to(memory_format=torch.channels_last)
    precision = torch.bfloat16 if options.precision == "bf16" else torch.float32
    print(table(judge(network, precision=precision)))
    inside, everywhere = flat_deviation(network, 4), flat_deviation(network, 0)
    print(f"largest error on flat grey pictures: {inside}/255; in the outermost 4 pixels: {everywhere}/255")
    if options.pictures is not None:
        save_comparisons(network, options.pictures)


if __name__ == "__main__":
    main()
