"""A file's way into its place: alone, beside others, stopped, without room."""

import hashlib
import random
import re
import resource
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event

import httpx
import pytest

from pixelmend.errors import Cancelled, DownloadFailed, StorageFull
from pixelmend.models.download import RetryPolicy, download
from pixelmend.models.fetching import fetch_all
from pixelmend.models.partial import remove_partial
from pixelmend.models.remote import RemoteFile
from tests.models.server import Exchange, FileServer, Honest, always, running_server

CONTENT = random.Random(1).randbytes(300_000)
HALF = 150_000
IMPATIENT = RetryPolicy(attempts=2, first_delay_s=0)


@pytest.fixture
def server() -> Iterator[FileServer]:
    with running_server() as running:
        yield running


def remote(server: FileServer, folder: Path, name: str = "m.pth") -> RemoteFile:
    url = f"{server.url}/{name}"
    return RemoteFile(folder / name, url, (url,), len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


def fetch(
    file: RemoteFile,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    cancelled: Event | None = None,
) -> bool:
    with httpx.Client() as client:
        return download(
            file, client, on_progress=on_progress, cancelled=cancelled or Event(), retries=IMPATIENT
        )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class Halfway:
    """Gives the first half at once, and the rest when `go_on` is set; ranges as they are asked for."""

    def __init__(self) -> None:
        self.go_on = Event()
        self._honest = Honest(CONTENT)

    def __call__(self, exchange: Exchange) -> None:
        if exchange.headers.get("Range"):
            self._honest(exchange)
            return
        exchange.begin(200, {"Content-Length": str(len(CONTENT)), "ETag": '"v1"'})
        exchange.wfile.write(CONTENT[:HALF])
        exchange.wfile.flush()
        self.go_on.wait(60)
        exchange.wfile.write(CONTENT[HALF:])


# --- alone ------------------------------------------------------------------------------------------------


def test_a_file_arrives_whole_and_progress_tells_how_far(server: FileServer, tmp_path: Path) -> None:
    server.answers["/m.pth"] = Honest(CONTENT)
    seen: list[tuple[int, int]] = []
    folder = tmp_path / "made" / "for it"
    assert fetch(remote(server, folder), lambda done, total: seen.append((done, total)))
    assert (folder / "m.pth").read_bytes() == CONTENT
    assert names(folder) == ["m.pth"]
    assert seen == sorted(seen)
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_a_file_that_is_there_is_not_asked_for(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "m.pth").write_bytes(CONTENT)
    assert not fetch(remote(server, tmp_path))
    assert server.requests == []


def test_a_wrong_file_in_its_place_is_replaced(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "m.pth").write_bytes(CONTENT[:-1] + b"!")
    server.answers["/m.pth"] = Honest(CONTENT)
    assert fetch(remote(server, tmp_path))
    assert (tmp_path / "m.pth").read_bytes() == CONTENT


def test_a_complete_part_needs_no_request(server: FileServer, tmp_path: Path) -> None:
    """Killed between the last byte and the renaming."""
    (tmp_path / "m.pth.part").write_bytes(CONTENT)
    assert fetch(remote(server, tmp_path))
    assert server.requests == []
    assert names(tmp_path) == ["m.pth"]


@pytest.mark.parametrize("rubbish", [b"", b"x", CONTENT[:-1] + b"!", CONTENT + CONTENT])
@pytest.mark.parametrize("origin", [None, b"", b"[1]", b'{"url": 1}', b"\xff\x00"])
def test_rubbish_left_in_the_part_does_no_harm(
    server: FileServer, tmp_path: Path, rubbish: bytes, origin: bytes | None
) -> None:
    (tmp_path / "m.pth.part").write_bytes(rubbish)
    if origin is not None:
        (tmp_path / "m.pth.part.json").write_bytes(origin)
    server.answers["/m.pth"] = Honest(CONTENT)
    assert fetch(remote(server, tmp_path))
    assert (tmp_path / "m.pth").read_bytes() == CONTENT
    assert names(tmp_path) == ["m.pth"]


def test_what_one_address_began_is_not_completed_by_another(server: FileServer, tmp_path: Path) -> None:
    """Its validator means nothing there."""
    server.answers["/m.pth"] = Honest(CONTENT, break_after_bytes=[1000, 0])
    server.answers["/mirror"] = Honest(CONTENT)
    file = remote(server, tmp_path)
    assert fetch(replace(file, urls=(*file.urls, f"{server.url}/mirror")))
    assert server.asked_ranges() == [None, "bytes=1000-", None]


def test_a_password_in_an_address_is_used_and_not_shown(server: FileServer, tmp_path: Path) -> None:
    server.answers["/m.pth"] = Honest(CONTENT, break_after_bytes=[1000, 0])
    url = server.url.replace("://", "://me:secret@") + "/m.pth"
    with pytest.raises(DownloadFailed, match="attempts in vain") as failure:
        fetch(replace(remote(server, tmp_path), urls=(url,)))
    assert server.requests[0][1]["Authorization"].startswith("Basic ")
    assert "secret" not in failure.value.message
    assert "secret" not in (tmp_path / "m.pth.part.json").read_text()
    assert server.asked_ranges() == [None, "bytes=1000-"]


# --- stopped, or without room -----------------------------------------------------------------------------


def test_stopping_keeps_what_has_arrived(server: FileServer, tmp_path: Path) -> None:
    server.answers["/m.pth"] = halfway = Halfway()
    stop = Event()
    try:
        with pytest.raises(Cancelled, match=r"^m.pth: the download was stopped"):
            fetch(remote(server, tmp_path), lambda done, total: stop.set(), stop)
    finally:
        halfway.go_on.set()
    assert names(tmp_path) == ["m.pth.part", "m.pth.part.json"]
    arrived = (tmp_path / "m.pth.part").stat().st_size
    assert fetch(remote(server, tmp_path))
    assert server.asked_ranges() == [None, f"bytes={arrived}-"]


def test_stopping_ends_the_wait_between_two_attempts(server: FileServer, tmp_path: Path) -> None:
    stop = Event()

    def busy(exchange: Exchange) -> None:
        exchange.whole(503, {}, b"")
        stop.set()

    server.answers["/m.pth"] = busy
    patient = RetryPolicy(first_delay_s=3600, largest_delay_s=3600)
    with httpx.Client() as client, pytest.raises(Cancelled):
        download(
            remote(server, tmp_path),
            client,
            on_progress=lambda _, __: None,
            cancelled=stop,
            retries=patient,
        )
    assert names(tmp_path) == []


def test_a_file_larger_than_the_disk_is_not_begun(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(StorageFull, match=r"m.pth needs 1000000000000000000 bytes; the disk has \d+ free"):
        fetch(replace(remote(server, tmp_path), size_bytes=10**18))
    assert server.requests == []
    assert names(tmp_path) == []


@contextmanager
def files_no_larger_than(limit_bytes: int) -> Iterator[None]:
    """Writes beyond it fail the way they do on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_a_disk_that_fills_up_meanwhile_is_named_and_nothing_stays(
    server: FileServer, tmp_path: Path
) -> None:
    server.answers["/m.pth"] = Honest(CONTENT)
    with files_no_larger_than(200_000), pytest.raises(StorageFull, match="no room left while writing m.pth"):
        fetch(remote(server, tmp_path))
    assert names(tmp_path) == []


def test_a_models_directory_that_cannot_be_written_is_named(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    where = re.escape(str(tmp_path / "models" / "m.pth"))
    with pytest.raises(DownloadFailed, match=f"^{where} cannot be written: "):
        fetch(remote(server, tmp_path / "models"))
    assert server.requests == []


# --- beside others ----------------------------------------------------------------------------------------

ELSEWHERE = """
    import sys
    from pathlib import Path
    from threading import Event
    import httpx
    from pixelmend.models.download import RetryPolicy, download
    from pixelmend.models.remote import RemoteFile
    url, path, size_bytes, sha256 = sys.argv[1:]
    file = RemoteFile(Path(path), url, (url,), int(size_bytes), sha256)
    def tell(done_bytes, total_bytes):
        print(done_bytes, flush=True)
    print(download(file, httpx.Client(), on_progress=tell, cancelled=Event(), retries=RetryPolicy()))
"""


@contextmanager
def another_process(file: RemoteFile) -> Iterator["subprocess.Popen[str]"]:
    """Downloads the same file."""
    arguments = [file.origin, str(file.path), str(file.size_bytes), file.sha256]
    program = [sys.executable, "-c", textwrap.dedent(ELSEWHERE), *arguments]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for_half(process: "subprocess.Popen[str]") -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= HALF:
            return
    raise AssertionError("the other process has ended")


def test_two_processes_share_one_download(server: FileServer, tmp_path: Path) -> None:
    server.answers["/m.pth"] = halfway = Halfway()
    file = remote(server, tmp_path)
    waited_at: list[int] = []

    def on_progress(done_bytes: int, total_bytes: int) -> None:
        waited_at.append(done_bytes)
        halfway.go_on.set()

    with another_process(file) as other:
        wait_for_half(other)
        assert not fetch(file, on_progress)
        assert other.stdout is not None
        assert other.stdout.read().endswith("True\n")
    assert waited_at[0] == HALF
    assert len(server.requests) == 1
    assert file.path.read_bytes() == CONTENT
    assert names(tmp_path) == ["m.pth"]


def test_a_killed_process_leaves_its_part_to_the_next(server: FileServer, tmp_path: Path) -> None:
    server.answers["/m.pth"] = halfway = Halfway()
    file = remote(server, tmp_path)
    with another_process(file) as other:
        wait_for_half(other)
        other.kill()
        other.wait()
        assert fetch(file)
    halfway.go_on.set()
    assert server.asked_ranges() == [None, f"bytes={HALF}-"]
    assert file.path.read_bytes() == CONTENT


def test_a_part_is_removed_only_while_nobody_works_on_it(server: FileServer, tmp_path: Path) -> None:
    server.answers["/m.pth"] = halfway = Halfway()
    file = remote(server, tmp_path)
    half_is_here = Event()
    with ThreadPoolExecutor(1) as thread:
        working = thread.submit(fetch, file, lambda done, _: half_is_here.set() if done >= HALF else None)
        assert half_is_here.wait(60)
        assert not remove_partial(file.path)
        halfway.go_on.set()
        assert working.result(60)
    assert not remove_partial(file.path)
    (tmp_path / "m.pth.part").write_bytes(b"left")
    (tmp_path / "m.pth.part.json").write_bytes(b"left")
    assert remove_partial(file.path)
    assert names(tmp_path) == ["m.pth"]


def test_many_at_once_get_one_whole_file(server: FileServer, tmp_path: Path) -> None:
    """Each of them may find the partial file renamed under its hands."""
    server.answers["/m.pth"] = Honest(CONTENT)
    with ThreadPoolExecutor(8) as threads:
        fresh = list(threads.map(fetch, [remote(server, tmp_path)] * 8))
    assert fresh.count(True) == 1
    assert len(server.requests) == 1
    assert names(tmp_path) == ["m.pth"]


def test_one_file_that_fails_does_not_keep_the_others(server: FileServer, tmp_path: Path) -> None:
    server.answers |= {"/a": Honest(CONTENT), "/b": always(404), "/c": Honest(CONTENT)}
    (tmp_path / "d").write_bytes(CONTENT)
    files = [remote(server, tmp_path, name) for name in "abcd"]
    with httpx.Client() as client:
        ended = fetch_all(
            files,
            client,
            on_start=lambda file: lambda done, total: None,
            cancelled=Event(),
            retries=IMPATIENT,
        )
        outcomes = {fetched.file.path.name: fetched for fetched in ended}
    assert {name: o.fresh for name, o in outcomes.items()} == {"a": True, "b": False, "c": True, "d": False}
    assert [name for name, o in outcomes.items() if o.error] == ["b"]
    assert names(tmp_path) == ["a", "c", "d"]


def test_no_more_than_so_many_at_one_time(server: FileServer, tmp_path: Path) -> None:
    together = threading.Barrier(2)
    unanswered: list[Exchange] = []
    most = 0

    def only_in_pairs(exchange: Exchange) -> None:
        nonlocal most
        unanswered.append(exchange)
        together.wait(60)
        most = max(most, len(unanswered))
        together.wait(60)
        unanswered.remove(exchange)
        Honest(CONTENT)(exchange)

    files = [remote(server, tmp_path, name) for name in "abcd"]
    server.answers |= {f"/{name}": only_in_pairs for name in "abcd"}
    with httpx.Client() as client:
        ended = fetch_all(
            files,
            client,
            on_start=lambda file: lambda done, total: None,
            cancelled=Event(),
            retries=RetryPolicy(attempts=1),
            parallel=2,
        )
        assert [fetched.error for fetched in ended] == [None] * 4
    assert most == 2


def test_ending_early_stops_the_rest(server: FileServer, tmp_path: Path) -> None:
    server.answers |= {"/a": Honest(CONTENT), "/b": (halfway := Halfway())}
    stop = Event()
    half_is_here = Event()
    with httpx.Client() as client:
        ended = fetch_all(
            [remote(server, tmp_path, "a"), remote(server, tmp_path, "b")],
            client,
            on_start=lambda file: lambda done, _: half_is_here.set() if file.path.name == "b" else None,
            cancelled=stop,
            retries=IMPATIENT,
        )
        assert next(ended).file.path.name == "a"
        assert half_is_here.wait(60)
        stopper = threading.Thread(target=lambda: stop.wait(60) and halfway.go_on.set())
        stopper.start()
        ended.close()  # type: ignore[attr-defined]
        stopper.join()
    assert stop.is_set()
    assert names(tmp_path) == ["a", "b.part", "b.part.json"]
