"""The image's own health check, as Docker runs it: without a shell."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.web_server import web_server

DOCKERFILE = (Path(__file__).parents[2] / "Dockerfile.gpu").read_text()


def is_healthy(port: int) -> bool:
    """With the proxy in its environment that Docker's configuration may name for all containers."""
    found = re.search(r"^HEALTHCHECK .*\n  CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert found
    python, *arguments = json.loads(found[1])
    assert python == "python"
    proxy = f"http://127.0.0.1:{free_port()}"
    env = os.environ | {"http_proxy": proxy, "no_proxy": "", "PIXELMEND_PORT": str(port)}
    return subprocess.run([sys.executable, *arguments], env=env, stderr=subprocess.DEVNULL).returncode == 0


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_it_says_what_the_service_says_of_itself(status: int, healthy: bool) -> None:
    with web_server(lambda asked: (status, {}, b"")) as service:
        assert is_healthy(service.port) == healthy
    assert [asked.path for asked in service.asked] == ["/readyz"]


def test_service_that_is_not_there_is_not_healthy() -> None:
    assert not is_healthy(free_port())
