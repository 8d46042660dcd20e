"""Every failure Pixelmend reports, each with a stable code.

All errors take one message, so they pickle across the worker pipe as they are. The message names the
value and the limit; `code` and `retryable` are part of the public interface. HTTP statuses live in
`api/errors.py` alone.
"""

import errno
from typing import ClassVar

MAX_TEXT_LENGTH = 2000
"""The longest message; messages may quote what strangers sent."""
FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""EFBIG: the process's file size limit, which to a caller is the same thing."""
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


class PixelmendError(Exception):
    """Base of all errors. `code` is stable; `retryable` says whether the same request may succeed later."""

    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str) -> None:
        message = printable(message)
        super().__init__(message)
        self.message = message


class InternalError(PixelmendError):
    """A bug: something that no input should be able to cause."""


# --- what the caller sent -----------------------------------------------------------------------------


class MalformedUpload(PixelmendError):
    code = "malformed-upload"
    title = "The upload is not readable multipart data"


class PayloadTooLarge(PixelmendError):
    code = "payload-too-large"
    title = "The upload has too many bytes"


class UnsupportedFormat(PixelmendError):
    code = "unsupported-format"
    title = "The file is not an image of a supported format"


class InvalidParameter(PixelmendError):
    code = "invalid-parameter"
    title = "A parameter has an unusable value"


class NotAcceptable(PixelmendError):
    code = "not-acceptable"
    title = "No output format satisfies the Accept header"


class CorruptImage(PixelmendError):
    code = "corrupt-image"
    title = "The image is damaged or truncated"


class ImageTooLarge(PixelmendError):
    code = "image-too-large"
    title = "The image has too many pixels"


class TooManyFrames(PixelmendError):
    code = "too-many-frames"
    title = "The image is animated or has several pages"


class OutputTooLarge(PixelmendError):
    code = "output-too-large"
    title = "The result would be too large"


class UnknownModel(PixelmendError):
    code = "unknown-model"
    title = "There is no such model"


class InputQuarantined(PixelmendError):
    code = "input-quarantined"
    title = "This input ended two workers and is not tried again"


class KeyMissing(PixelmendError):
    code = "key-missing"
    title = "An API key is needed"


class KeyRefused(PixelmendError):
    code = "key-refused"
    title = "The API key is not accepted"


class CrossSiteRequest(PixelmendError):
    code = "cross-site-request"
    title = "Pages of other sites may not do this"


class UnknownHost(PixelmendError):
    code = "unknown-host"
    title = "The service is not known by this name"


class QuotaExceeded(PixelmendError):
    code = "quota-exceeded"
    title = "The caller's quota is used up"
    retryable = True

    def __init__(self, message: str, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class IdempotencyMismatch(PixelmendError):
    code = "idempotency-mismatch"
    title = "The Idempotency-Key was used for another request"


class UnknownJob(PixelmendError):
    code = "unknown-job"
    title = "There is no such job"


class ResultExpired(PixelmendError):
    code = "result-expired"
    title = "The result is kept no longer"


class WrongJobState(PixelmendError):
    code = "job-state"
    title = "The job's state does not allow this"


# --- what the service could not do ----------------------------------------------------------------------


class ModelUnusable(PixelmendError):
    code = "model-unusable"
    title = "The model file cannot be used"


class DownloadFailed(PixelmendError):
    """No address gave the file as the catalog knows it; the message says how to put it there by hand."""

    code = "download-failed"
    title = "The model file could not be downloaded"
    retryable = True


class QueueFull(PixelmendError):
    code = "queue-full"
    title = "The service is busy"
    retryable = True


class Draining(PixelmendError):
    code = "draining"
    title = "The service is shutting down"
    retryable = True


class NoWorker(PixelmendError):
    code = "no-worker"
    title = "No engine worker is ready"
    retryable = True


class StorageFull(PixelmendError):
    code = "storage-full"
    title = "There is no room left on the disk"
    retryable = True


class StorageUnusable(PixelmendError):
    """The service's own data, not the caller's; the operator has to look."""

    code = "storage-unusable"
    title = "The service cannot keep jobs now"
    retryable = True


class DataDirectoryNewer(PixelmendError):
    code = "data-directory-newer"
    title = "The data directory was written by a later version"


class DataDirectoryInUse(PixelmendError):
    code = "data-directory-in-use"
    title = "Another service uses the data directory"


class DeviceMemoryError(PixelmendError):
    code = "device-memory"
    title = "The device does not have enough memory"
    retryable = True


class ModelTooLarge(DeviceMemoryError):
    """Refused before it was loaded, by an estimate; other models may leave room later."""

    code = "model-too-large"
    title = "The model does not fit beside what is in use"


class HostMemoryError(PixelmendError):
    code = "host-memory"
    title = "The machine does not have enough memory"
    retryable = True


class ModelHeld(PixelmendError):
    code = "model-held"
    title = "The model is pinned or held by a profile"


class UnknownProfile(PixelmendError):
    code = "unknown-profile"
    title = "There is no such profile"


class ProfileReadOnly(PixelmendError):
    code = "profile-read-only"
    title = "The profile stands in the configuration"


class ProfileActive(PixelmendError):
    code = "profile-active"
    title = "The profile is preloaded"


class DeadlineExceeded(PixelmendError):
    code = "deadline-exceeded"
    title = "The work did not finish in time"
    retryable = True


class WrongResult(PixelmendError):
    """The network's output failed the self-check on every device and precision tried."""

    code = "wrong-result"
    title = "The model produced an unusable result"


class Cancelled(PixelmendError):
    code = "cancelled"
    title = "The work was cancelled"


def printable(text: str) -> str:
    """The text as any stream, message or database takes it: what is not Unicode is escaped (a file's name may
    be any bytes), and what is longer than MAX_TEXT_LENGTH characters is cut.
    """
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= MAX_TEXT_LENGTH else text[: MAX_TEXT_LENGTH - 3] + "..."


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
