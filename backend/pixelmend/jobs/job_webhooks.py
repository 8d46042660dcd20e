"""`webhook_url`: an address is told of a job's end, in a body that is signed."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable

import httpx

from pixelmend.core.config import Settings
from pixelmend.core.errors import InvalidParameter
from pixelmend.core.outbound import Outbound
from pixelmend.jobs.model import JobRecord

FIELD = "webhook_url"
SIGNATURE_HEADER = "X-Pixelmend-Signature"
TIMEOUT_S = 15.0


def signature(secret: str, body: bytes, now_s: int) -> str:
    """`t=<seconds since 1970>,v1=<hex>`: HMAC-SHA256 of `<t>.<body>`."""
    mac = hmac.new(secret.encode(), f"{now_s}.".encode() + body, hashlib.sha256)
    return f"t={now_s},v1={mac.hexdigest()}"


def webhook_secret(settings: Settings) -> str:
    """Raises InvalidParameter if there are hosts and no secret."""
    secret = settings.webhook_secret.get_secret_value()
    if settings.webhook_hosts and not secret:
        raise InvalidParameter("webhook_hosts names hosts, so webhook_secret is needed to sign what they get")
    return secret


class WebhookSender:
    field = FIELD

    def __init__(
        self, outbound: Outbound, secret: str, body_of: Callable[[JobRecord], Awaitable[bytes]]
    ) -> None:
        """secret: signs what is told. body_of: what that is."""
        self.outbound = outbound
        self._secret = secret
        self._body_of = body_of

    async def send(self, url: str, record: JobRecord) -> str | None:
        body = await self._body_of(record)
        headers = {
            "Content-Type": "application/json",
            SIGNATURE_HEADER: signature(self._secret, body, int(time.time())),
        }
        try:
            async with (
                asyncio.timeout(TIMEOUT_S),
                self.outbound.request(FIELD, "POST", url, headers, body) as response,
            ):
                status = response.status_code
        except InvalidParameter as refusal:
            return refusal.message
        except TimeoutError:
            return f"no answer within {TIMEOUT_S:g} s"
        except httpx.TransportError as error:
            return f"{type(error).__name__}: {error}"[:200]
        return None if 200 <= status < 300 else f"the receiver answers {status}"
