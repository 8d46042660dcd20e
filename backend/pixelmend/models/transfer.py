"""One request for a file, or for the rest of it."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from pixelmend.core.version import VERSION
from pixelmend.models.integrity import is_lfs_pointer, is_web_page
from pixelmend.models.partial import PartialFile

MAX_REDIRECTS = 10
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses after which the same request may succeed later."""


class Interrupted(Exception):
    """The same address may give the rest if it is asked again."""


class Refused(Exception):
    """This address does not give the file, and asking again does not help."""


def new_client() -> httpx.Client:
    """May be used by any number of threads; follows the usual proxy variables."""
    return httpx.Client(timeout=httpx.Timeout(15.0), headers={"User-Agent": f"pixelmend/{VERSION}"})


def transfer(
    client: httpx.Client, url: str, part: PartialFile, size_bytes: int, on_chunk: Callable[[], None]
) -> bool:
    """Fetch the bytes that `part` lacks of the file of `size_bytes` bytes.

    on_chunk: called after each chunk that was kept; what it raises ends the transfer. Returns whether all of
    the file is from this one response. Raises Interrupted and Refused, each naming the address, and OSError
    if the disk refuses.
    """
    name = without_password(url)
    headers = {"Accept-Encoding": "identity"}
    validator = part.validator_of(name)
    if validator is not None:
        headers |= {"Range": f"bytes={part.size_bytes}-", "If-Range": validator}
    try:
        with _opened(client, url, headers) as response:
            resumed = _begin(response, name, part, size_bytes)
            for chunk in response.iter_raw():
                _keep(chunk, name, part, size_bytes)
                on_chunk()
    except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
        raise Refused(f"{name}: {error}") from error
    except httpx.TransportError as error:
        raise Interrupted(f"{name}: {str(error) or type(error).__name__}") from error
    if part.size_bytes < size_bytes:
        raise Interrupted(f"{name}: broke off after {part.size_bytes} of {size_bytes} bytes")
    return not resumed


def without_password(url: str) -> str:
    """For messages and files: a mirror's address may hold a name and a password."""
    return re.sub(r"(?<=://)[^/@]*@", "", url)


@contextmanager
def _opened(client: httpx.Client, url: str, headers: dict[str, str]) -> Iterator[httpx.Response]:
    """The response after all redirects. Raises Refused if one leads from https to http, or if there are
    more than MAX_REDIRECTS.
    """
    request = client.build_request("GET", url, headers=headers)
    for _ in range(MAX_REDIRECTS + 1):
        response = client.send(request, stream=True, follow_redirects=False)
        try:
            following = response.next_request
            if following is None:
                yield response
                return
        finally:
            response.close()
        if request.url.scheme == "https" and following.url.scheme != "https":
            raise Refused(f"{without_password(url)}: redirects from https to {following.url.scheme}")
        request = following
    raise Refused(f"{without_password(url)}: more than {MAX_REDIRECTS} redirects")


def _begin(response: httpx.Response, name: str, part: PartialFile, size_bytes: int) -> bool:
    """Check the response's headers and prepare `part` for its body.

    Returns whether the body continues what `part` has.
    """
    status = response.status_code
    asked_for_rest = "range" in response.request.headers
    if status == 416 and asked_for_rest:
        part.clear()
        raise Interrupted(f"{name}: HTTP 416, has no such range; beginning again")
    if status not in (200, 206) or (status == 206 and not asked_for_rest):
        kind = Interrupted if status in _BUSY else Refused
        raise kind(f"{name}: HTTP {status} {response.reason_phrase}")
    _refuse_other_content(response, name)
    if status == 206:
        _require_the_rest(response, name, part, size_bytes)
        return True
    announced = response.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) != size_bytes:
        raise Refused(f"{name}: announces {announced} bytes, the catalog says {size_bytes}")
    part.restart(name, _validator(response))
    return False


def _refuse_other_content(response: httpx.Response, name: str) -> None:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml"):
        raise Refused(f"{name}: answers with a web page ({kind}), not with the file")
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise Refused(f"{name}: sends the file encoded as {encoding!r}, which was not asked for")


def _require_the_rest(response: httpx.Response, name: str, part: PartialFile, size_bytes: int) -> None:
    given = response.headers.get("content-range", "")
    expected = f"bytes {part.size_bytes}-{size_bytes - 1}/"
    if given.startswith(expected) and given.removeprefix(expected) in (str(size_bytes), "*"):
        return
    part.clear()
    raise Interrupted(f"{name}: sends {given[:80]!r} but {expected}{size_bytes} is needed; beginning again")


def _validator(response: httpx.Response) -> str | None:
    """What If-Range may carry: a strong ETag, or else the date."""
    etag: str = response.headers.get("etag", "")
    return etag if etag.startswith('"') else response.headers.get("last-modified")


def _keep(chunk: bytes, name: str, part: PartialFile, size_bytes: int) -> None:
    if part.size_bytes == 0 and (is_web_page(chunk) or is_lfs_pointer(chunk)):
        what = "a web page" if is_web_page(chunk) else "a Git LFS pointer"
        raise Refused(f"{name}: answers with {what}, not with the file")
    if part.size_bytes + len(chunk) > size_bytes:
        part.clear()
        raise Refused(f"{name}: sends more than the {size_bytes} bytes that the catalog says")
    part.append(chunk)
