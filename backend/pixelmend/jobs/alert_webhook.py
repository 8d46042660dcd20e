"""Posts alerts to a URL, without ever holding up the code that raises them."""

import queue
import threading
import urllib.request
from dataclasses import asdict
from urllib.parse import urlsplit

from pydantic_core import to_json

from pixelmend.core.errors import InvalidParameter
from pixelmend.core.telemetry import Logger
from pixelmend.models.memory import Alert

TIMEOUT_S = 5.0
WAITING_ALERTS = 100
"""Above this count, the newest alerts are dropped: the oldest say how the trouble began."""


class AlertWebhook:
    """POSTs each alert as JSON, on a thread of its own. Failures are logged once until one succeeds."""

    def __init__(self, url: str, log: Logger, timeout_s: float = TIMEOUT_S) -> None:
        """url: empty for none; may be a secret. Raises InvalidParameter if it is no http URL."""
        if url and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
            raise InvalidParameter("alert_webhook is not an http or https URL")
        self._url = url
        self._log = log
        self._timeout_s = timeout_s
        self._alerts: queue.Queue[Alert] = queue.Queue(WAITING_ALERTS)
        self._failing = False
        self._started = False

    def tell(self, alert: Alert) -> None:
        """Returns at once. Belongs to one thread."""
        if not self._url:
            return
        if not self._started:
            self._started = True
            threading.Thread(target=self._run, name="webhook", daemon=True).start()
        try:
            self._alerts.put_nowait(alert)
        except queue.Full:
            self._failed("it is too slow; alerts were dropped")

    def _run(self) -> None:
        while True:
            alert = self._alerts.get()
            try:
                self._post(alert)
            except Exception as error:  # whatever that server answers, the next alert is sent as well
                self._failed(f"{type(error).__name__}: {error}")
            else:
                self._failing = False

    def _post(self, alert: Alert) -> None:
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            self._url, to_json(asdict(alert)), {"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=self._timeout_s) as response:  # noqa: S310
            response.read(1024)

    def _failed(self, reason: str) -> None:
        if not self._failing:
            self._log.warning("the alert webhook does not take alerts", reason=reason)
        self._failing = True
