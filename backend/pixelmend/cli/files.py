"""Which files a command works on and where their results go. Plans only; touches no image."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pixelmend.cli.search import IMAGE_SUFFIXES, find_images
from pixelmend.core.errors import InvalidParameter, PixelmendError
from pixelmend.core.text import printable
from pixelmend.imaging.formats import Format, format_named, format_registry
from pixelmend.imaging.names import same_name, shortened
from pixelmend.tasks.registry import task_registry
from pixelmend.tasks.task import Task
from pixelmend.tasks.upscale import UpscaleTask
from pixelmend.video.codecs import CONTAINERS, VIDEO_SUFFIXES


@dataclass(frozen=True, slots=True)
class FileJob:
    """mask: what is to be removed, if anything is. source_name, result_name: what messages call the files,
    if not by their paths.
    """

    source: Path
    result: Path
    mask: Path | None = None
    source_name: str | None = None
    result_name: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """passed_over: how many files of searched folders are no images to be done, by the reason."""

    jobs: tuple[FileJob, ...]
    passed_over: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class FileKind:
    """suffixes: of names that are picked up from folders. outputs: formats of results, the default first."""

    name: str
    suffixes: frozenset[str]
    outputs: tuple[Format, ...]

    def output_of_suffix(self, suffix: str) -> Format | None:
        return next((each for each in self.outputs if suffix.lower() in each.suffixes), None)


FILE_MARKS = tuple(dict.fromkeys(task.file_mark for task in task_registry().tasks))
IMAGES = FileKind("image", IMAGE_SUFFIXES, format_registry().outputs)
FILMS = FileKind("film", frozenset(VIDEO_SUFFIXES), CONTAINERS)
_FILE_SUFFIXES = frozenset(
    {
        *IMAGES.suffixes,
        *FILMS.suffixes,
        ".jxl",
        ".jp2",
        ".psd",
        ".svg",
        ".pdf",
        ".exr",
        ".tga",
        ".ico",
        ".ppm",
    }
)
"""What ends like this is meant as a file, even if it cannot be written, and not as a folder to be made."""


def file_kind(task: Task) -> FileKind:
    return FILMS if task.takes_video else IMAGES


def chosen_format(
    inputs: Sequence[Path], out: Path | None, named: str | None, kind: FileKind = IMAGES
) -> Format:
    """The format that was named, or that of the file `out`. Raises InvalidParameter if they differ."""
    chosen = None if named is None else format_named(named, kind.outputs)
    of_file = None
    if out is not None and _is_file_name(inputs, out, kind):
        of_file = kind.output_of_suffix(out.suffix)
    if chosen is not None and of_file is not None and chosen is not of_file:
        raise InvalidParameter(f"--format {named} does not fit the file {out}; name one of the two")
    if kind is FILMS and inputs:
        of_file = of_file or kind.output_of_suffix(inputs[0].suffix)
    return chosen or of_file or kind.outputs[0]


def plan_files(
    inputs: Sequence[Path],
    out: Path | None,
    output_format: Format,
    *,
    mark: str = UpscaleTask.file_mark,
    kind: FileKind = IMAGES,
) -> Plan:
    """One job per file of that kind; folders are searched through, keeping their structure below `out`.

    out: a folder; or for a single image a file, which is told by its suffix (a folder that is there is a
    folder). None: a result lies beside its source as `name` + `mark` + `.png`; with a folder, as `name.png`.
    Sources that would have one result keep their suffix, `name.jpg.png`, and then get a number.
    Raises InvalidParameter for a path that does not exist, and for a result that would replace its own source
    or is a folder.
    """
    if out is not None and _is_file_name(inputs, out, kind):
        return Plan((_checked(FileJob(inputs[0], out)),))
    passed: Counter[str] = Counter()
    found = list(dict.fromkeys(_find(inputs, out, kind, passed)))
    wanted = [_target(source, base, out, output_format, mark) for source, base in found]
    count = Counter(_key(target) for target in wanted)
    sources = {_key(source.resolve()) for source, _ in found}
    taken: set[str] = set()
    jobs = []
    for (source, _), target in zip(found, wanted, strict=True):
        names = [target] if count[_key(target)] == 1 else []
        named = target.with_name(shortened(source.name + output_format.suffix))
        candidates = [*names, named, *(_numbered(named, n) for n in range(2, len(found) + 3))]
        own = _key(source.resolve())
        free = (c for c in candidates if _key(c) not in taken and _key(c.resolve()) not in sources - {own})
        job = _checked(FileJob(source, next(free)))
        taken.add(_key(job.result))
        jobs.append(job)
    return Plan(tuple(jobs), passed)


def with_masks(files: Sequence[FileJob], image: Path, mask: Path) -> list[FileJob]:
    """The jobs of `image`, a file or a folder, with what is to be removed of each.

    mask: a file for all of them; or a folder with a mask for each, in the same place below it and of the same
    name but for the suffix, case and how letters are composed. Raises InvalidParameter naming what is missing
    or ambiguous.
    """
    if mask.is_file():
        return [replace(file, mask=mask) for file in files]
    if not mask.is_dir():
        raise _missing(mask)
    base = image if image.is_dir() else image.parent
    return [replace(file, mask=_mask_of(file.source.relative_to(base), mask)) for file in files]


def make_writable(folder: Path) -> None:
    """Make the folder for results. Raises PixelmendError, in plain words, if none can be written to it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PixelmendError(f"the folder {folder} cannot be made: {error.strerror}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PixelmendError(f"the folder {folder} cannot be written to")


def _find(
    inputs: Sequence[Path], out_dir: Path | None, kind: FileKind, passed: Counter[str]
) -> list[tuple[Path, Path]]:
    """Pairs of an image and the folder relative to which its result is placed."""
    found: list[tuple[Path, Path]] = []
    for path in inputs:
        if path.is_dir():
            # Neither results below a searched folder nor those beside their sources are sources.
            below = find_images(path, out_dir, FILE_MARKS, kind.suffixes)
            passed += below.passed_over
            found += [(image, path) for image in below.images]
        elif _exists(path):
            found.append((path, path.parent))
        else:
            raise _missing(path)
    return found


def _missing(path: Path) -> InvalidParameter:
    if path.parts[:1] in (("http:",), ("https:",)):
        # A path has lost the second slash.
        address = str(path).replace(":/", "://", 1)
        return InvalidParameter(f"{address} is no file; what curl fetches can be sent to `-`, standard input")
    return InvalidParameter(f"{path}: there is no such file or folder")


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that no file can have
        return False


def _is_file_name(inputs: Sequence[Path], out: Path, kind: FileKind) -> bool:
    """Whether `out` names the result itself. Raises InvalidParameter if it cannot be one result's."""
    if out.suffix.lower() not in _FILE_SUFFIXES or out.is_dir():
        return False
    if len(inputs) != 1 or inputs[0].is_dir():
        raise InvalidParameter(f"{out} is a name for one file; for several {kind.name}s name a folder")
    if not _exists(inputs[0]):
        raise _missing(inputs[0])
    if kind.output_of_suffix(out.suffix) is None:
        known = ", ".join(sorted(suffix for each in kind.outputs for suffix in each.suffixes))
        raise InvalidParameter(f"{out.suffix} cannot be written ({out}); there are: {known}")
    return True


def _checked(job: FileJob) -> FileJob:
    if job.result.resolve() == job.source.resolve():
        raise InvalidParameter(f"the result would replace its source {job.source}; choose another folder")
    if _exists(job.result) and job.result.is_dir():
        raise InvalidParameter(f"the result of {job.source} would be {job.result}, which is a folder")
    return job


def _mask_of(source: Path, masks: Path) -> Path:
    folder = masks
    for part in source.parent.parts:
        folder = next((c for c in _children(folder) if same_name(c.name) == same_name(part)), folder / part)
    stem = same_name(source.stem)
    found = [
        path
        for path in _children(folder)
        if same_name(path.stem) == stem
        and path.suffix.lower() in IMAGE_SUFFIXES
        and not path.name.startswith(".")
    ]
    exact = [path for path in found if path.stem == source.stem]
    found = exact or found
    if not found:
        raise InvalidParameter(
            f"{folder} has no mask for {source}: an image called {printable(source.stem)!r}"
        )
    if len(found) > 1:
        raise InvalidParameter(f"{found[0]} and {found[1]} are both masks for {source}")
    return found[0]


def _children(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _target(source: Path, base: Path, out_dir: Path | None, output_format: Format, mark: str) -> Path:
    if out_dir is None:
        return source.with_name(shortened(f"{source.stem}{mark}{output_format.suffix}"))
    target = (out_dir / source.relative_to(base)).with_suffix(output_format.suffix)
    return target.with_name(shortened(target.name))


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(shortened(f"{path.stem}-{number}{path.suffix}"))


def _key(path: Path) -> str:
    """File systems of some systems tell neither case nor composition."""
    return same_name(str(path))
