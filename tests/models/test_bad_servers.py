"""Servers that break off, lie, change their minds or send something else: the file is right or absent."""

import gzip
import hashlib
import random
import re
from collections.abc import Callable
from pathlib import Path
from threading import Event

import httpx
import pytest

from pixelmend.core.errors import DownloadFailed
from pixelmend.models.download import RetryPolicy, download
from pixelmend.models.remote import RemoteFile
from tests.models.downloads import CONTENT, names, remote
from tests.models.server import Answer, Exchange, FileServer, Honest, always, in_turn, running_server

OTHER = random.Random(2).randbytes(300_000)
IMPATIENT = RetryPolicy(attempts=3, first_delay_s=0)
RESUMED = "bytes=100000-"


def fetch(server: FileServer, folder: Path, *answers: Answer, client: httpx.Client | None = None) -> bytes:
    """What is in place after a download that asked every one of `answers` as an address of its own."""
    urls = []
    for number, answer in enumerate(answers):
        server.answers[f"/{number}/m.pth"] = answer
        urls.append(f"{server.url}/{number}/m.pth")
    return fetch_from(folder, *urls, client=client)


def fetch_from(folder: Path, *urls: str, client: httpx.Client | None = None) -> bytes:
    file = RemoteFile(
        folder / "m.pth", "https://origin/m.pth", urls, len(CONTENT), hashlib.sha256(CONTENT).hexdigest()
    )
    with client or httpx.Client(timeout=5) as used:
        assert download(
            file, used, on_progress=lambda done, total: None, cancelled=Event(), retries=IMPATIENT
        )
    return file.path.read_bytes()


# --- broken connections -----------------------------------------------------------------------------------


def test_a_broken_connection_is_resumed_where_it_broke(server: FileServer, tmp_path: Path) -> None:
    assert fetch(server, tmp_path, Honest(CONTENT, break_after_bytes=[100_000, 50_000])) == CONTENT
    assert server.asked_ranges() == [None, RESUMED, "bytes=150000-"]
    assert [headers.get("If-Range") for _, headers in server.requests] == [None, '"v1"', '"v1"']
    assert names(tmp_path) == ["m.pth"]


def test_a_date_will_do_where_there_is_no_strong_etag(server: FileServer, tmp_path: Path) -> None:
    date = "Sat, 01 Nov 2025 10:00:00 GMT"
    origin = Honest(CONTENT, {"ETag": 'W/"weak"', "Last-Modified": date}, break_after_bytes=[100_000])
    assert fetch(server, tmp_path, origin) == CONTENT
    assert server.asked_ranges() == [None, RESUMED]
    assert server.requests[1][1]["If-Range"] == date


def test_without_a_validator_it_begins_again(server: FileServer, tmp_path: Path) -> None:
    assert fetch(server, tmp_path, Honest(CONTENT, {}, break_after_bytes=[100_000])) == CONTENT
    assert server.asked_ranges() == [None, None]


def test_attempts_in_vain_are_counted_and_end(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match=r"/0/m.pth: .*\(3 attempts in vain\)"):
        fetch(server, tmp_path, Honest(CONTENT, break_after_bytes=[100_000] + [0] * 99))
    assert server.asked_ranges() == [None, RESUMED, RESUMED]
    # What has arrived stays for the next time, which asks for the rest only.
    assert names(tmp_path) == ["m.pth.part", "m.pth.part.json"]
    assert fetch(server, tmp_path, Honest(CONTENT)) == CONTENT
    assert server.asked_ranges()[-1] == RESUMED


def test_attempts_that_bring_something_are_not_in_vain(server: FileServer, tmp_path: Path) -> None:
    server.answers["/m.pth"] = Honest(CONTENT, break_after_bytes=[30_000] * 9)
    file = remote(server, tmp_path)
    steady = RetryPolicy(attempts=2, first_delay_s=0, progress_bytes=30_000)
    with httpx.Client() as client:
        download(file, client, on_progress=lambda _, __: None, cancelled=Event(), retries=steady)
    assert len(server.requests) == 10
    assert file.path.read_bytes() == CONTENT


def test_beginning_again_and_again_is_in_vain(server: FileServer, tmp_path: Path) -> None:
    """Each attempt brings much, but never more than the first."""
    server.answers["/m.pth"] = Honest(CONTENT, {}, break_after_bytes=[299_999] * 99)
    strict = RetryPolicy(attempts=3, first_delay_s=0, progress_bytes=1000)
    with httpx.Client() as client, pytest.raises(DownloadFailed, match="3 attempts in vain"):
        download(
            remote(server, tmp_path),
            client,
            on_progress=lambda _, __: None,
            cancelled=Event(),
            retries=strict,
        )
    assert len(server.requests) == 3


