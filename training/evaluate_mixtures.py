"""Judge what lies between the ends: ``python -m training.evaluate_mixtures TEACHER FAITHFUL CLEAN VIVID``.

Photographs that were never trained on are spoilt as ``training.evaluate_vivid`` does, and upscaled at points
of both dials. A table for each dial has PSNR of luma to the truth, HaarPSI to the teacher, and how far each
point is above the straight line between the ends (below: negative).
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from pixelmend.engine.backends.compact import from_state
from training.evaluate_vivid import everyday, square
from training.methods import upscale
from training.metrics import compare, psnr
from training.mixtures import Family, mixed
from training.photos import NAMES, photo
from training.teacher import read_teacher

Bytes = NDArray[np.uint8]

POINTS = (0.0, 0.25, 0.5, 0.75, 1.0)


def above_line(values: Sequence[float], points: Sequence[float] = POINTS) -> list[float]:
    """How far each value is above the line from the first to the last."""
    first, last = values[0], values[-1]
    span = points[-1] - points[0]
    pairs = zip(points, values, strict=True)
    return [value - (first + (last - first) * (point - points[0]) / span) for point, value in pairs]


def mean_scores(
    weights: Mapping[str, Tensor], pictures: Sequence[tuple[Bytes, Bytes, Bytes]], scale: int
) -> tuple[float, float]:
    """PSNR of luma, dB, and HaarPSI. pictures: low, truth, and the teacher's."""
    network = from_state(weights).to(memory_format=torch.channels_last)
    found = []
    for low, truth, taught in pictures:
        made = upscale(network, low)
        found.append((psnr(made, truth, scale).y, compare(made, taught).haarpsi))
    decibels, likeness = np.mean(found, axis=0).tolist()
    return decibels, likeness


def table(title: str, scores: Sequence[tuple[float, float]]) -> str:
    """A Markdown table with a line for each point."""
    decibels, likeness = zip(*scores, strict=True)
    lines = [
        f"| {title} | PSNR to the truth, dB (above the line) | HaarPSI to the teacher (above the line) |",
        "|---|---|---|",
    ]
    rows = zip(POINTS, decibels, above_line(decibels), likeness, above_line(likeness), strict=True)
    lines += [
        f"| {at:g} | {db:.2f} ({db_up:+.2f}) | {like:.4f} ({up:+.4f}) |" for at, db, db_up, like, up in rows
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    for name in ("teacher", "faithful", "clean", "vivid"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--side", type=int, default=384, help="of the squares, px")
    parser.add_argument("--names", choices=NAMES, nargs="+", default=NAMES, metavar="NAME")
    options = parser.parse_args(arguments)
    device = torch.device("cpu")
    teacher = read_teacher(options.teacher, device)
    vivid = load_file(options.vivid)
    family = Family(load_file(options.faithful), load_file(options.clean), device)
    pictures = []
    for seed, name in enumerate(options.names):
        truth = square(photo(name), options.side)
        low = everyday(truth, teacher.scale, seed)
        pictures.append((low, truth, teacher.upscale(low[None])[0]))

    def scores(denoise: float, detail: float) -> tuple[float, float]:
        weights = mixed(family.without_detail(denoise), vivid, detail)
        return mean_scores(weights, pictures, teacher.scale)

    print(table("denoise", [scores(at, 0.0) for at in POINTS]) + "\n")
    for denoise in (0.0, 0.5, 1.0):
        print(table(f"detail, denoise {denoise:g}", [scores(denoise, at) for at in POINTS]) + "\n")


if __name__ == "__main__":
    main()
