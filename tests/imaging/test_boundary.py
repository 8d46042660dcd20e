"""Whatever a reader of foreign files raises becomes an error of ours, with the original in the log."""

import errno
import io

import pytest

from pixelmend.core.errors import Cancelled, CorruptImage, HostMemoryError, InvalidParameter, PixelmendError
from pixelmend.core.telemetry import configure_logging
from pixelmend.imaging.boundary import reading


@pytest.mark.parametrize(
    "raised",
    [
        OverflowError("too large"),
        RecursionError(),
        UnicodeDecodeError("utf-8", b"\xcb", 0, 1, "bad"),
        AttributeError("x"),
        ZeroDivisionError(),
        OSError("no number"),
        OSError(errno.EINVAL, "seek"),
    ],
)
def test_what_the_file_did_is_corrupt_and_logged(raised: Exception) -> None:
    lines = io.StringIO()
    configure_logging("info", "json", lines)
    with (
        pytest.raises(CorruptImage, match=f"the image cannot be read: {type(raised).__name__}"),
        reading("the image"),
    ):
        raise raised
    assert type(raised).__name__ in lines.getvalue()


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (InvalidParameter("x"), InvalidParameter),
        (Cancelled("x"), Cancelled),
        (MemoryError(), HostMemoryError),
        (OSError(errno.EACCES, "no access"), OSError),
        (OSError(errno.EMFILE, "too many"), OSError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_what_the_file_did_not_do_passes(raised: BaseException, expected: type[BaseException]) -> None:
    with pytest.raises(expected) as caught, reading("the image"):
        raise raised
    assert isinstance(caught.value, HostMemoryError) or caught.value is raised


def test_another_error_can_be_asked_for() -> None:
    class Other(PixelmendError):
        pass

    with pytest.raises(Other), reading("the mask", Other):
        raise KeyError("x")
