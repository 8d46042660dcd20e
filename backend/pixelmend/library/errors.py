"""Errors as Python programs expect them."""

from collections.abc import Iterator
from contextlib import contextmanager

from pixelmend.core.errors import ImageTooLarge, InvalidParameter, OutputTooLarge


class InvalidArgument(InvalidParameter, ValueError):
    """An argument has an unusable value; the message names it, and what is allowed."""


@contextmanager
def as_invalid_arguments() -> Iterator[None]:
    """Raise InvalidArgument for what the caller can only change by other arguments."""
    try:
        yield
    except InvalidArgument:
        raise
    except (InvalidParameter, ImageTooLarge, OutputTooLarge) as error:
        raise InvalidArgument(error.message) from error
