"""What a command did before: of which source, with which options each result was made."""

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pixelmend.cli.files import FileJob
from pixelmend.tasks.options import ImageOptions, UpscaleOptions

RECORD_NAME = ".pixelmend-done.jsonl"
"""In each folder of results; a line for each, of which the last one counts."""


def options_digest(options: ImageOptions) -> str:
    """Equal for options that ask for the same."""
    return hashlib.sha256(json.dumps(_flat(options), sort_keys=True).encode()).hexdigest()[:32]


def _flat(options: ImageOptions) -> dict[str, Any]:
    """The layout that the records of the first version have; with another, all files would be done again."""
    upscale = options.upscale or UpscaleOptions("")
    flat = {
        "model": options.main_model,
        "target": asdict(upscale.target),
        "format": options.format,
        "quality": options.quality,
        "tile_px": upscale.tile_px,
        "denoise": upscale.denoise,
        "first_frame": options.first_frame,
        "erase": None if options.inpaint is None else asdict(options.inpaint),
        "enlarge": options.upscale is not None,
    }
    if upscale.detail is not None:
        flat["detail"] = upscale.detail
    return flat | ({"parameters": options.parameters} if options.parameters else {})


class DoneFiles:
    """Used by one thread. A record that cannot be read counts as none: the work is then done again."""

    def __init__(self, options: ImageOptions) -> None:
        self._options = options_digest(options)
        self._folders: dict[Path, dict[str, Any]] = {}

    def has(self, job: FileJob) -> bool:
        """Its result is there, and was made of these very sources with these options."""
        try:
            recorded = self._record_of(job.result.parent).get(job.result.name)
            return job.result.is_file() and recorded == self.made_of(job)
        except OSError:
            return False

    def add(self, job: FileJob, made_of: list[Any]) -> None:
        """made_of: from before it was begun. Raises OSError if it cannot be recorded; the result is none
        the worse.
        """
        # JSON escapes what is not Unicode in a name, and gives it back.
        line = {"result": job.result.name, "of": made_of}
        # One write to the end of the file, so that commands that run at the same time do not mix lines.
        descriptor = os.open(job.result.parent / RECORD_NAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, json.dumps(line).encode() + b"\n")
        finally:
            os.close(descriptor)

    def made_of(self, job: FileJob) -> list[Any]:
        """What the result depends on. Raises OSError if a source is not there."""
        sources = [job.source] if job.mask is None else [job.source, job.mask]
        stats = [path.stat() for path in sources]
        files = [[p.name, s.st_size, s.st_mtime_ns] for p, s in zip(sources, stats, strict=True)]
        return [self._options, *files]

    def _record_of(self, folder: Path) -> dict[str, Any]:
        if folder not in self._folders:
            self._folders[folder] = dict(_lines(folder / RECORD_NAME))
        return self._folders[folder]


def _lines(path: Path) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return found
    for line in text.splitlines():
        try:
            value = json.loads(line)
            found.append((str(value["result"]), value["of"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            continue  # cut short by a full disk or a power cut
    return found
