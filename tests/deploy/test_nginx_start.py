"""nginx in its container, on kernels with IPv6 and without."""

import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.deploy.proxy import LISTENS, LISTENS_V6, configured, single
from tests.ports import free_port

pytestmark = pytest.mark.full


def answers(family: socket.AddressFamily, address: str, port: int) -> bool:
    with socket.socket(family) as probe:
        return probe.connect_ex((address, port)) == 0


@pytest.mark.parametrize("has_ipv6", [True, False])
def test_a_kernel_without_ipv6_is_served_by_the_other_one(tmp_path: Path, has_ipv6: bool) -> None:
    """Without /proc, where the kernel tells of IPv6, in a mount namespace of its own."""
    port = free_port()
    listens = ((LISTENS, f"    listen {port};"), (LISTENS_V6, f"        listen [::]:{port};\n"))
    start = configured(tmp_path, single(1), listens) / "start.sh"
    hidden = "" if has_ipv6 else "mount -t tmpfs none /proc && "
    namespace = ["unshare", "--mount"] if os.getuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    command = [*namespace, "sh", "-c", f"{hidden}exec sh {start}"]
    log = tmp_path / "log"
    with log.open("wb") as errors:
        process = subprocess.Popen(command, stderr=errors)
    try:
        deadline_s = time.monotonic() + 30
        while not answers(socket.AF_INET, "127.0.0.1", port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline_s
            time.sleep(0.02)
        assert answers(socket.AF_INET6, "::1", port) == has_ipv6
    finally:
        process.terminate()
        process.wait(20)
