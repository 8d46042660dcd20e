"""Which files a command works on and where their results go. Plans only; touches no image."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pixelmend.errors import InvalidParameter
from pixelmend.imaging.formats import OutputFormat

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".avif", ".heic", ".heif", ".tif", ".tiff", ".bmp", ".gif"}
)
"""What is picked up from a folder. A file that is named itself is taken whatever it is called."""


@dataclass(frozen=True, slots=True)
class FileJob:
    source: Path
    result: Path

    @property
    def is_done(self) -> bool:
        """The result is there, and no older than its source. Results appear whole or not at all."""
        try:
            return self.result.is_file() and self.result.stat().st_mtime >= self.source.stat().st_mtime
        except OSError:
            return False


def plan_files(inputs: Sequence[Path], out_dir: Path | None, output_format: OutputFormat) -> list[FileJob]:
    """One job per image; folders are searched through, keeping their structure below `out_dir`.

    Without `out_dir` a result lies beside its source as `name-upscaled.png`; with it, as `name.png`. Sources
    that differ in their suffix only keep it: `name.jpg.png`. Raises InvalidParameter for a path that does
    not exist, a result that would replace its own source, is a folder, or is that of another source too.
    """
    found = list(dict.fromkeys(_find(inputs, out_dir)))
    wanted = Counter(_target(source, base, out_dir, output_format) for source, base in found)
    jobs: list[FileJob] = []
    source_of: dict[Path, Path] = {}
    for source, base in found:
        target = _target(source, base, out_dir, output_format)
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
                if is_image and not inside_results and not child.stem.endswith("-upscaled"):
                    yield child, path
        elif path.exists():
            yield path, path.parent
        else:
            raise InvalidParameter(f"{path}: there is no such file or folder")


def _target(source: Path, base: Path, out_dir: Path | None, output_format: OutputFormat) -> Path:
    if out_dir is None:
        return source.with_name(f"{source.stem}-upscaled{output_format.suffix}")
    return (out_dir / source.relative_to(base)).with_suffix(output_format.suffix)
