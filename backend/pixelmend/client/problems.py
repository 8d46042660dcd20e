"""A service's problems (RFC 9457), as the errors that they were there, and what is worth another attempt."""

from typing import Any, NoReturn

import httpx

from pixelmend.core.error_codes import error_from_code
from pixelmend.core.errors import Draining, InternalError, PixelmendError, QueueFull, QuotaExceeded

_PREFIX = "urn:pixelmend:problem:"
_BUSY = (QueueFull, QuotaExceeded, Draining)
"""It will be better later, however long that takes."""


class Unavailable(Exception):
    """The service could not be asked, or asks for patience.

    pause_s: how long, if it says so. is_busy: it works on what it has, so that this is no failure.
    """

    def __init__(self, reason: str, pause_s: float | None = None, *, is_busy: bool = False) -> None:
        super().__init__(reason)
        self.pause_s = pause_s
        self.is_busy = is_busy


def error_of(problem: Any, status: int) -> PixelmendError:
    """problem: what a response's JSON holds, which may be anything."""
    try:
        code = str(problem["type"]).removeprefix(_PREFIX)
        return error_from_code(code, str(problem["detail"]))
    except (KeyError, TypeError):
        return PixelmendError(f"the service answers {status}")


def refuse(response: httpx.Response) -> NoReturn:
    """Raises what a response says that is no success: Unavailable if asking again may help."""
    try:
        error = error_of(response.json(), response.status_code)
    except ValueError:
        # Not ours: a proxy before it, say.
        error = PixelmendError(f"{response.request.url} answers {response.status_code}")
        if response.status_code < 500:
            raise error from None
    pause = response.headers.get("retry-after", "")
    pause_s = float(pause) if pause.isdecimal() else None
    if isinstance(error, _BUSY):
        raise Unavailable(error.message, pause_s, is_busy=True)
    if response.status_code >= 500 and not (type(error) is InternalError and response.status_code == 500):
        raise Unavailable(error.message, pause_s)
    raise error


def words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
