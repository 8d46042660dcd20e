"""The job database as a file: opened, checked, put aside if it is damaged, and watched while it is open."""

import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path

from pixelmend.core.errors import DataDirectoryNewer, StorageFull
from pixelmend.core.telemetry import Logger
from pixelmend.core.version import VERSION
from pixelmend.jobs import delivery_rows
from pixelmend.jobs.migration import migrate

SCHEMA_VERSION = 2
"""Grows with every change that an earlier version of the service could not read."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    content_key TEXT NOT NULL,
    state TEXT NOT NULL,
    is_async INTEGER NOT NULL,
    created_s REAL NOT NULL,
    ended_s REAL,
    expires_s REAL,
    result_bytes INTEGER NOT NULL,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS jobs_by_content ON jobs (content_key, state);
CREATE INDEX IF NOT EXISTS jobs_by_owner ON jobs (owner, created_s);
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state, expires_s);
CREATE TABLE IF NOT EXISTS idempotency (
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    PRIMARY KEY (owner, key)
) STRICT;
CREATE TABLE IF NOT EXISTS unreadable (
    id TEXT,
    record BLOB,
    reason TEXT NOT NULL,
    put_aside_s REAL NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS written_by (version TEXT NOT NULL) STRICT;
"""


_SHARED_MEMORY_ERROR = "SQLITE_IOERR_SHM"
"""What SQLite's errors begin with on file systems that do not map files into memory."""


class JobDatabase:
    """An open database. `db` belongs to the thread that made this; `problem` may be asked from any."""

    def __init__(self, path: Path, log: Logger) -> None:
        """Raises DataDirectoryNewer for what a later version wrote, StorageFull if it cannot be opened."""
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.db = _opened(path, log)
        except sqlite3.OperationalError as error:
            raise StorageFull(
                f"the job database {path} cannot be opened: {error}; PIXELMEND_DATA_DIR has to name a folder "
                "in which this user may write and lock files"
            ) from error
        self._identities = self._seen()

    def problem(self) -> str | None:
        """Why what is written now would be gone at the next start; None while all is well."""
        for name, identity in self._seen().items():
            if identity != self._identities[name]:
                what = "removed" if identity is None else "replaced"
                return (
                    f"the job database's file {name} was {what} while the service runs; restart the service"
                )
        return None

    def _seen(self) -> Mapping[str, tuple[int, int] | None]:
        """Device and inode of the database and of its write-ahead log."""
        seen: dict[str, tuple[int, int] | None] = {}
        for path in (self._path, self._path.with_name(self._path.name + "-wal")):
            try:
                found = path.stat()
                seen[path.name] = (found.st_dev, found.st_ino)
            except OSError:
                seen[path.name] = None
        return seen


def _opened(path: Path, log: Logger) -> sqlite3.Connection:
    try:
        return _connected(path, log)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        # A damaged database must not keep the service from starting; it is kept beside the new one.
        aside = path.with_name(f"{path.name}.damaged-{time.time():.0f}")
        log.error("the job database is damaged; beginning a new one", reason=str(error), kept_as=str(aside))
        path.replace(aside)
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        return _connected(path, log)


def _connected(path: Path, log: Logger) -> sqlite3.Connection:
    try:
        return _prepared(path)
    except sqlite3.OperationalError as error:
        if not error.sqlite_errorname.startswith(_SHARED_MEMORY_ERROR):
            raise
    log.info("the job database's file system does not share memory, so other programs cannot read it now")
    return _prepared(path, alone=True)


def _prepared(path: Path, *, alone: bool = False) -> sqlite3.Connection:
    """alone: without the shared memory through which a write-ahead log serves several programs."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    db = sqlite3.connect(path)
    try:
        if alone:
            db.execute("PRAGMA locking_mode = EXCLUSIVE")
        _require_not_newer(db)
        found = [row[0] for row in db.execute("PRAGMA integrity_check(1)")]
        if found != ["ok"]:
            raise sqlite3.DatabaseError(str(found[0]) if found else "the integrity check says nothing")
        db.execute("PRAGMA journal_mode = WAL")
        # FULL: a job that was answered with 202 is still there after a power cut.
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        migrate(db)
        db.executescript(_SCHEMA + delivery_rows.SCHEMA)
        with db:
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            db.execute("DELETE FROM written_by")
            db.execute("INSERT INTO written_by VALUES (?)", (VERSION,))
    except BaseException:
        db.close()
        raise
    return db


def _require_not_newer(db: sqlite3.Connection) -> None:
    (found,) = db.execute("PRAGMA user_version").fetchone()
    if found <= SCHEMA_VERSION:
        return
    try:
        (writer,) = db.execute("SELECT version FROM written_by").fetchone()
    except (sqlite3.Error, TypeError):
        writer = "a later one"
    raise DataDirectoryNewer(
        f"the job database was written by Pixelmend {writer} (schema {found}); this is "
        f"{VERSION}, which reads schemas up to {SCHEMA_VERSION}. Install that version again, or "
        "give this one another PIXELMEND_DATA_DIR"
    )
