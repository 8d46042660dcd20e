"""A folder of photographs to train on: ``MANIFEST.csv`` names each file with its licence and credit."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Bytes = NDArray[np.uint8]

MANIFEST = "MANIFEST.csv"
# Columns that a manifest must have; others are kept out of the way.
COLUMNS = ("file", "licence", "credit", "repository")


@dataclass(frozen=True, slots=True)
class Photograph:
    """One line of the manifest. source: the collection that it comes from."""

    path: Path
    licence: str
    credit: str
    source: str

    def read(self) -> Bytes:
        """(h, w, 3) uint8 sRGB."""
        with Image.open(self.path) as image:
            return np.asarray(image.convert("RGB"))


def read_manifest(folder: Path) -> tuple[Photograph, ...]:
    """The photographs of ``folder``, in the manifest's order.

    Raises ValueError if the manifest lacks a column, names no file or names one that is not there.
    """
    with (folder / MANIFEST).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        raise ValueError(f"{folder / MANIFEST} names no photograph")
    missing = [column for column in COLUMNS if column not in rows[0]]
    if missing:
        raise ValueError(f"{folder / MANIFEST} lacks the columns {', '.join(missing)}")
    found = tuple(
        Photograph(folder / row["file"], row["licence"], row["credit"], row["repository"]) for row in rows
    )
    absent = [photograph.path.name for photograph in found if not photograph.path.is_file()]
    if absent:
        raise ValueError(f"{folder / MANIFEST} names {absent[0]}, which is not there")
    return found
