"""What a watched folder's files have come to, remembered across restarts."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pixelmend.core.errors import InvalidParameter
from pixelmend.imaging.names import same_name


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A file that has another one has changed."""

    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Entry:
    """How a source ended: with a result, relative to the folder of results, or with an error.

    options: a digest of what was asked for; None in the files of earlier versions, which did not record it.
    """

    source: Fingerprint
    result: str | None
    error: str | None
    options: str | None = None


class WatchState:
    """A JSON file of entries by the source's path below the watched folder. Written whole or not at all."""

    def __init__(self, path: Path) -> None:
        """Raises InvalidParameter if the file is there and is not a watch's state."""
        self._path = path
        self._entries: dict[str, Entry] = {}
        if path.exists():
            try:
                content = json.loads(path.read_text(encoding="utf-8"))
                self._entries = {
                    name: Entry(
                        Fingerprint(**value["source"]), value["result"], value["error"], value.get("options")
                    )
                    for name, value in content.items()
                }
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise InvalidParameter(
                    f"{path} does not hold what is done; remove it to do every file again"
                ) from error

    def knows(self, name: str, fingerprint: Fingerprint, options: str) -> bool:
        """Whether this very file has ended with these options; a file that has changed since is another."""
        entry = self._entries.get(name)
        return entry is not None and entry.source == fingerprint and entry.options in (None, options)

    def owner_of(self, result: str) -> str | None:
        """The source whose result has this name."""
        wanted = same_name(result)
        return next((n for n, e in self._entries.items() if e.result and same_name(e.result) == wanted), None)

    def record(self, name: str, entry: Entry) -> None:
        """Raises OSError; nothing is recorded then."""
        entries = self._entries | {name: entry}
        part = self._path.with_name(self._path.name + ".part")
        content = {key: asdict(value) for key, value in entries.items()}
        # Escaped: a file's name may be no Unicode at all.
        part.write_text(json.dumps(content, indent=1), encoding="utf-8")
        part.replace(self._path)
        self._entries = entries
