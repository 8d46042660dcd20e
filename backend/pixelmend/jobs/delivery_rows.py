"""What is owed to addresses once a job has ended, as rows of the job database."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class DeliveryKind(StrEnum):
    WEBHOOK = "webhook"
    """The news of the end."""
    RESULT = "result"
    """The file itself."""


class DeliveryState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    """Given up: after as many attempts as there are, or since there is nothing to deliver."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """attempts: that were made. last_error: of the last one, if it failed."""

    job_id: str
    kind: DeliveryKind
    url: str
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    last_error: str | None = None


SCHEMA = """
CREATE TABLE IF NOT EXISTS deliveries (
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    url TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    last_error TEXT,
    PRIMARY KEY (job_id, kind, url)
) STRICT;
CREATE INDEX IF NOT EXISTS deliveries_by_state ON deliveries (state);
CREATE TABLE IF NOT EXISTS webhooks (
    job_id TEXT, url TEXT, state TEXT, attempts INTEGER, last_error TEXT
) STRICT;
INSERT OR IGNORE INTO deliveries
    SELECT job_id, 'webhook', url, state, attempts, last_error FROM webhooks
    WHERE job_id IN (SELECT id FROM jobs);
DROP TABLE webhooks;
"""
"""A table of its own, which earlier versions leave alone. It goes with its job. `webhooks` is what there was
before results were delivered; it is taken over.
"""

AWAITED = "SELECT job_id FROM deliveries WHERE kind = 'result' AND state = 'pending'"
"""The jobs whose results are still to be delivered."""

_COLUMNS = "job_id, kind, url, state, attempts, last_error"


def add(db: sqlite3.Connection, job_id: str, kind: DeliveryKind, url: str) -> None:
    """One that waits already goes on waiting; what has ended begins again."""
    db.execute(
        f"INSERT INTO deliveries ({_COLUMNS}) VALUES (?, ?, ?, ?, 0, NULL) "  # noqa: S608
        "ON CONFLICT (job_id, kind, url) "
        "DO UPDATE SET state = excluded.state, attempts = 0, last_error = NULL WHERE state != excluded.state",
        (job_id, kind.value, url, DeliveryState.PENDING.value),
    )


def note(db: sqlite3.Connection, delivery: Delivery) -> None:
    db.execute(
        "UPDATE deliveries SET state = ?, attempts = ?, last_error = ? "
        "WHERE job_id = ? AND kind = ? AND url = ?",
        (
            delivery.state.value,
            delivery.attempts,
            delivery.last_error,
            delivery.job_id,
            delivery.kind.value,
            delivery.url,
        ),
    )


def of_job(db: sqlite3.Connection, job_id: str) -> list[Delivery]:
    """Those that wait come first, then the latest."""
    return _selected(db, "WHERE job_id = ? ORDER BY state = 'pending' DESC, rowid DESC", job_id)


def due(db: sqlite3.Connection, limit: int) -> list[Delivery]:
    """Those that wait, of jobs that have ended; news of an end waits for the delivery of its result."""
    where = (
        "JOIN jobs ON jobs.id = job_id WHERE deliveries.state = 'pending' AND ended_s IS NOT NULL "
        f"AND (kind = 'result' OR job_id NOT IN ({AWAITED})) LIMIT ?"
    )
    return _selected(db, where, limit)


def _selected(db: sqlite3.Connection, where: str, *values: object) -> list[Delivery]:
    # `where` is one of the texts above, never a caller's.
    columns = ", ".join(f"deliveries.{name}" for name in _COLUMNS.split(", "))
    rows: Sequence[tuple[str, str, str, str, int, str | None]] = db.execute(
        f"SELECT {columns} FROM deliveries {where}",  # noqa: S608
        values,
    ).fetchall()
    return [
        Delivery(job, DeliveryKind(kind), url, DeliveryState(state), tries, error)
        for job, kind, url, state, tries, error in rows
    ]
