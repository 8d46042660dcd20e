"""Write whom a folder's photographs are credited to: ``python -m training.attribution FOLDER CREDITS.csv``.

CC BY asks for it. One line for each credit, with the licence and how many crops it covers.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from training.photographs import read_manifest

COLUMNS = ("crops", "licence", "credit", "source")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, help="photographs with a MANIFEST.csv")
    parser.add_argument("credits", type=Path)
    options = parser.parse_args(arguments)
    photographs = read_manifest(options.folder)
    counted = Counter((p.source, p.licence, " ".join(p.credit.split())) for p in photographs)
    with options.credits.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for (source, licence, credit), crops in sorted(counted.items()):
            writer.writerow((crops, licence, credit, source))
    print(f"{options.credits}: {len(photographs)} photographs, {len(counted)} credits")


if __name__ == "__main__":
    main()
