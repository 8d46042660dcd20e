"""What was measured of the memory that models take, kept between runs of the service."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass as checked_dataclass

from pixelmend.core.telemetry import Logger

T = TypeVar("T")

VERSION = 1
KEPT_MODELS = 500
"""If there are more, the profiles that were not used for the longest time are dropped."""
RECENT = 5
"""So many measurements of a size count. Their median is taken, so that what another thread took meanwhile, or
what an allocator had left over, does not decide."""
LARGEST_STEP = 4.0
"""A call may be so many times the size of the largest one that was measured, and no larger."""


@dataclass(frozen=True, slots=True)
class MemoryProfileKey:
    """file_bytes: a file of another size under the same name is another network."""

    model: str
    file_bytes: int
    device: str
    precision: str

    def __str__(self) -> str:
        return f"{self.model}|{self.file_bytes}|{self.device}|{self.precision}"


@checked_dataclass(slots=True)
class _Record:
    """rates: bytes per pixel, the latest last, by the bit length of the number of pixels of a call.

    cap_px: pixels of a call beyond which memory ran out. touched: grows with every use.
    """

    weights_bytes: int | None = None
    rates: dict[int, list[float]] = field(default_factory=dict)
    largest_px: int = 0
    cap_px: int | None = None
    touched: int = 0

    def bytes_per_px(self, px: int) -> float | None:
        if not self.rates:
            return None
        size = px.bit_length()
        smaller = [known for known in self.rates if known <= size]
        recent = sorted(self.rates[max(smaller) if smaller else min(self.rates)])
        return recent[len(recent) // 2]


@checked_dataclass(slots=True)
class _File:
    """The names of its fields are those of the JSON on disk."""

    version: int
    figures: dict[str, _Record]


class MemoryProfiles:
    """Used by all threads. path: None keeps nothing. A damaged file is ignored with a warning."""

    def __init__(self, path: Path | None, log: Logger) -> None:
        self._path = path
        self._log = log
        self._lock = threading.Lock()
        self._file = TypeAdapter(_File)
        self._records = self._load()
        self._touched = max((record.touched for record in self._records.values()), default=0)
        self._changed = False

    def weights_bytes(self, key: MemoryProfileKey) -> int | None:
        return self._read(key, lambda record: record.weights_bytes)

    def bytes_per_px(self, key: MemoryProfileKey, px: int | None = None) -> float | None:
        """For a call of `px` pixels, or of the largest size measured. None if nothing was measured.

        A size that was not measured gets the rate of the next smaller one, which is rather too high: the part
        of the memory that does not depend on the size weighs less in a larger call.
        """
        return self._read(key, lambda record: record.bytes_per_px(record.largest_px if px is None else px))

    def largest_step_px(self, key: MemoryProfileKey) -> int | None:
        """Pixels that the next call may have, by what was measured; None if nothing was."""
        return self._read(key, lambda record: int(record.largest_px * LARGEST_STEP) or None)

    def cap_px(self, key: MemoryProfileKey) -> int | None:
        return self._read(key, lambda record: record.cap_px)

    def record_weights(self, key: MemoryProfileKey, weights_bytes: int) -> None:
        self._change(key, lambda record: setattr(record, "weights_bytes", weights_bytes))

    def record_call(self, key: MemoryProfileKey, px: int, peak_bytes: int) -> None:
        """A call of `px` pixels took `peak_bytes` beyond the weights."""

        def change(record: _Record) -> None:
            rates = record.rates.setdefault(px.bit_length(), [])
            rates.append(max(0, peak_bytes) / px)
            del rates[:-RECENT]
            record.largest_px = max(record.largest_px, px)

        self._change(key, change)

    def record_cap(self, key: MemoryProfileKey, cap_px: int | None) -> None:
        self._change(key, lambda record: setattr(record, "cap_px", cap_px))

    def save(self) -> None:
        """Write what has changed. If the disk is full, that is logged and nothing else happens."""
        with self._lock:
            if self._path is None or not self._changed:
                return
            self._changed = False
            oldest = sorted(self._records, key=lambda name: self._records[name].touched)
            for name in oldest[:-KEPT_MODELS]:
                del self._records[name]
            data = self._file.dump_json(_File(VERSION, self._records), indent=1)
        part = self._path.with_name(self._path.name + ".part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(data)
            part.replace(self._path)
        except OSError as error:
            self._log.warning("memory profiles cannot be kept", reason=str(error))

    def _read(self, key: MemoryProfileKey, get: Callable[[_Record], T | None]) -> T | None:
        with self._lock:
            record = self._records.get(str(key))
            if record is None:
                return None
            self._touch(record)
            return get(record)

    def _change(self, key: MemoryProfileKey, change: Callable[[_Record], object]) -> None:
        with self._lock:
            record = self._records.setdefault(str(key), _Record())
            change(record)
            self._touch(record)
            self._changed = True

    def _touch(self, record: _Record) -> None:
        self._touched += 1
        record.touched = self._touched

    def _load(self) -> dict[str, _Record]:
        if self._path is None:
            return {}
        try:
            found = self._file.validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0]
            self._log.warning("memory profiles cannot be read and are measured again", reason=reason)
            return {}
        return found.figures if found.version == VERSION else {}


@dataclass(frozen=True, slots=True)
class MemoryProfile:
    """What is known of the memory of one network in one precision.

    unlearned_bytes_per_px: assumed before anything was measured.
    """

    profiles: MemoryProfiles
    key: MemoryProfileKey
    unlearned_bytes_per_px: float

    @property
    def learned_bytes_per_px(self) -> float | None:
        return self.profiles.bytes_per_px(self.key)

    @property
    def weights_bytes(self) -> int | None:
        return self.profiles.weights_bytes(self.key)

    @property
    def cap_px(self) -> int | None:
        return self.profiles.cap_px(self.key)

    def bytes_for(self, px: int) -> int:
        """What a call of `px` pixels takes beyond the weights."""
        learned = self.profiles.bytes_per_px(self.key, px)
        return round(px * (self.unlearned_bytes_per_px if learned is None else learned))

    def next_step_px(self, first_px: int) -> int:
        """The largest call that may be tried; `first_px` before anything was measured."""
        return max(first_px, self.profiles.largest_step_px(self.key) or 0)

    def remember_cap(self, cap_px: int | None) -> None:
        self.profiles.record_cap(self.key, cap_px)
