"""Compare weights on photographs: ``python -m training.evaluate WEIGHTS... [--noise 10] [--pictures DIR]``.

Each photograph is reduced by antialiased bicubic and upscaled again by every method; ``--noise`` adds noise
of that deviation, in steps of 1/255, and JPEG of quality 50 between the two. Results are clamped and rounded
to 8 bits. PSNR is that of studio-range BT.601 (see metrics.py).
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from training.judge import flat_deviation, mean, minus, reduced
from training.methods import Method, bicubic, lanczos, network_method, read_network
from training.metrics import Likeness, Score, compare
from training.photos import NAMES, photo

TIMED_RUNS = 5


@dataclass(frozen=True, slots=True)
class Comparison:
    """One method on all photographs."""

    method: str
    likeness: Mapping[str, Likeness]
    seconds_per_megapixel: float

    @property
    def psnr(self) -> Score:
        """The mean over photographs, dB."""
        return mean([likeness.psnr for likeness in self.likeness.values()])

    @property
    def ssim(self) -> float:
        """The mean over photographs."""
        return float(np.mean([likeness.ssim for likeness in self.likeness.values()]))

    @property
    def haarpsi(self) -> float:
        """The mean over photographs."""
        return float(np.mean([likeness.haarpsi for likeness in self.likeness.values()]))


def compare_methods(
    methods: Sequence[Method], scale: int, names: Sequence[str] = NAMES, noise: float | None = None
) -> list[Comparison]:
    """One comparison per method."""
    comparisons = []
    for method in methods:
        likeness = {}
        for name in names:
            truth = photo(name, scale)
            likeness[name] = compare(method.upscale(reduced(truth, scale, noise)), truth)
        comparisons.append(Comparison(method.name, likeness, _seconds_per_megapixel(method, scale)))
    return comparisons


def _seconds_per_megapixel(method: Method, scale: int) -> float:
    """Seconds per megapixel of the result: the median of several runs, after one that is not counted."""
    low = reduced(photo("astronaut", scale), scale)
    height, width = method.upscale(low).shape[:2]
    times = []
    for _ in range(TIMED_RUNS):
        began = time.perf_counter()
        method.upscale(low)
        times.append(time.perf_counter() - began)
    return float(statistics.median(times) * 1e6 / (height * width))


def summary(comparisons: Sequence[Comparison]) -> str:
    """A Markdown table of means, a line per method; gains and times are against the first."""
    base = comparisons[0]
    lines = [
        "| method | Y / Cb / Cr (dB) | gain Y / Cb / Cr (dB) | SSIM | HaarPSI | time per megapixel |",
        "|---|---|---|---|---|---|",
    ]
    for found in comparisons:
        gain = _cell(minus(found.psnr, base.psnr), "+")
        ratio = found.seconds_per_megapixel / base.seconds_per_megapixel
        lines.append(
            f"| {found.method} | {_cell(found.psnr)} | {gain} | {found.ssim:.4f} | {found.haarpsi:.4f} "
            f"| {ratio:.1f} ({found.seconds_per_megapixel:.3g} s) |"
        )
    return "\n".join(lines)


def table(comparisons: Sequence[Comparison], method: str) -> str:
    """A Markdown table, a line per photograph: bicubic, Lanczos, and what ``method`` gains over bicubic."""
    by_name = {found.method: found.likeness for found in comparisons}
    lines = [
        "| photograph | bicubic Y / Cb / Cr (dB) | Lanczos Y | gain Y / Cb / Cr (dB) | SSIM | HaarPSI |",
        "|---|---|---|---|---|---|",
    ]
    gains = []
    for name, base in by_name["bicubic"].items():
        found = by_name[method][name]
        gains.append(minus(found.psnr, base.psnr))
        other = by_name["Lanczos"][name].psnr.y
        lines.append(
            f"| {name} | {_cell(base.psnr)} | {other:.2f} | {_cell(gains[-1], '+')} "
            f"| {base.ssim:.4f} to {found.ssim:.4f} | {base.haarpsi:.4f} to {found.haarpsi:.4f} |"
        )
    lines.append(f"| mean | | | {_cell(mean(gains), '+')} | | |")
    return "\n".join(lines)


def _cell(score: Score, sign: str = "") -> str:
    return " / ".join(f"{value:{sign}.2f}" for value in (score.y, score.cb, score.cr))


def save_comparisons(
    methods: Sequence[Method],
    scale: int,
    folder: Path,
    names: Sequence[str] = NAMES,
    noise: float | None = None,
) -> None:
    """Write, per photograph, what each method makes of it and the original, side by side."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        truth = photo(name, scale)
        low = reduced(truth, scale, noise)
        row = np.concatenate([*(method.upscale(low) for method in methods), truth], axis=1)
        Image.fromarray(row).save(folder / f"{name}.png")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("weights", type=Path, nargs="+", help="networks of one scale")
    parser.add_argument("--noise", type=float, help="spoil with noise of this deviation (1/255) and JPEG")
    parser.add_argument("--photographs", choices=NAMES, nargs="+", default=NAMES, metavar="NAME")
    parser.add_argument("--pictures", type=Path, help="folder for side-by-side pictures")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    options = parser.parse_args(arguments)
    precision = torch.bfloat16 if options.precision == "bf16" else torch.float32
    networks = {path.stem: read_network(path) for path in options.weights}
    scales = {network.config.scale for network in networks.values()}
    if len(scales) > 1:
        parser.error(f"these networks upscale by different factors: {sorted(scales)}")
    scale = scales.pop()
    methods = [
        bicubic(scale),
        lanczos(scale),
        *(network_method(name, network, precision) for name, network in networks.items()),
    ]
    comparisons = compare_methods(methods, scale, options.photographs, options.noise)
    print(summary(comparisons))
    for name, network in networks.items():
        print(f"\n{name}\n\n{table(comparisons, name)}\n")
        inside, everywhere = flat_deviation(network, 4), flat_deviation(network, 0)
        print(f"largest error on flat grey: {inside}/255; in the outermost 4 pixels: {everywhere}/255")
    if options.pictures is not None:
        save_comparisons(methods, scale, options.pictures, options.photographs, options.noise)


if __name__ == "__main__":
    main()
