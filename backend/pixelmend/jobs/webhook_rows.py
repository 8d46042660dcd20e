"""Addresses that are told of a job's end, as rows of the job database."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class WebhookState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    """Given up after as many attempts as there are."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """attempts: that were made. last_error: of the last one, if it failed."""

    job_id: str
    url: str
    state: WebhookState = WebhookState.PENDING
    attempts: int = 0
    last_error: str | None = None


SCHEMA = """
CREATE TABLE IF NOT EXISTS webhooks (
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    url TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    last_error TEXT,
    PRIMARY KEY (job_id, url)
) STRICT;
CREATE INDEX IF NOT EXISTS webhooks_by_state ON webhooks (state);
"""
"""A table of its own, which earlier versions leave alone. It goes with its job."""

_COLUMNS = "job_id, url, state, attempts, last_error"


def add(db: sqlite3.Connection, job_id: str, url: str) -> None:
    """One that waits already goes on waiting; what has ended begins again."""
    db.execute(
        f"INSERT INTO webhooks ({_COLUMNS}) VALUES (?, ?, ?, 0, NULL) ON CONFLICT (job_id, url) "  # noqa: S608
        "DO UPDATE SET state = excluded.state, attempts = 0, last_error = NULL WHERE state != excluded.state",
        (job_id, url, WebhookState.PENDING.value),
    )


def note(db: sqlite3.Connection, webhook: Webhook) -> None:
    db.execute(
        "UPDATE webhooks SET state = ?, attempts = ?, last_error = ? WHERE job_id = ? AND url = ?",
        (webhook.state.value, webhook.attempts, webhook.last_error, webhook.job_id, webhook.url),
    )


def of_job(db: sqlite3.Connection, job_id: str) -> Webhook | None:
    order = "ORDER BY state = 'pending' DESC, rowid DESC LIMIT 1"
    return next(iter(_selected(db, f"WHERE job_id = ? {order}", job_id)), None)


def due(db: sqlite3.Connection, limit: int) -> list[Webhook]:
    """Those that wait, of jobs that have ended."""
    where = "JOIN jobs ON jobs.id = job_id WHERE webhooks.state = 'pending' AND ended_s IS NOT NULL LIMIT ?"
    return _selected(db, where, limit)


def _selected(db: sqlite3.Connection, where: str, *values: object) -> list[Webhook]:
    # `where` is one of the texts above, never a caller's.
    columns = ", ".join(f"webhooks.{name}" for name in _COLUMNS.split(", "))
    rows: Sequence[tuple[str, str, str, int, str | None]] = db.execute(
        f"SELECT {columns} FROM webhooks {where}",  # noqa: S608
        values,
    ).fetchall()
    return [Webhook(job, url, WebhookState(state), tries, error) for job, url, state, tries, error in rows]
