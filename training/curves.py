"""A run's curves as a picture: ``python -m training.curves RUN...`` writes RUN/curves.png."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

HISTORY = "history.csv"
PICTURE = "curves.png"

PANEL = (720, 260)
MARGIN = (70, 28)
INK, PALE = (40, 40, 40), (225, 225, 225)


@dataclass(frozen=True, slots=True)
class Moment:
    """What a run had reached at ``step``: loss of late, mean gains over bicubic of Y, Cb and Cr (dB)."""

    step: int
    loss: float
    y: float
    cb: float
    cr: float


def note(run: Path, moment: Moment) -> None:
    """Add one line to the history of the run in the folder ``run``."""
    with (run / HISTORY).open("a", encoding="ascii") as history:
        values = (moment.loss, moment.y, moment.cb, moment.cr)
        history.write(f"{moment.step}," + ",".join(f"{value:.6f}" for value in values) + "\n")


def read_history(run: Path) -> list[Moment]:
    """By step. A step that was reached twice, after an earlier checkpoint was resumed, has its later line."""
    lines = (run / HISTORY).read_text(encoding="ascii").splitlines()
    rows = [line.split(",") for line in lines]
    moments = [Moment(int(step), *map(float, values)) for step, *values in rows]
    return sorted({moment.step: moment for moment in moments}.values(), key=lambda moment: moment.step)


def draw_curves(moments: Sequence[Moment]) -> Image.Image:
    """Loss above, gains below, by steps."""
    steps = [moment.step for moment in moments]
    gains = {
        "gain Y, dB": ([moment.y for moment in moments], (30, 30, 30)),
        "Cb": ([moment.cb for moment in moments], (40, 90, 200)),
        "Cr": ([moment.cr for moment in moments], (200, 60, 50)),
    }
    picture = Image.new("RGB", (PANEL[0], 2 * PANEL[1]), "white")
    losses = {"loss": ([moment.loss for moment in moments], (30, 30, 30))}
    picture.paste(_panel(steps, losses), (0, 0))
    picture.paste(_panel(steps, gains), (0, PANEL[1]))
    return picture


def _panel(steps: list[int], series: dict[str, tuple[list[float], tuple[int, int, int]]]) -> Image.Image:
    panel = Image.new("RGB", PANEL, "white")
    pen, font = ImageDraw.Draw(panel), ImageFont.load_default(12)
    values = [value for line, _ in series.values() for value in line]
    low, high = min(values), max(values)
    high = high if high > low else low + 1.0
    first, last = steps[0], max(steps[-1], steps[0] + 1)
    left, top = MARGIN
    right, bottom = PANEL[0] - left // 2, PANEL[1] - top

    def place(step: int, value: float) -> tuple[float, float]:
        return (
            left + (right - left) * (step - first) / (last - first),
            bottom - (bottom - top) * (value - low) / (high - low),
        )

    for tick in range(5):
        value = low + (high - low) * tick / 4
        y = place(first, value)[1]
        pen.line((left, y, right, y), fill=PALE)
        pen.text((left - 6, y), f"{value:.4g}", fill=INK, font=font, anchor="rm")
    for step in (first, last):
        pen.text((place(step, low)[0], bottom + 4), str(step), fill=INK, font=font, anchor="mt")
    for index, (name, (line, colour)) in enumerate(series.items()):
        pen.line([place(*point) for point in zip(steps, line, strict=True)], fill=colour, width=2)
        pen.text((left + 100 * index, 6), name, fill=colour, font=font)
    return panel


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("runs", type=Path, nargs="+", help="folders that training wrote")
    for run in parser.parse_args(arguments).runs:
        draw_curves(read_history(run)).save(run / PICTURE)
        print(run / PICTURE)


if __name__ == "__main__":
    main()
