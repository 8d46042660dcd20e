"""A Ray cluster of several nodes on this machine, as real processes, and a service that uses it.

Everything with Ray runs in an environment of its own, .venv-cluster; the tests speak HTTP and send signals.
"""

import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.ports import free_port

ROOT = Path(__file__).parents[1]
PYTHON = ROOT / ".venv-cluster" / "bin" / "python"
START_TIMEOUT_S = 90.0
STORE_BYTES = 80_000_000


def environment(token: str) -> dict[str, str]:
    """For every process of a cluster. A head that is gone is noticed in seconds, not in a minute."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PIXELMEND_", "RAY_"))}
    return kept | {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": token,
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_gcs_rpc_server_reconnect_timeout_s": "5",
        "RAY_health_check_period_ms": "1000",
        "RAY_health_check_failure_threshold": "3",
        "OMP_NUM_THREADS": "1",
    }


@dataclass(eq=False)
class Node:
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        """All of it at once, as a machine loses its power."""
        with suppress(psutil.NoSuchProcess):
            for each in psutil.Process(self.process.pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    each.kill()
        self.process.kill()
        self.process.wait()


@dataclass(eq=False)
class Nodes:
    folder: Path
    port: int = field(default_factory=free_port)
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    nodes: list[Node] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def head(self) -> Node:
        """Started; it computes nothing itself."""
        own = ("--head", "--node-ip-address=127.0.0.1", f"--port={self.port}", "--include-dashboard=false")
        return self._start(*own, "--num-cpus=0", f"--temp-dir=/tmp/pm-{self.port}")

    def worker(self) -> Node:
        """Started, with room for one replica."""
        return self._start(f"--address={self.address}", "--node-ip-address=127.0.0.1", "--num-cpus=1")

    def _start(self, *options: str) -> Node:
        command = [str(PYTHON), "-m", "ray.scripts.scripts", "start", "--block", "--disable-usage-stats"]
        path = self.folder / f"ray-{len(self.nodes)}.log"
        with path.open("wb") as log:
            process = subprocess.Popen(
                [*command, f"--object-store-memory={STORE_BYTES}", "--num-gpus=0", *options],
                env=environment(self.token),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.nodes.append(Node(process))
        # One after the other: nodes that start on one machine at one time take one another's ports.
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while "Ray runtime started" not in path.read_text():
            assert process.poll() is None, path.read_text()
            assert time.monotonic() < deadline_s, path.read_text()
            time.sleep(0.1)
        return self.nodes[-1]


@contextmanager
def ray_nodes(folder: Path) -> Iterator[Nodes]:
    """None is started yet; all are ended."""
    assert PYTHON.exists(), "the cluster's environment is missing: make .venv-cluster/.stamp"
    nodes = Nodes(folder)
    try:
        yield nodes
    finally:
        for node in nodes.nodes:
            node.kill()
        subprocess.run(["rm", "-rf", f"/tmp/pm-{nodes.port}"], check=False)


def replicas_of(nodes: Nodes) -> list[psutil.Process]:
    """The replicas' processes, of all nodes that live."""
    found = []
    for node in nodes.nodes:
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(node.process.pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    if "ServeReplica" in " ".join(child.cmdline()):
                        found.append(child)
    return found
