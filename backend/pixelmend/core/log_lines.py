"""What a log line looks like: JSON for programs, or text for a terminal."""

import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

Render = Callable[[Mapping[str, Any]], str]

_RESET, _BOLD, _DIM, _CYAN, _MAGENTA = "\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[36m", "\x1b[35m"
_LEVEL_COLOURS = {"debug": "\x1b[32m", "info": "\x1b[32m", "warning": "\x1b[33m", "error": "\x1b[31m"}
_EVENT_WIDTH, _LEVEL_WIDTH = 30, 9


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """The values of a record, then `event`, `level`, `timestamp` and, if there is one, `exception`."""
    moment = datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z")
    fields = {
        **getattr(record, "values", {}),
        "event": record.msg,
        "level": record.levelname.lower(),
        "timestamp": moment,
    }
    if record.exc_info:
        fields["exception"] = logging.Formatter().formatException(record.exc_info)
    return fields


def as_json(fields: Mapping[str, Any]) -> str:
    return json.dumps(fields, default=repr)


def as_text(fields: Mapping[str, Any], *, colours: bool = False) -> str:
    """The moment, the level, the event, the other values by their names; a traceback has its own lines."""

    def painted(colour: str, text: str) -> str:
        return f"{colour}{text}{_RESET}" if colours else text

    rest = dict(fields)
    level, event = rest.pop("level"), rest.pop("event")
    parts = [
        painted(_DIM, rest.pop("timestamp")),
        f"[{painted(_LEVEL_COLOURS.get(level, ''), level.ljust(_LEVEL_WIDTH))}]",
        painted(_BOLD, str(event).ljust(_EVENT_WIDTH)),
    ]
    exception = rest.pop("exception", None)
    for name, value in sorted(rest.items()):
        parts.append(f"{painted(_CYAN, name)}={painted(_MAGENTA, _value(value))}")
    line = " ".join(parts).rstrip()
    return line if exception is None else f"{line}\n{exception}"


def _value(value: object) -> str:
    """As it is if that is a word, else quoted."""
    return (
        value
        if isinstance(value, str) and value and value.isprintable() and " " not in value
        else repr(value)
    )
