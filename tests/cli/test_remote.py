"""`pixelmend upscale --server`: the real command, the real service, and what lies between them."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.cli.test_cli import pixelmend
from tests.inprocess import service_in_threads
from tests.pictures import decoded, encoded, photo
from tests.service import ServiceClient, running_service


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    source = tmp_path / "in"
    (source / "deep").mkdir(parents=True)
    for n in range(3):
        (source / f"{n}.png").write_bytes(encoded(photo("rocket", side_px=60, left=20 * n)))
    (source / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n but no more")
    (source / "deep" / "b.jpg").write_bytes(encoded(photo("coffee", side_px=50), "JPEG"))
    return source


def results(out: Path) -> list[str]:
    return sorted(str(path.relative_to(out)) for path in out.rglob("[!.]*") if path.is_file())


def test_folder_is_done_by_the_service(folder: Path, tmp_path: Path, service: ServiceClient) -> None:
    out = tmp_path / "out"
    command = ("upscale", folder, "-o", out, "--server", service.base_url, "--parallel", "2")
    first = pixelmend(*command, PIXELMEND_DEVICE="cuda:7")  # which only this machine would have to have
    assert first.returncode == 1, first.stdout + first.stderr
    assert "1 of 5 files failed" in first.stdout
    assert "bad.png" in first.stdout
    assert results(out) == ["0.png", "1.png", "2.png", "deep/b.png"]
    alone = service.client.post("/api/upscale", files={"file": (folder / "1.png").read_bytes()})
    assert (out / "1.png").read_bytes() == alone.content
    again = pixelmend(*command)
    assert "4 already done" in again.stdout


@pytest.mark.full
def test_options_reach_the_service(folder: Path, tmp_path: Path, service: ServiceClient) -> None:
    out = tmp_path / "out"
    options = ("--width", "90", "--format", "webp", "--quality", "70")
    done = pixelmend("upscale", folder / "0.png", "-o", out, "--server", service.base_url + "/", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert decoded((out / "0.webp").read_bytes()).shape == (90, 90, 3)


@pytest.mark.full
def test_no_such_service_is_said_at_once(folder: Path, tmp_path: Path, service: ServiceClient) -> None:
    for url, words in (
        ("http://127.0.0.1:9", "does not answer"),
        ("nonsense", "does not answer"),
        (f"{service.base_url}/docs", "no Pixelmend service"),
    ):
        refused = pixelmend("upscale", folder, "-o", tmp_path / "out", "--server", url)
        assert refused.returncode == 2, refused.stdout
        assert words in refused.stderr


@pytest.mark.full
def test_key_is_sent_and_its_lack_said_once(folder: Path, tmp_path: Path) -> None:
    with service_in_threads(tmp_path / "in", api_keys="secret") as keyed:
        command = ("upscale", folder / "0.png", "-o", tmp_path / "out", "--server", keyed.base_url)
        refused = pixelmend(*command)
        assert (refused.returncode, "Authorization" in refused.stderr) == (2, True)
        wrong = pixelmend(*command, "--key", "guess")
        assert (wrong.returncode, "not one of" in wrong.stderr) == (2, True)
        assert pixelmend(*command, PIXELMEND_API_KEY="secret").returncode == 0


@contextmanager
def relay(port: int, cut_after_bytes: list[int]) -> Iterator[str]:
    """A way to the service that breaks: the n-th connection ends after so many bytes of answer; later ones
    hold.
    """
    cuts = iter(cut_after_bytes)

    def carry(source: socket.socket, target: socket.socket, limit_bytes: float) -> None:
        with suppress(OSError):
            while limit_bytes > 0 and (data := source.recv(65536)):
                target.sendall(data[: int(min(limit_bytes, len(data)))])
                limit_bytes -= len(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    ends: list[socket.socket] = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", port))
                ends.extend((client, server))
                limit = next(cuts, float("inf"))
                threading.Thread(target=carry, args=(client, server, float("inf")), daemon=True).start()
                threading.Thread(target=carry, args=(server, client, limit), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        acceptor = threading.Thread(target=serve)
        acceptor.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        acceptor.join()
    for end in ends:
        end.close()


@pytest.mark.full
def test_broken_connections_cost_an_attempt_and_no_bytes_twice(
    tmp_path: Path, service: ServiceClient
) -> None:
    source = tmp_path / "large.png"
    source.write_bytes(encoded(photo("coffee", side_px=300, left=0, top=0)))
    port = int(service.base_url.rsplit(":", 1)[1])
    ranges = service.log.count('"status": 206')
    # Connections are used again and again, so both end amid the result.
    with relay(port, [100_000, 100_000]) as url:
        done = pixelmend("upscale", source, "-o", tmp_path / "out", "--server", url)
    assert done.returncode == 0, done.stdout + done.stderr
    alone = service.client.post("/api/upscale", files={"file": source.read_bytes()})
    assert (tmp_path / "out" / "large.png").read_bytes() == alone.content
    assert results(tmp_path / "out") == ["large.png"]
    assert service.log.count('"status": 206') > ranges, "the download began again"


@pytest.mark.full
def test_service_that_is_killed_meanwhile_is_waited_for(folder: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for n in range(3):
        (folder / f"{n}.png").write_bytes(encoded(photo("coffee", side_px=300, left=30 * n, top=0)))
    (folder / "bad.png").unlink()
    with running_service(home, worker_jobs=1) as first:
        port = first.base_url.rsplit(":", 1)[1]
        command = [sys.executable, "-m", "pixelmend.cli", "upscale", folder, "-o", tmp_path / "out"]
        client = subprocess.Popen(
            [*map(str, command), "--server", first.base_url],
            env={k: v for k, v in os.environ.items() if not k.startswith("PIXELMEND_")},
            stdout=subprocess.PIPE,
            text=True,
        )
        first.wait_until("a running job", running=1)
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
    with running_service(home, worker_jobs=1, port=port):
        output, _ = client.communicate(timeout=120)
    assert client.returncode == 0, output
    assert results(tmp_path / "out") == ["0.png", "1.png", "2.png", "deep/b.png"]


@pytest.mark.full
def test_full_queue_is_waited_for(folder: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with service_in_threads(home, max_queue_jobs=1) as narrow:
        (folder / "bad.png").unlink()
        done = pixelmend("upscale", folder, "-o", tmp_path / "out", "--server", narrow.base_url)
        assert done.returncode == 0, done.stdout
        assert len(results(tmp_path / "out")) == 4
        assert '"status": 503' in narrow.log, "the queue was never full; this proves nothing"


@pytest.mark.full
def test_recipe_of_the_service_names_the_results(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    recipes = '{"web": {"scale": 2, "format": "webp"}}'
    with service_in_threads(tmp_path / "home", recipes=recipes) as service:
        command = ("upscale", folder / "0.png", "--server", service.base_url, "--recipe")
        done = pixelmend(*command, "web", "-o", tmp_path / "out")
        assert done.returncode == 0, done.stdout + done.stderr
        assert results(tmp_path / "out") == ["0.webp"]
        assert decoded((tmp_path / "out" / "0.webp").read_bytes()).shape == (120, 120, 3)
        named = pixelmend(*command, "web", "-o", tmp_path / "named", "--format", "png")
        assert (named.returncode, results(tmp_path / "named")) == (0, ["0.png"])
        unknown = pixelmend(*command, "print", "-o", tmp_path / "out")
        assert (unknown.returncode, "there are: web" in unknown.stderr) == (2, True)
