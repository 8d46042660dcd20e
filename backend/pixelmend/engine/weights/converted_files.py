"""What models were converted into, kept under the data directory: a folder for each weight file's sha256."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pixelmend.core.telemetry import Logger

FORMAT = 1
"""Counted up when what is written, or how it is made of a weight file, changes."""
MAX_BYTES = 2_000_000_000
"""All conversions together, some thirty of RealESRGAN_x4plus. The least recently used go first."""
_FACTS = "facts.json"
_PART = ".part"


@dataclass(frozen=True, slots=True)
class Conversion:
    """facts: what was learned of the model. folder: has the files, which were checked."""

    folder: Path
    facts: Mapping[str, Any]


class ConvertedFiles:
    """Conversions below `root`. A cache: whatever fails is logged, and then the model is converted again."""

    def __init__(
        self, root: Path, log: Logger, *, max_bytes: int = MAX_BYTES, min_free_bytes: int = 0
    ) -> None:
        """min_free_bytes: nothing is kept if the disk would then have less free."""
        self._root = root
        self._log = log
        self._max_bytes = max_bytes
        self._min_free_bytes = min_free_bytes

    def find(self, sha256: str) -> Conversion | None:
        """What the file with this sha256 was converted into. One that is damaged, or made by another
        version, is removed.
        """
        folder = self._root / sha256
        try:
            told = json.loads((folder / _FACTS).read_bytes())
            if told["version"] != converter_version():
                raise ValueError("another version made it")
            for name, expected in told["files"].items():
                if _sha256_of(folder / name) != expected:
                    raise ValueError(f"{name} is damaged")
            facts = dict(told["facts"])
            (folder / _FACTS).touch()  # used just now
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            self.drop(sha256, str(error))
            return None
        return Conversion(folder, facts)

    def drop(self, sha256: str, reason: str) -> None:
        """Remove what cannot be used."""
        self._log.info("a converted model is removed", sha256=sha256, reason=reason)
        shutil.rmtree(self._root / sha256, ignore_errors=True)

    def keep(self, sha256: str, facts: Mapping[str, Any], write: Callable[[Path], None]) -> None:
        """write: puts the files into a folder. Complete or absent: the folder gets its name at the end."""
        part: Path | None = None
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            part = Path(tempfile.mkdtemp(prefix=f"{sha256}-", suffix=_PART, dir=self._root))
            write(part)
            files = {path.name: _sha256_of(path) for path in sorted(part.iterdir())}
            told = {"version": converter_version(), "facts": dict(facts), "files": files}
            (part / _FACTS).write_text(json.dumps(told))
            if shutil.disk_usage(part).free < self._min_free_bytes:
                raise OSError("the disk is nearly full")
            shutil.rmtree(self._root / sha256, ignore_errors=True)
            part.rename(self._root / sha256)
        except (OSError, RuntimeError) as error:  # RuntimeError: OpenVINO's, for a file that it cannot write
            self._log.info("a converted model is not kept", sha256=sha256, reason=str(error))
        finally:
            if part is not None:
                shutil.rmtree(part, ignore_errors=True)
        self._evict()

    def _evict(self) -> None:
        """Also of what a process that was killed has left half written: it is as old as any."""
        sizes = {}
        for folder in self._root.glob("*"):
            try:
                used = max((path.stat().st_mtime_ns for path in folder.iterdir()), default=0)
                sizes[folder] = (used, sum(path.stat().st_size for path in folder.iterdir()))
            except OSError:  # another worker has just removed it
                continue
        total = sum(size for _, size in sizes.values())
        for folder, (_, size) in sorted(sizes.items(), key=lambda item: item[1]):
            if total <= self._max_bytes:
                return
            shutil.rmtree(folder, ignore_errors=True)
            total -= size


def converter_version() -> str:
    """OpenVINO's as well, whose graphs they are."""
    try:
        return f"{FORMAT}, OpenVINO {version('openvino')}"
    except PackageNotFoundError:
        return f"{FORMAT}, no OpenVINO"


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