def test_a_busy_server_is_asked_again(server: FileServer, tmp_path: Path) -> None:
    assert fetch(server, tmp_path, in_turn(always(503), always(429), Honest(CONTENT))) == CONTENT


def test_a_silent_server_is_given_up(server: FileServer, tmp_path: Path) -> None:
    end = Event()

    def silent(exchange: Exchange) -> None:
        exchange.begin(200, {"Content-Length": str(len(CONTENT))})
        exchange.wfile.write(CONTENT[:10])
        end.wait(60)

    try:
        with pytest.raises(DownloadFailed, match=r"/m.pth: timed out .3 attempts in vain"):
            fetch(server, tmp_path, silent, client=httpx.Client(timeout=0.1))
    finally:
        end.set()


def test_nobody_listening_is_said_with_what_to_do_by_hand(tmp_path: Path) -> None:
    with running_server() as gone:
        url = gone.url + "/m.pth"
    by_hand = re.escape(f"By hand: get https://origin/m.pth and put it at {tmp_path / 'm.pth'}")
    with pytest.raises(DownloadFailed, match=f"^m.pth was not downloaded: {url}: .*refused.*{by_hand}$"):
        fetch_from(tmp_path, url)
    assert names(tmp_path) == []


# --- ranges -----------------------------------------------------------------------------------------------


def test_a_server_that_ignores_ranges_gives_all_of_it_again(server: FileServer, tmp_path: Path) -> None:
    ignorant = always(200, CONTENT, ETag='"v1"')
    answer = in_turn(Honest(CONTENT, break_after_bytes=[100_000]), ignorant)
    assert fetch(server, tmp_path, answer) == CONTENT
    assert server.asked_ranges() == [None, RESUMED]


def test_a_file_that_changed_between_attempts_is_begun_again(server: FileServer, tmp_path: Path) -> None:
    before = Honest(OTHER, {"ETag": '"v0"'}, break_after_bytes=[100_000])
    assert fetch(server, tmp_path, in_turn(before, Honest(CONTENT))) == CONTENT
    assert server.asked_ranges() == [None, RESUMED]


def test_a_file_that_changed_behind_an_unchanged_etag_is_begun_again(
    server: FileServer, tmp_path: Path
) -> None:
    before = Honest(OTHER, break_after_bytes=[100_000])
    assert fetch(server, tmp_path, in_turn(before, Honest(CONTENT))) == CONTENT
    assert server.asked_ranges() == [None, RESUMED, None]


def test_a_range_that_cannot_be_satisfied_begins_again(server: FileServer, tmp_path: Path) -> None:
    answer = in_turn(Honest(CONTENT, break_after_bytes=[100_000]), always(416), Honest(CONTENT))
    assert fetch(server, tmp_path, answer) == CONTENT
    assert server.asked_ranges() == [None, RESUMED, None]


@pytest.mark.parametrize("given", ["bytes 0-299999/300000", "bytes 100000-299999/300001", "", "bytes */1"])
def test_another_range_than_the_one_asked_for_is_not_appended(
    server: FileServer, tmp_path: Path, given: str
) -> None:
    wrong = always(206, CONTENT[100_000:], Content_Range=given)
    answer = in_turn(Honest(CONTENT, break_after_bytes=[100_000]), wrong, Honest(CONTENT))
    assert fetch(server, tmp_path, answer) == CONTENT
    assert server.asked_ranges() == [None, RESUMED, None]


# --- something else than the file -------------------------------------------------------------------------


def with_one_byte_changed() -> bytes:
    return CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])


def endless(exchange: Exchange) -> None:
    exchange.begin(200, {"Connection": "close"})
    while True:  # until the client has had enough
        exchange.wfile.write(OTHER)


def unasked_gzip(exchange: Exchange) -> None:
    exchange.whole(200, {"Content-Encoding": "gzip"}, gzip.compress(CONTENT))


