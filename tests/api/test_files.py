"""Conditions and ranges of requests for files, as RFC 9110 has them."""

from email.utils import formatdate, parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path

import pytest
from starlette.exceptions import HTTPException

from pixelmend.api.files import satisfiable, status_by_conditions
from tests.api.test_refusals import check_problem
from tests.pictures import encoded, photo
from tests.service import ServiceClient

TAG = '"a"'
MODIFIED_S = 1_000_000_000
NOW, EARLIER, LATER = (formatdate(MODIFIED_S + s, usegmt=True) for s in (0, -60, 60))


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({}, None),
        ({"if-none-match": TAG}, 304),
        ({"if-none-match": '"b", W/"a"'}, 304),
        ({"if-none-match": "*"}, 304),
        ({"if-none-match": '"b"'}, None),
        ({"if-none-match": '"b"', "if-modified-since": LATER}, None),  # the tag alone counts then
        ({"if-modified-since": NOW}, 304),
        ({"if-modified-since": LATER}, 304),
        ({"if-modified-since": EARLIER}, None),
        ({"if-modified-since": "yesterday"}, None),
        ({"if-match": TAG}, None),
        ({"if-match": "*"}, None),
        ({"if-match": '"b", "c"'}, 412),
        ({"if-match": 'W/"a"'}, 412),  # a weak tag is none to this condition
        ({"if-match": TAG, "if-none-match": TAG}, 304),
        ({"if-match": TAG, "if-unmodified-since": EARLIER}, None),
        ({"if-unmodified-since": EARLIER}, 412),
        ({"if-unmodified-since": NOW}, None),
        ({"if-unmodified-since": "never"}, None),
    ],
)
def test_conditions(asked: dict[str, str], status: int | None) -> None:
    assert status_by_conditions(asked, TAG, NOW) == status


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("bytes=0-9", "bytes=0-9"),
        ("Bytes = 3-", "bytes=3-"),
        ("bytes=-5", "bytes=-5"),
        ("bytes=-500", "bytes=-500"),
        ("bytes=0-1, 90-200,200-", "bytes=0-1,90-200"),
        # What is not understood does not count.
        ("chunks=1-2", None),
        ("bytes", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=5-1", None),
        ("bytes=a-b", None),
        ("bytes=0-1,x", None),
        (f"bytes={'9' * 5000}-", None),
    ],
)
def test_ranges_of_a_hundred_bytes(wanted: str, found: str | None) -> None:
    assert satisfiable(wanted, 100) == found


@pytest.mark.parametrize("wanted", ["bytes=100-", "bytes=-0", "bytes=200-300,400-"])
def test_ranges_beyond_the_file_are_refused(wanted: str) -> None:
    with pytest.raises(HTTPException, match="has nothing of the file's 100 bytes") as refused:
        satisfiable(wanted, 100)
    assert refused.value.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    assert refused.value.headers == {"Content-Range": "bytes */100"}


def test_nothing_of_an_empty_file_can_be_ranged() -> None:
    for wanted in ("bytes=0-", "bytes=-5"):
        with pytest.raises(HTTPException):
            satisfiable(wanted, 0)


def test_a_result_is_sent_as_it_is_asked_for(service: ServiceClient, tmp_path: Path) -> None:
    files = {"file": encoded(photo(side_px=40))}
    job = service.client.post("/api/jobs", data={"task": "upscale"}, files=files).json()["id"]
    service.ended_job(job)
    path = f"/api/jobs/{job}/result"
    whole = service.client.get(path)
    etag, modified = whole.headers["etag"], whole.headers["last-modified"]
    earlier = formatdate(parsedate_to_datetime(modified).timestamp() - 60, usegmt=True)

    known = service.client.get(path, headers={"If-Modified-Since": modified})
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", etag)
    assert known.headers["cache-control"] == whole.headers["cache-control"]
    assert service.client.get(path, headers={"If-Modified-Since": earlier}).content == whole.content
    changed = service.client.get(path, headers={"If-Match": '"another"'})
    check_problem(changed, 412, "precondition-failed", "the request's condition")

    for wanted, content in (
        ("bytes=3-9", whole.content[3:10]),
        ("bytes=-7", whole.content[-7:]),
        ("lines=1-2", whole.content),
        ("bytes=9-3", whole.content),
    ):
        assert service.client.get(path, headers={"Range": wanted}).content == content
    if_same = {"Range": "bytes=3-", "If-Range": etag}
    assert service.client.get(path, headers=if_same).content == whole.content[3:]
    assert service.client.get(path, headers=if_same | {"If-Range": '"another"'}).content == whole.content
    # The part that a client has may be longer than the file that is there now.
    outgrown = {"Range": "bytes=9999999-", "If-Range": '"another"'}
    assert service.client.get(path, headers=outgrown).content == whole.content
    beyond = service.client.get(path, headers={"Range": "bytes=9999999-"})
    check_problem(beyond, 416, "range-not-satisfiable", f"{len(whole.content)} bytes")
    assert beyond.headers["content-range"] == f"bytes */{len(whole.content)}"
