"""A file's way into its place: whole or absent, stopped, without room."""

import re
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event

import httpx
import pytest

from pixelmend.core.errors import Cancelled, DownloadFailed, StorageFull
from pixelmend.models.download import RetryPolicy, download
from tests.models.downloads import CONTENT, Halfway, fetch, names, remote
from tests.models.server import Exchange, FileServer, Honest

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
    for name in ("m.pth", "m.pth.part", "m.pth.part.json"):
        (tmp_path / name).write_bytes(CONTENT)
    assert not fetch(remote(server, tmp_path))
    assert server.requests == []
    assert names(tmp_path) == ["m.pth"]


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
    slow = RetryPolicy(first_delay_s=3600, largest_delay_s=3600)
    with httpx.Client() as client, pytest.raises(Cancelled):
        download(
            remote(server, tmp_path),
            client,
            on_progress=lambda _, __: None,
            cancelled=stop,
            retries=slow,
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
    with files_no_larger_than(200_000), pytest.raises(StorageFull, match="no room left while writing"):
        fetch(remote(server, tmp_path))
    assert names(tmp_path) == []


def test_a_models_directory_that_cannot_be_written_is_named(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    where = re.escape(str(tmp_path / "models" / "m.pth"))
    with pytest.raises(DownloadFailed, match=f"^{where} cannot be written: "):
        fetch(remote(server, tmp_path / "models"))
    assert server.requests == []
