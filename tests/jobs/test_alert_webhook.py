"""Alerts are told to an address, which may fail or hang."""

import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pixelmend.core.errors import InvalidParameter
from pixelmend.core.telemetry import Logger, configure_logging
from pixelmend.jobs.alert_webhook import WAITING_ALERTS, AlertWebhook
from pixelmend.models.memory import Alert

ALERT = Alert("temperature", "raised", 91.0, 90.0, 1.0, "hot")


class Hook(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.bodies: list[Any] = []
        self.came = threading.Semaphore(0)
        self.gate = threading.Event()
        self.gate.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/alerts"


class _Handler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.bodies.append((self.headers["Content-Type"], json.loads(body)))
        self.server.came.release()
        assert self.server.gate.wait(60)
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def hook() -> Iterator[Hook]:
    with Hook() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.gate.set()
            server.shutdown()
            thread.join()


def test_an_alert_is_posted_as_json() -> None:
    with hook() as server:
        AlertWebhook(server.url, Logger()).tell(ALERT)
        assert server.came.acquire(timeout=60)
    kind, body = server.bodies[0]
    assert kind == "application/json"
    told = {name: body[name] for name in ("kind", "state", "value", "threshold")}
    assert told == {"kind": "temperature", "state": "raised", "value": 91.0, "threshold": 90.0}


def test_a_webhook_that_fails_disturbs_nobody_and_is_logged_once() -> None:
    log = io.StringIO()
    configure_logging("info", "json", log)
    with hook() as server:
        webhook = AlertWebhook(server.url, Logger())
        server.status = 500
        for _ in range(3):
            webhook.tell(ALERT)
            assert server.came.acquire(timeout=60)
        server.status = 200
        webhook.tell(ALERT)
        assert server.came.acquire(timeout=60)
    assert log.getvalue().count("the alert webhook does not take alerts") == 1
    assert "/alerts" not in log.getvalue()


def test_a_webhook_that_hangs_holds_up_nobody_and_its_queue_is_bounded() -> None:
    with hook() as server:
        server.gate.clear()
        webhook = AlertWebhook(server.url, Logger())
        webhook.tell(ALERT)
        assert server.came.acquire(timeout=60)
        for _ in range(3 * WAITING_ALERTS):
            webhook.tell(ALERT)
        server.gate.set()
        for _ in range(WAITING_ALERTS):
            assert server.came.acquire(timeout=60)
    assert len(server.bodies) == 1 + WAITING_ALERTS


@pytest.mark.parametrize("url", ["file:///etc/passwd", "hook", "http://"])
def test_only_an_http_url_is_a_webhook(url: str) -> None:
    with pytest.raises(InvalidParameter, match="alert_webhook"):
        AlertWebhook(url, Logger())
    AlertWebhook("", Logger()).tell(ALERT)
