"""What was learned about the memory that models take, kept between runs."""

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
"""Of more, those go whose figures were not asked for the longest."""
RECENT = 5
"""Measurements of a size that count: their median, so that what another thread took meanwhile, or what an
allocator had left over, does not decide."""
LARGEST_STEP = 4.0
"""A call may be so many times the size of the largest one that was measured, and no larger."""


@dataclass(frozen=True, slots=True)
class FigureKey:
    """file_bytes: a file of another size under the same name is another network."""

    model: str
    file_bytes: int
    device: str
    precision: str

    def __str__(self) -> str:
        return f"{self.model}|{self.file_bytes}|{self.device}|{self.precision}"


@checked_dataclass(slots=True)
class _Figures:
    """rates: bytes per pixel, the latest last, by the power of two that the pixels of a call reach.

    cap_px: pixels of a call beyond which memory ran out. touched: grows with every use.
    """

    weights_bytes: int | None = None
    rates: dict[int, list[float]] = field(default_factory=dict)
    largest_px: int = 0
    cap_px: int | None = None
    touched: int = 0


@checked_dataclass(slots=True)
class _File:
    version: int
    figures: dict[str, _Figures]


class LearnedFigures:
    """Used by all threads. path: None keeps nothing. A file that is damaged is put aside with a warning."""

    def __init__(self, path: Path | None, log: Logger) -> None:
        self._path = path
        self._log = log
        self._lock = threading.Lock()
        self._file = TypeAdapter(_File)
        self._figures = self._load()
        self._touched = max((f.touched for f in self._figures.values()), default=0)
        self._changed = False

    def weights_bytes(self, key: FigureKey) -> int | None:
        return self._read(key, lambda f: f.weights_bytes)

    def bytes_per_px(self, key: FigureKey, px: int | None = None) -> float | None:
        """Of a call of `px` pixels, or the largest measured. None where nothing was.

        A size that was not measured gets the rate of the next smaller one, which is rather too high: what a
        call takes whatever its size weighs less in a larger one.
        """
        return self._read(key, lambda f: _rate(f, f.largest_px if px is None else px))

    def largest_step_px(self, key: FigureKey) -> int | None:
        """Pixels that a call may have next, by what was measured; None where nothing was."""
        return self._read(key, lambda f: int(f.largest_px * LARGEST_STEP) or None)

    def cap_px(self, key: FigureKey) -> int | None:
        return self._read(key, lambda f: f.cap_px)

    def has_weights(self, key: FigureKey, weights_bytes: int) -> None:
        self._change(key, lambda f: setattr(f, "weights_bytes", weights_bytes))

    def measured(self, key: FigureKey, px: int, peak_bytes: int) -> None:
        """A call of `px` pixels took `peak_bytes` beyond the weights."""

        def change(figures: _Figures) -> None:
            rates = figures.rates.setdefault(px.bit_length(), [])
            rates.append(max(0, peak_bytes) / px)
            del rates[:-RECENT]
            figures.largest_px = max(figures.largest_px, px)

        self._change(key, change)

    def capped(self, key: FigureKey, cap_px: int | None) -> None:
        self._change(key, lambda f: setattr(f, "cap_px", cap_px))

    def save(self) -> None:
        """Write what has changed. A full disk is worth a warning, no more."""
        with self._lock:
            if self._path is None or not self._changed:
                return
            self._changed = False
            oldest = sorted(self._figures, key=lambda k: self._figures[k].touched)
            for name in oldest[:-KEPT_MODELS]:
                del self._figures[name]
            data = self._file.dump_json(_File(VERSION, self._figures), indent=1)
        part = self._path.with_name(self._path.name + ".part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(data)
            part.replace(self._path)
        except OSError as error:
            self._log.warning("learned memory figures cannot be kept", reason=str(error))

    def _read(self, key: FigureKey, get: Callable[[_Figures], T | None]) -> T | None:
        with self._lock:
            figures = self._figures.get(str(key))
            if figures is None:
                return None
            self._touch(figures)
            return get(figures)

    def _change(self, key: FigureKey, change: Callable[[_Figures], object]) -> None:
        with self._lock:
            figures = self._figures.setdefault(str(key), _Figures())
            change(figures)
            self._touch(figures)
            self._changed = True

    def _touch(self, figures: _Figures) -> None:
        self._touched += 1
        figures.touched = self._touched

    def _load(self) -> dict[str, _Figures]:
        if self._path is None:
            return {}
        try:
            found = self._file.validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0]
            self._log.warning("learned memory figures cannot be read and start anew", reason=reason)
            return {}
        return found.figures if found.version == VERSION else {}


def _rate(figures: _Figures, px: int) -> float | None:
    if not figures.rates:
        return None
    size = px.bit_length()
    smaller = [known for known in figures.rates if known <= size]
    recent = sorted(figures.rates[max(smaller) if smaller else min(figures.rates)])
    return recent[len(recent) // 2]
