"""Which files a command works on and where their results go. Plans only; touches no image."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pixelmend.errors import InvalidParameter
from pixelmend.imaging.formats import OutputFormat

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".avif", ".heic", ".heif", ".tif", ".tiff", ".bmp", ".gif"}
)
"""What is picked up from a folder. A file that is named itself is taken whatever it is called."""


@dataclass(frozen=True, slots=True)
class FileJob:
    """mask: what is to be removed, where something is."""

    source: Path
    result: Path
    mask: Path | None = None

    @property
    def is_done(self) -> bool:
        """The result is there, and no older than its sources. Results appear whole or not at all."""
        sources = [self.source] if self.mask is None else [self.source, self.mask]
        try:
            newest_s = max(path.stat().st_mtime for path in sources)
            return self.result.is_file() and self.result.stat().st_mtime >= newest_s
        except OSError:
            return False


UPSCALED, MENDED = "-upscaled", "-mended"
"""Of results that lie beside their sources."""


def plan_files(
    inputs: Sequence[Path], out_dir: Path | None, output_format: OutputFormat, *, mark: str = UPSCALED
) -> list[FileJob]:
    """One job per image; folders are searched through, keeping their structure below `out_dir`.

    Without `out_dir` a result lies beside its source as `name` + `mark` + `.png`; with it, as `name.png`.
    Sources that differ in their suffix only keep it: `name.jpg.png`. Raises InvalidParameter for a path that
    does not exist, a result that would replace its own source, is a folder, or is that of another source too.
    """
    found = list(dict.fromkeys(_find(inputs, out_dir)))
    wanted = Counter(_target(source, base, out_dir, output_format, mark) for source, base in found)
    jobs: list[FileJob] = []
    source_of: dict[Path, Path] = {}
    for source, base in found:
        target = _target(source, base, out_dir, output_format, mark)
        if wanted[target] > 1:
            target = target.with_name(source.name + output_format.suffix)
        if target.resolve() == source.resolve():
            raise InvalidParameter(f"the result would replace its source {source}; choose another folder")
        if target.is_dir():
            raise InvalidParameter(f"the result of {source} would be {target}, which is a folder")
        other = source_of.setdefault(target.resolve(), source)
        if other != source:
            raise InvalidParameter(f"{other} and {source} would both become {target}; do them one by one")
        jobs.append(FileJob(source, target))
    return jobs


def _find(inputs: Sequence[Path], out_dir: Path | None) -> Iterable[tuple[Path, Path]]:
    """Pairs of an image and the folder relative to which its result is placed."""
    for path in inputs:
        if path.is_dir():
            for child in sorted(path.rglob("*")):
                inside_results = out_dir is not None and child.resolve().is_relative_to(out_dir.resolve())
                is_image = child.suffix.lower() in IMAGE_SUFFIXES and child.is_file()
                # Neither results below a searched folder nor those beside their sources are sources.
                if is_image and not inside_results and not child.stem.endswith((UPSCALED, MENDED)):
                    yield child, path
        elif path.exists():
            yield path, path.parent
        else:
            raise InvalidParameter(f"{path}: there is no such file or folder")


def with_masks(files: Sequence[FileJob], image: Path, mask: Path) -> list[FileJob]:
    """The jobs of `image`, a file or a folder, with what is to be removed of each.

    mask: a file for all of them; or a folder with a mask for each, in the same place below it and of the same
    name but for the suffix. Raises InvalidParameter naming what is missing or ambiguous.
    """
    if mask.is_file():
        return [replace(file, mask=mask) for file in files]
    if not mask.is_dir():
        raise InvalidParameter(f"{mask}: there is no such file or folder")
    base = image if image.is_dir() else image.parent
    return [replace(file, mask=_mask_of(file.source.relative_to(base), mask)) for file in files]


def _mask_of(source: Path, masks: Path) -> Path:
    folder = masks / source.parent
    found = [
        path
        for path in (sorted(folder.iterdir()) if folder.is_dir() else ())
        if path.stem == source.stem and path.suffix.lower() in IMAGE_SUFFIXES
    ]
    if not found:
        raise InvalidParameter(f"{folder} has no mask for {source}: an image called {source.stem!r}")
    if len(found) > 1:
        raise InvalidParameter(f"{found[0]} and {found[1]} are both masks for {source}")
    return found[0]


def _target(source: Path, base: Path, out_dir: Path | None, output_format: OutputFormat, mark: str) -> Path:
    if out_dir is None:
        return source.with_name(f"{source.stem}{mark}{output_format.suffix}")
    return (out_dir / source.relative_to(base)).with_suffix(output_format.suffix)
