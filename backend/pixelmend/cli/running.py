"""Asks the service that runs on this machine, if one does."""

import os
from typing import Any

import httpx

from pixelmend.client.problems import error_of
from pixelmend.core.config import Settings
from pixelmend.core.errors import NoWorker

KEY_VARIABLE = "PIXELMEND_API_KEY"
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104
"""Where a service that listens everywhere is found from here."""


class RunningService:
    """The service that the settings describe; it may not be there."""

    def __init__(self, settings: Settings, timeout_s: float = 10.0) -> None:
        self.url = f"http://{_ANY_ADDRESS.get(settings.host, settings.host)}:{settings.port}"
        self._timeout_s = timeout_s

    def ask(self, method: str, path: str, **query: str) -> Any | None:
        """The answer; None if no service is there. Raises what the service refuses with."""
        key = os.environ.get(KEY_VARIABLE)
        try:
            response = httpx.request(
                method,
                self.url + path,
                params=query,
                headers={"Authorization": f"Bearer {key}"} if key else {},
                timeout=httpx.Timeout(self._timeout_s, connect=2.0),
                trust_env=False,  # it is on this machine, where no proxy is needed
            )
            answer = response.json()
        except (httpx.TransportError, httpx.InvalidURL, ValueError):
            return None
        if response.is_success:
            return answer
        raise error_of(answer, response.status_code)

    def require(self, method: str, path: str, **query: str) -> Any:
        """As `ask`. Raises NoWorker if no service is there."""
        answer = self.ask(method, path, **query)
        if answer is None:
            raise NoWorker(f"no Pixelmend service answers at {self.url}")
        return answer
