"""Tells the ends of jobs to the addresses that their submitters named, at least once each."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import httpx

from pixelmend.core.background import Repeated
from pixelmend.core.config import Settings
from pixelmend.core.errors import InvalidParameter, PixelmendError
from pixelmend.core.outbound import Outbound
from pixelmend.core.telemetry import Logger
from pixelmend.jobs.model import JobRecord
from pixelmend.jobs.store import JobStore
from pixelmend.jobs.webhook_rows import Webhook, WebhookState

FIELD = "webhook_url"
SIGNATURE_HEADER = "X-Pixelmend-Signature"
MAX_FAILURES = 10
"""In one run of the service; the pauses between them take about four minutes together."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
TIMEOUT_S = 15.0
LOOK_PERIOD_S = 0.5
MAX_AT_A_TIME = 32


def signature(secret: str, body: bytes, now_s: int) -> str:
    """`t=<seconds since 1970>,v1=<hex>`: HMAC-SHA256 of `<t>.<body>`."""
    mac = hmac.new(secret.encode(), f"{now_s}.".encode() + body, hashlib.sha256)
    return f"t={now_s},v1={mac.hexdigest()}"


@dataclass(frozen=True, slots=True)
class _Failures:
    """Failures of one address in this run. next_s: when it may be tried again, by `time.monotonic()`."""

    count: int = 0
    next_s: float = 0.0


_NONE = _Failures()


def webhook_secret(settings: Settings) -> str:
    """Raises InvalidParameter if there are hosts and no secret."""
    secret = settings.webhook_secret.get_secret_value()
    if settings.webhook_hosts and not secret:
        raise InvalidParameter("webhook_hosts names hosts, so webhook_secret is needed to sign what they get")
    return secret


class JobWebhooks:
    """Looks for ended jobs whose end is still to be told, so that it does not matter how they ended, or in
    which run of the service. Belongs to one event loop.
    """

    def __init__(
        self,
        store: JobStore,
        outbound: Outbound,
        secret: str,
        body_of: Callable[[JobRecord], bytes],
        log: Logger,
    ) -> None:
        """secret: signs what is told. body_of: what that is."""
        self._store = store
        self._outbound = outbound
        self._secret = secret
        self._body_of = body_of
        self._log = log
        self._failures: dict[tuple[str, str], _Failures] = {}
        self._sending: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._look = Repeated("webhooks", self._send_due, LOOK_PERIOD_S, log)

    def start(self) -> None:
        if self._outbound.is_enabled:
            self._look.start()

    async def stop(self) -> None:
        """What was not delivered is tried again after the next start."""
        await self._look.stop()
        for task in self._sending.values():
            task.cancel()
        await asyncio.gather(*self._sending.values(), return_exceptions=True)

    def require(self, url: str) -> None:
        """Raises InvalidParameter if no job's end may be told there."""
        self._outbound.checked(FIELD, url)

    async def add(self, job_id: str, url: str) -> None:
        """The job's end will be told there, again if it was before. Raises StorageFull."""
        await self._store.add_webhook(job_id, url)

    async def of(self, job_id: str) -> Webhook | None:
        """The job's webhook: the one that waits if there are several, else the latest."""
        return await self._store.webhook_of(job_id)

    async def _send_due(self) -> None:
        for webhook, record in await self._store.due_webhooks():
            key = webhook.job_id, webhook.url
            waits = key in self._failures and time.monotonic() < self._failures[key].next_s
            if waits or key in self._sending or len(self._sending) >= MAX_AT_A_TIME:
                continue
            task = self._sending[key] = asyncio.create_task(self._send(webhook, record), name="webhook")
            task.add_done_callback(partial(self._sent, key))

    def _sent(self, key: tuple[str, str], _: asyncio.Task[None]) -> None:
        del self._sending[key]

    async def _send(self, webhook: Webhook, record: JobRecord) -> None:
        key, attempts = (webhook.job_id, webhook.url), webhook.attempts + 1
        try:
            error = await self._post(webhook.url, self._body_of(record))
        except Exception as bug:  # counted like any failure, so that it ends
            self._log.error("a webhook failed by a bug", job=webhook.job_id, exc_info=bug)
            error = type(bug).__name__
        failures = self._failures.pop(key, _NONE).count + 1
        if error is None:
            state = WebhookState.DELIVERED
        elif failures >= MAX_FAILURES:
            state = WebhookState.FAILED
            self._log.warning("a webhook is given up", job=webhook.job_id, attempts=attempts, reason=error)
        else:
            state = WebhookState.PENDING
            pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (failures - 1))
            self._failures[key] = _Failures(failures, time.monotonic() + pause_s)
        try:
            await self._store.note_webhook(Webhook(*key, state, attempts, error))
        except PixelmendError as problem:  # it is told once more
            self._log.warning("a webhook's state was not written", job=key[0], reason=problem.message)

    async def _post(self, url: str, body: bytes) -> str | None:
        """What went wrong, in words that do not have the address, which may hold a secret."""
        headers = {
            "Content-Type": "application/json",
            SIGNATURE_HEADER: signature(self._secret, body, int(time.time())),
        }
        try:
            async with (
                asyncio.timeout(TIMEOUT_S),
                self._outbound.request(FIELD, "POST", url, headers, body) as response,
            ):
                status = response.status_code
        except InvalidParameter as refusal:
            return refusal.message
        except TimeoutError:
            return f"no answer within {TIMEOUT_S:g} s"
        except httpx.TransportError as error:
            return f"{type(error).__name__}: {error}"[:200]
        return None if 200 <= status < 300 else f"the receiver answers {status}"
