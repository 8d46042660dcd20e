"""A service's problems (RFC 9457), as the errors that they were there."""

from typing import Any

from pixelmend.core.error_codes import error_from_code
from pixelmend.core.errors import PixelmendError

_PREFIX = "urn:pixelmend:problem:"


def error_of(problem: Any, status: int) -> PixelmendError:
    """problem: what a response's JSON holds, which may be anything."""
    try:
        code = str(problem["type"]).removeprefix(_PREFIX)
        return error_from_code(code, str(problem["detail"]))
    except (KeyError, TypeError):
        return PixelmendError(f"the service answers {status}")
