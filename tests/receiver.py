"""What webhooks are told to and results are sent to in tests, and a service that may reach this machine.

python -m tests.receiver   serves like `pixelmend serve`, and `receiver.example` is 127.0.0.1 for it
"""

import hashlib
import hmac
import json
from ipaddress import ip_address
from typing import Any

from pixelmend.core.outbound import Outbound
from tests.web_server import Asked

SECRET = "a secret for tests"
HOST = "receiver.example"


def telling(setting: str = "WEBHOOK_HOSTS") -> Outbound:
    """As the service's own; but the one name that it knows is this machine, which is allowed."""

    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    allowed = ip_address("127.0.0.1")
    return Outbound(HOST, setting, resolve=resolve, allows=lambda address: address == allowed)


def told(asked: Asked) -> dict[str, Any]:
    """The job that was told. Raises AssertionError unless it is signed as docs/operations.md says."""
    parts = dict(part.split("=", 1) for part in asked.headers["x-pixelmend-signature"].split(","))
    signed = f"{parts['t']}.".encode() + asked.body
    assert hmac.compare_digest(parts["v1"], hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest())
    job: dict[str, Any] = json.loads(asked.body)
    return job


def putting() -> Outbound:
    """The same, for results."""
    return telling("RESULT_HOSTS")


def main() -> None:
    from pixelmend.api.server import serve
    from pixelmend.api.service import build_service
    from pixelmend.core.config import Settings
    from pixelmend.core.telemetry import Logger, configure_logging

    settings = Settings(_env_file=None)
    configure_logging(settings.log_level, settings.log_format)
    serve(build_service(settings, Logger(process="api"), telling=telling(), putting=putting()))


if __name__ == "__main__":
    main()
