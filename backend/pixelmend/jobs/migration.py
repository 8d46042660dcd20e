"""Job databases of earlier versions, brought to the schema of this one."""

import json
import sqlite3
from typing import Any


def migrate(db: sqlite3.Connection) -> None:
    """In one transaction, the version included, so that a database is of one version or of the other.

    A row that cannot be read is left as it is: the store puts it aside when it comes to it.
    """
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version != 1:
        return
    db.execute("BEGIN IMMEDIATE")  # the module would begin one before an UPDATE only, and not before an ALTER
    with db:
        _from_1_to_2(db)
        db.execute("PRAGMA user_version = 2")


def _from_1_to_2(db: sqlite3.Connection) -> None:
    """`asked` and `starts` have other names, and options name what is done by the task that does it."""
    db.execute("ALTER TABLE jobs RENAME COLUMN asked TO is_async")
    for row_id, text in db.execute("SELECT rowid, CAST(record AS BLOB) FROM jobs").fetchall():
        try:
            record = json.loads(text)
            _renew_record(record)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue
        db.execute("UPDATE jobs SET record = ? WHERE rowid = ?", (json.dumps(record), row_id))


def _renew_record(record: dict[str, Any]) -> None:
    record["is_async"] = record.pop("asked")
    record["attempts"] = record.pop("starts", 0)
    record["options"] = _renewed_options(record["options"])
    _renew_report(record.get("report"))
    for item in record.get("items") or ():
        _renew_report(item.get("report"))


def _renewed_options(old: dict[str, Any]) -> dict[str, Any]:
    upscale = {name: old[name] for name in ("model", "target", "tile_px", "denoise") if name in old}
    new = {name: old[name] for name in ("format", "quality", "first_frame") if name in old}
    return new | {"upscale": upscale if old.get("enlarge", True) else None, "inpaint": old.get("erase")}


def _renew_report(report: dict[str, Any] | None) -> None:
    for old, new in (("erased_by", "inpainted_by"), ("erased_px", "inpainted_px"), ("erase_s", "inpaint_s")):
        if report is not None and old in report:
            report[new] = report.pop(old)
