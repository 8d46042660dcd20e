"""Looks for images in a folder and below it, and counts what it passes over."""

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pixelmend.core.text import printable
from pixelmend.imaging.names import is_litter

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".avif", ".heic", ".heif", ".hif"}
    | {".tif", ".tiff", ".bmp", ".dib", ".gif"}
)
"""What is picked up from a folder. A file that is named itself is taken whatever it is called."""
_SYSTEM_FOLDERS = frozenset(
    {"@eadir", "#recycle", "$recycle.bin", "system volume information", "__macosx", "lost+found"}
)
"""Folders of network storage and operating systems; @eaDir holds thumbnails that look like photographs."""
_HIDDEN = "hidden or of the system"
_RESULTS = "results"


@dataclass(frozen=True, slots=True)
class Found:
    """images: sorted. passed_over: how many files (or whole folders) for which reason."""

    images: tuple[Path, ...]
    passed_over: Counter[str]


def find_images(
    folder: Path,
    results: Path | None = None,
    marks: tuple[str, ...] = (),
    suffixes: Collection[str] = IMAGE_SUFFIXES,
) -> Found:
    """The images in `folder` and below it, or what else has one of `suffixes`.

    results: a folder whose files are no sources; nor are files whose stem ends in one of `marks`. Linked
    folders are followed once, after those that lie there themselves; one that was seen already is passed over
    by name.
    """
    inside = None if results is None else results.resolve()
    images: list[Path] = []
    passed: Counter[str] = Counter()
    seen: set[tuple[int, int]] = set()
    links = [folder]
    while links:
        link = links.pop(0)
        if not _is_new(link, seen):
            passed[f"folder {printable(str(link))}, which is a link to one that was searched"] += 1
            continue
        for entry in _walk(link, seen, links, inside, passed):
            path = Path(entry.path)
            if _is_hidden(entry.name):
                passed[_HIDDEN] += 1
            elif path.suffix.lower() not in suffixes:
                passed[f"{printable(path.suffix.lower())} files" if path.suffix else "without a suffix"] += 1
            elif path.stem.endswith(marks):
                passed[_RESULTS] += 1
            elif not path.is_file():
                passed["broken links or no files"] += 1
            elif inside is not None and path.resolve().is_relative_to(inside):
                passed[_RESULTS] += 1
            else:
                images.append(path)
    return Found(tuple(sorted(images)), passed)


def passed_over_line(passed: Counter[str]) -> str:
    """For the terminal; empty if nothing was passed over."""
    if not passed:
        return ""
    parts = [f"{count} {what}" for what, count in sorted(passed.items())]
    more = f" and {len(parts) - 12} kinds more" if len(parts) > 12 else ""
    return f"passed over: {', '.join(parts[:12])}{more}"


def _walk(
    folder: Path,
    seen: set[tuple[int, int]],
    links: list[Path],
    inside: Path | None,
    passed: Counter[str],
) -> Iterator[os.DirEntry[str]]:
    """Every file below; linked folders are put into `links` for later."""
    waiting = [folder]
    while waiting:
        for entry in _entries(waiting.pop(), passed):
            if not entry.is_dir():
                yield entry
            elif _is_hidden(entry.name) or entry.name.casefold() in _SYSTEM_FOLDERS:
                passed[_HIDDEN] += 1
            elif inside is not None and Path(entry.path).resolve() == inside:
                passed[_RESULTS] += 1
            elif entry.is_symlink():
                links.append(Path(entry.path))
            elif _is_new(Path(entry.path), seen):
                waiting.append(Path(entry.path))


def _entries(folder: Path, passed: Counter[str]) -> Iterable[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        passed[f"folder {printable(str(folder))}, which cannot be read ({error.strerror})"] += 1
        return []


def _is_new(folder: Path, seen: set[tuple[int, int]]) -> bool:
    try:
        status = folder.stat()
    except OSError:
        return True  # reading it will say why
    identity = (status.st_dev, status.st_ino)
    new = identity not in seen
    seen.add(identity)
    return new


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or is_litter(name)
