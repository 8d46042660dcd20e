"""Several downloads at one time, of one file or of many, in one process or in two."""

import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import httpx

from pixelmend.models.download import RetryPolicy
from pixelmend.models.fetching import fetch_all
from pixelmend.models.partial import held_partial, remove_partial
from pixelmend.models.remote import RemoteFile
from tests.models.downloads import CONTENT, HALF, IMPATIENT, Halfway, fetch, names, remote
from tests.models.server import Exchange, FileServer, Honest, always

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


def test_a_partial_file_belongs_to_one_at_a_time(tmp_path: Path) -> None:
    """Though it is removed and made again all the time, between the opening and the locking of others."""
    inside: list[int] = []
    crowds: list[list[int]] = []

    def come_and_go(number: int) -> None:
        for _ in range(300):
            with held_partial(tmp_path / "m.pth", lambda arrived: None) as part:
                inside.append(number)
                part.append(bytes(100_000))
                part.clear()
                if len(inside) > 1:
                    crowds.append(list(inside))
                inside.remove(number)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(come_and_go, range(4)))
    assert crowds == []
    assert names(tmp_path) == []


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


def _follow(first: Event, second: Event) -> None:
    first.wait(60)
    second.set()


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
        stopper = threading.Thread(target=_follow, args=(stop, halfway.go_on))
        stopper.start()
        ended.close()
        stopper.join()
    assert stop.is_set()
    assert names(tmp_path) == ["a", "b.part", "b.part.json"]
