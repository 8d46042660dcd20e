"""Errors as they cross processes, and any exception as one of ours."""

import errno

from pixelmend.core.errors import HostMemoryError, InternalError, PixelmendError, QueueFull, StorageFull

FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""EFBIG: the process's file size limit, which to a caller is the same thing."""
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


def known_error(error: Exception) -> PixelmendError:
    """Any exception as an error of ours. What is a bug tells its kind and nothing of the inside; the caller
    logs it.
    """
    if isinstance(error, PixelmendError):
        return error
    if isinstance(error, MemoryError):
        return HostMemoryError("the memory of this machine did not suffice")
    if isinstance(error, OSError) and error.errno in FULL_DISK:
        return StorageFull("the disk is full; nothing was kept of this")
    if isinstance(error, OSError) and error.errno in _EXHAUSTED:
        return QueueFull(f"the service has run out of something: {error.strerror}")
    if isinstance(error, OSError) and error.strerror:
        return InternalError(f"the operating system refuses: {error.strerror}")
    return InternalError(f"{type(error).__name__}, which was not expected; the log has the details")


def error_from_code(code: str, message: str) -> PixelmendError:
    """Rebuild an error that crossed a process boundary as its code and message."""
    for kind in _all_kinds(PixelmendError):
        if kind.code == code:
            return kind(message)
    return InternalError(message)


def _all_kinds(root: type[PixelmendError]) -> list[type[PixelmendError]]:
    return [kind for child in root.__subclasses__() for kind in (child, *_all_kinds(child))]
