"""Where a service listens, and what it says if it cannot."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pixelmend.api.listening import bound_sockets, url_of
from pixelmend.core.errors import InvalidParameter


def test_every_address_of_a_name_is_bound() -> None:
    for host, urls in (("127.0.0.1", ["http://127.0.0.1:"]), ("0.0.0.0", ["http://0.0.0.0:"])):
        sockets = bound_sockets(host, 0)
        assert [url_of(each).rstrip("0123456789") for each in sockets] == urls
        for each in sockets:
            each.close()


def test_ipv6_is_named_as_browsers_want_it_or_said_to_be_absent() -> None:
    try:
        (only,) = bound_sockets("::1", 0)
    except InvalidParameter as refused:
        # On a machine without IPv6.
        assert "host='::1' is no address of this machine" in refused.message  # noqa: PT017 - either counts
    else:
        assert url_of(only).startswith("http://[::1]:")
        only.close()


def test_a_port_that_is_taken_ends_the_command_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "pixelmend.cli", "serve", "--port", str(port)],
            env={f"PIXELMEND_{name}_DIR": str(tmp_path / name) for name in ("DATA", "MODELS")},
            capture_output=True,
            text=True,
            timeout=60,
            cwd=tmp_path,
            check=False,
        )
    assert done.returncode == 2
    words = f"port={port} of 127.0.0.1 is in use by another program; --port or PIXELMEND_PORT names another"
    assert done.stderr.strip() == words


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("nowhere.invalid", "host='nowhere.invalid' cannot be looked up"),
        ("192.0.2.7", "host='192.0.2.7' is no address of this machine; 0.0.0.0 is all of its addresses"),
    ],
)
def test_a_host_that_is_none_is_said(host: str, words: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        bound_sockets(host, 0)
    assert words in refused.value.message


def test_nothing_stays_bound_if_one_address_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        free = ("127.0.0.2", port)
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", at) for at in (free, ("127.0.0.1", port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        with pytest.raises(InvalidParameter, match=r"of 127\.0\.0\.1"):
            bound_sockets("both", port)
        with socket.create_server(free):
            pass


def test_addresses_that_the_machine_has_not_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (at, 0)) for at in ("192.0.2.7", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    (only,) = bound_sockets("both", 0)
    assert url_of(only).startswith("http://127.0.0.1:")
    only.close()
