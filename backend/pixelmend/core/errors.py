"""Every failure Pixelmend reports, each with a stable code.

All errors take one message, so they pickle across the worker pipe as they are. The message names the
value and the limit; `code` and `retryable` are part of the public interface. HTTP statuses live in
`api/errors.py` alone.
"""

from typing import ClassVar

from pixelmend.core.text import printable


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


class UnsupportedCoding(PixelmendError):
    code = "unsupported-coding"
    title = "The body is compressed in a way that is not read"


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


class UnsupportedVideo(PixelmendError):
    code = "unsupported-video"
    title = "The file is not a film of a supported kind"


class CorruptVideo(PixelmendError):
    code = "corrupt-video"
    title = "The film is damaged, truncated or empty"


class VideoTooLarge(PixelmendError):
    code = "video-too-large"
    title = "The film has too many pixels or frames"


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


class ExtraMissing(PixelmendError):
    code = "extra-missing"
    title = "A part of the program that this needs is not installed"


class ModelUnusable(PixelmendError):
    code = "model-unusable"
    title = "The model file cannot be used"


class DownloadFailed(PixelmendError):
    """No address gave the file as the catalog knows it; the message says how to put it there by hand."""

    code = "download-failed"
    title = "The model file could not be downloaded"
    retryable = True


class FetchFailed(PixelmendError):
    """The address that was sent instead of a file; what is wrong with the address itself is its sender's."""

    code = "fetch-failed"
    title = "The file could not be fetched from its address"
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