PAGE = b"<!DOCTYPE html><html>Please sign in</html>"


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (
            always(200, PAGE, Content_Type="text/html; charset=utf-8"),
            r"answers with a web page \(text/html\)",
        ),
        (always(200, PAGE.ljust(300_000)), "answers with a web page, not with the file"),
        (
            always(200, b"version https://git-lfs".ljust(300_000)),
            "answers with a Git LFS pointer, not with the file",
        ),
        (always(200, with_one_byte_changed()), "sha256 is [0-9a-f]{64}, the catalog says [0-9a-f]{64}"),
        (always(200, CONTENT[:-1]), "announces 299999 bytes, the catalog says 300000"),
        (always(200, CONTENT + b"!"), "announces 300001 bytes, the catalog says 300000"),
        (endless, "sends more than the 300000 bytes that the catalog says"),
        (unasked_gzip, "sends the file encoded as 'gzip'"),
        (always(404), "HTTP 404 Not Found"),
        (always(403), "HTTP 403 Forbidden"),
        (always(204), "HTTP 204 No Content"),
        (always(206, CONTENT), "HTTP 206 Partial Content"),
        (always(416), "HTTP 416"),
    ],
)
def test_something_else_is_refused_by_name_at_once_and_does_not_stay(
    server: FileServer, tmp_path: Path, answer: Answer, problem: str
) -> None:
    with pytest.raises(DownloadFailed, match=f"m.pth was not downloaded: http://[^ ]*/0/m.pth: {problem}"):
        fetch(server, tmp_path, answer)
    assert names(tmp_path) == []
    assert len(server.requests) == 1
    # The next address has it.
    assert fetch(server, tmp_path, answer, Honest(CONTENT)) == CONTENT


def test_a_file_that_stays_too_short_is_given_up(server: FileServer, tmp_path: Path) -> None:
    def short(exchange: Exchange) -> None:
        exchange.begin(200, {"Connection": "close"})
        exchange.wfile.write(CONTENT[:5000])
        exchange.break_off()

    with pytest.raises(DownloadFailed, match=r"broke off after 5000 of 300000 bytes .3 attempts in vain"):
        fetch(server, tmp_path, short)


def test_no_compression_is_asked_for(server: FileServer, tmp_path: Path) -> None:
    def polite(exchange: Exchange) -> None:
        gladly = "gzip" in exchange.headers.get("Accept-Encoding", "gzip")
        (unasked_gzip if gladly else Honest(CONTENT))(exchange)

    assert fetch(server, tmp_path, polite) == CONTENT


# --- redirects --------------------------------------------------------------------------------------------


def redirect(place: Callable[[], str]) -> Answer:
    return lambda exchange: exchange.whole(302, {"Location": place()}, b"")


def test_redirects_are_followed_with_the_range(server: FileServer, tmp_path: Path) -> None:
    server.answers["/store"] = Honest(CONTENT, break_after_bytes=[100_000])
    assert fetch(server, tmp_path, redirect(lambda: "/store")) == CONTENT
    ranges = [(path, headers.get("Range")) for path, headers in server.requests]
    assert ranges == [("/0/m.pth", None), ("/store", None), ("/0/m.pth", RESUMED), ("/store", RESUMED)]


def test_a_ring_of_redirects_ends(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match="more than 10 redirects"):
        fetch(server, tmp_path, redirect(lambda: "/0/m.pth"))
    assert len(server.requests) == 11


class WithoutTls(httpx.HTTPTransport):
    """Speaks plain HTTP to servers that the client believes to reach over TLS."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        plain = request.url.copy_with(scheme="http")
        return super().handle_request(
            httpx.Request("GET", plain, headers=request.headers, extensions=request.extensions)
        )


@pytest.mark.parametrize("to", ["https", "http"])
def test_a_redirect_from_https_to_http_is_refused(server: FileServer, tmp_path: Path, to: str) -> None:
    server.answers["/store"] = Honest(CONTENT)
    server.answers["/m.pth"] = redirect(lambda: server.url.replace("http", to) + "/store")
    address = server.url.replace("http", "https") + "/m.pth"
    client = httpx.Client(mounts={"https://": WithoutTls()})
    if to == "https":
        assert fetch_from(tmp_path, address, client=client) == CONTENT
    else:
        with pytest.raises(DownloadFailed, match="redirects from https to http"):
            fetch_from(tmp_path, address, client=client)
        assert [path for path, _ in server.requests] == ["/m.pth"]
        assert names(tmp_path) == []


@pytest.mark.parametrize("url", ["ftp://host/m.pth", "nonsense", "http://[::/m.pth"])
def test_an_address_that_is_none_is_not_asked_twice(tmp_path: Path, url: str) -> None:
    with pytest.raises(DownloadFailed, match=r"m.pth was not downloaded") as failure:
        fetch_from(tmp_path, url)
    assert "in vain" not in failure.value.message
