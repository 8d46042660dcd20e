"""What is finished of a film: a folder of segments that outlives the process."""

import json
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pixelmend.imaging.storage import storage_errors
from pixelmend.video.timeline import Segment

_ABOUT = "about.json"
_LAYOUT = 2
"""Counted up when folders of earlier versions cannot be taken over."""
_FILE_NAME = re.compile(r"\d{5}\.[a-z0-9]+(/\d{5}\.png)?")
"""A segment, its record, or a frame of a segment that is a folder of frames."""


@dataclass(frozen=True, slots=True)
class SegmentRecord:
    """What is known of a finished segment. file: None if none of its frames could be decoded. pts: the times
    of its frames, in the order in which they lie in the file. start_s, seconds: its place in the part of the
    film that is asked for. The rest adds up for the report.
    """

    number: int
    file: str | None
    pts: tuple[int, ...]
    start_s: float
    seconds: float
    damaged: int = 0
    computed_tiles: int = 0
    reused_tiles: int = 0
    device_s: float = 0.0
    notes: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "SegmentRecord":
        return cls(**{**values, "pts": tuple(values["pts"]), "notes": tuple(values["notes"])})


class PartsFolder:
    """fingerprint: of the film, the options and what computes them: segments made otherwise are removed."""

    def __init__(self, path: Path, fingerprint: str) -> None:
        self.path = path
        about = path / _ABOUT
        with storage_errors(path):
            wanted = {"layout": _LAYOUT, "fingerprint": fingerprint}
            if _read(about) != wanted:
                shutil.rmtree(path, ignore_errors=True)
                path.mkdir(parents=True)
                _write(about, wanted)

    def finished(self, segments: Sequence[Segment]) -> list[SegmentRecord]:
        """Those that are finished, from the first one on without a gap."""
        records: list[SegmentRecord] = []
        for record in finished_records(self.path):
            if record.number != len(records) or record.number >= len(segments):
                break
            records.append(record)
        return records

    def file_of(self, number: int, suffix: str) -> Path:
        return self.path / f"{number:05d}{suffix}"

    def add(self, record: SegmentRecord) -> None:
        """The segment counts from now on; its file is complete. Raises StorageFull."""
        with storage_errors(self.path):
            _write(self.path / _record_name(record.number), record.to_json())

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


def finished_records(path: Path) -> list[SegmentRecord]:
    """What is finished in a folder that another process may be writing to; none if it is not there."""
    records = []
    for file in sorted(path.glob("[0-9]*.json")):
        values = _read(file)
        if values:
            records.append(SegmentRecord.from_json(values))
    return records


class FinishedFiles:
    """The files of a folder in an order in which a copy can grow: at any time it is one to go on from."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._about: dict[str, Any] = {}
        self._number = 0

    def new(self) -> list[str]:
        """Names of those that were finished since the last call; some may be gone again.

        If the folder was begun again, the first one makes `place_in_copy` begin the copy again.
        """
        about = _read(self.path / _ABOUT)
        if not about:
            return []
        names = []
        if about != self._about:
            self._about, self._number = about, 0
            names.append(_ABOUT)
        while values := _read(self.path / _record_name(self._number)):
            file = SegmentRecord.from_json(values).file
            if file is not None and (self.path / file).is_dir():
                names += sorted(f"{file}/{frame.name}" for frame in (self.path / file).iterdir())
            elif file is not None:
                names.append(file)
            names.append(_record_name(self._number))
            self._number += 1
        return names


def place_in_copy(path: Path, name: str) -> Path:
    """Where the file goes that `FinishedFiles` calls by that name; it must be written complete or not at all.

    Raises ValueError for other names.
    """
    if name == _ABOUT:
        shutil.rmtree(path, ignore_errors=True)
    elif not _FILE_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no file of a film's finished part")
    place = path / name
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def _record_name(number: int) -> str:
    return f"{number:05d}.json"


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _write(path: Path, values: dict[str, Any]) -> None:
    part = path.with_name(path.name + ".part")
    with part.open("w") as file:
        json.dump(values, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
