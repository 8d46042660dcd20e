"""Hold networks against a teacher: ``python -m training.evaluate_vivid TEACHER WEIGHTS... [--sheet PNG]``.

Squares of photographs that were never trained on are blurred a little, reduced, made noisy and compressed
with JPEG of quality 50 to 80, always in the same way, and upscaled by every method. With ``--photographs``
those that ``training.targets`` keeps apart are judged as well (the faithful network, from which the vivid one
starts, has seen their high pictures). For each method: HaarPSI to the teacher's
picture; the energy of luma's slopes as a share of the teacher's; how far the mean of a channel is from that
of bicubic, in 1/255 (mean and worst); how much more luma changes at every fourth pixel than elsewhere
(checkerboards).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from training.degrade import add_noise, blur, compress
from training.methods import Method, bicubic, network_method, read_network
from training.metrics import compare, luma, seam_step
from training.photographs import Photograph, read_manifest
from training.photos import NAMES, photo
from training.reduction import reduce_image
from training.targets import split
from training.teacher import read_teacher

Bytes = NDArray[np.uint8]

BLUR_PX, NOISE, QUALITY = (0.2, 0.6), (1.0, 5.0), (50, 80)


@dataclass(frozen=True, slots=True)
class Standing:
    """One method on one picture; see the module. shift: of R, G and B."""

    haarpsi: float
    energy: float
    shift: tuple[float, float, float]
    seams: float


def everyday(truth: Bytes, scale: int, seed: int) -> Bytes:
    """As a phone or an old page would have it: (s*h, s*w, 3) to (h, w, 3), uint8."""
    rng = np.random.default_rng((seed, 19))
    deviation = float(rng.uniform(*BLUR_PX)) * scale
    low = reduce_image(blur(truth, np.full(2, deviation)), scale)
    noisy = add_noise(rng, low, float(rng.uniform(*NOISE)))
    return compress(noisy, int(rng.integers(*QUALITY, endpoint=True)))


def square(picture: Bytes, side: int) -> Bytes:
    """The middle, at most ``side`` px, sides multiples of 8: (h, w, 3) uint8."""
    height, width = (min(length, side) // 8 * 8 for length in picture.shape[:2])
    top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
    return np.ascontiguousarray(picture[top : top + height, left : left + width])


def gradient_energy(picture: Bytes) -> float:
    """The mean square of the slopes of luma, (1/255)^2."""
    plane = luma(picture)
    return float((np.diff(plane, axis=0) ** 2).mean() + (np.diff(plane, axis=1) ** 2).mean())


def standing(picture: Bytes, taught: Bytes, plain: Bytes) -> Standing:
    """``picture`` against the teacher's and bicubic's."""
    shift = (picture.astype(np.float64) - plain).mean(axis=(0, 1))
    energy = gradient_energy(picture) / max(gradient_energy(taught), 1e-6)
    red, green, blue = shift.tolist()
    return Standing(compare(picture, taught).haarpsi, energy, (red, green, blue), seam_step(picture, 4))


def table(title: str, found: dict[str, list[Standing]]) -> str:
    """A Markdown table, a line per method."""
    lines = [
        f"| {title} | HaarPSI to the teacher | gradient energy (least to most) | shift, worst | seams |",
        "|---|---|---|---|---|",
    ]
    for name, standings in found.items():
        energies = [one.energy for one in standings]
        shifts = np.abs([one.shift for one in standings])
        lines.append(
            f"| {name} | {np.mean([one.haarpsi for one in standings]):.4f} "
            f"| {np.mean(energies):.3f} ({min(energies):.2f} to {max(energies):.2f}) "
            f"| {shifts.mean():.2f}, {shifts.max():.2f} | {np.mean([one.seams for one in standings]):+.2f} |"
        )
    return "\n".join(lines)


def chosen(
    apart: Sequence[Photograph], count: int, stems: Sequence[str] | None = None
) -> Sequence[Photograph]:
    """Those with these stems, in their order, or ``count`` evenly spread ones. Raises ValueError."""
    if stems is None:
        return apart[:: max(len(apart) // count, 1)][:count]
    by_stem = {photograph.path.stem: photograph for photograph in apart}
    if unknown := [stem for stem in stems if stem not in by_stem]:
        raise ValueError(f"no photographs that were kept apart: {', '.join(unknown)}")
    return [by_stem[stem] for stem in stems]


def sheet_row(pictures: Sequence[Bytes], side: int) -> Bytes:
    """Middles side by side, at twice their size: (2*side, n*2*side, 3) uint8."""
    parts = [np.kron(square(picture, side), np.ones((2, 2, 1), np.uint8)) for picture in pictures]
    return np.concatenate(parts, axis=1)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("teacher", type=Path)
    parser.add_argument("weights", type=Path, nargs="+", help="Compact networks of the teacher's scale")
    parser.add_argument(
        "--photographs", type=Path, help="folder with a MANIFEST.csv, of which some were kept apart"
    )
    parser.add_argument("--apart", type=int, default=16, help="how many of those to judge")
    parser.add_argument("--pictures", nargs="+", metavar="STEM", help="which of those, by their files' stems")
    parser.add_argument("--side", type=int, default=384, help="of the squares, px")
    parser.add_argument("--names", choices=NAMES, nargs="+", default=NAMES, metavar="NAME")
    parser.add_argument("--sheet", type=Path, help="PNG of all methods, a row per picture")
    parser.add_argument("--detail", type=int, default=128, help="px of each picture on the sheet")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args(arguments)
    teacher = read_teacher(options.teacher, torch.device(options.device))
    networks = {path.stem: read_network(path) for path in options.weights}
    if {network.config.scale for network in networks.values()} != {teacher.scale}:
        parser.error(f"the teacher upscales by {teacher.scale}, not all of the others do")
    methods = [
        bicubic(teacher.scale),
        *(network_method(name, network) for name, network in networks.items()),
        Method(options.teacher.stem, lambda low: teacher.upscale(low[None])[0]),
    ]
    sets: dict[str, list[Callable[[], Bytes]]] = {
        "never trained on": [lambda name=name: photo(name) for name in options.names]  # type: ignore[misc]
    }
    if options.photographs:
        _, apart = split(read_manifest(options.photographs))
        sets["kept apart"] = [
            photograph.read for photograph in chosen(apart, options.apart, options.pictures)
        ]
    rows = []
    for title, readers in sets.items():
        found: dict[str, list[Standing]] = {method.name: [] for method in methods}
        for seed, read in enumerate(readers):
            low = everyday(square(read(), options.side), teacher.scale, seed)
            pictures = [method.upscale(low) for method in methods]
            for method, picture in zip(methods, pictures, strict=True):
                found[method.name].append(standing(picture, pictures[-1], pictures[0]))
            if options.sheet:
                rows.append(sheet_row(pictures, options.detail))
        print(table(title, found) + "\n", flush=True)
    if options.sheet:
        options.sheet.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.concatenate(rows)).save(options.sheet)
        print(f"{options.sheet}: {', '.join(method.name for method in methods)}")


if __name__ == "__main__":
    main()
