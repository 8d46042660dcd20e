"""The one table from errors to HTTP statuses, and how a problem looks (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from starlette.responses import JSONResponse, Response

from pixelmend.api.schemas import Problem
from pixelmend.core import errors
from pixelmend.core.telemetry import REQUEST_ID

PROBLEM_MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:pixelmend:problem:"

STATUS: Mapping[type[errors.PixelmendError], int] = MappingProxyType(
    {
        errors.MalformedUpload: 400,
        errors.KeyMissing: 401,
        errors.KeyRefused: 403,
        errors.CrossSiteRequest: 403,
        errors.UnknownModel: 404,
        errors.UnknownJob: 404,
        errors.UnknownProfile: 404,
        errors.NotAcceptable: 406,
        errors.WrongJobState: 409,
        errors.ModelHeld: 409,
        errors.ProfileReadOnly: 409,
        errors.ProfileActive: 409,
        errors.ResultExpired: 410,
        errors.PayloadTooLarge: 413,
        errors.UnsupportedFormat: 415,
        errors.UnsupportedVideo: 415,
        errors.UnsupportedCoding: 415,
        errors.InvalidParameter: 422,
        errors.CorruptImage: 422,
        errors.CorruptVideo: 422,
        errors.VideoTooLarge: 422,
        errors.ImageTooLarge: 422,
        errors.TooManyFrames: 422,
        errors.OutputTooLarge: 422,
        errors.InputQuarantined: 422,
        errors.IdempotencyMismatch: 422,
        errors.UnknownHost: 421,
        errors.QuotaExceeded: 429,
        errors.Cancelled: 409,
        errors.InternalError: 500,
        errors.WrongResult: 500,
        errors.ExtraMissing: 501,
        errors.FetchFailed: 502,
        errors.ModelUnusable: 503,
        errors.DownloadFailed: 503,
        errors.QueueFull: 503,
        errors.Draining: 503,
        errors.NoWorker: 503,
        errors.StorageFull: 503,
        errors.DeviceMemoryError: 503,
        errors.ModelTooLarge: 503,
        errors.HostMemoryError: 503,
        errors.DataDirectoryInUse: 503,
        errors.DataDirectoryNewer: 503,
        errors.StorageUnusable: 503,
        errors.DeadlineExceeded: 504,
    }
)

PHRASES = MappingProxyType(
    {
        413: "Content Too Large",
        414: "URI Too Long",
        416: "Range Not Satisfiable",
        422: "Unprocessable Content",
    }
)
"""As RFC 9110 calls them; Python has these names from 3.13 on, and an answer must not depend on that."""


def problem(
    *, status: int, code: str, title: str, detail: str, retryable: bool, retry_after_s: int | None = None
) -> Response:
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    body = {
        "type": TYPE_PREFIX + code,
        "title": title,
        "status": status,
        "detail": _printable(detail),
        "request_id": REQUEST_ID.get(),
        "retryable": retryable,
    }
    return JSONResponse(body, status, headers, media_type=PROBLEM_MEDIA_TYPE)


def problem_for(error: errors.PixelmendError, retry_after_s: int) -> Response:
    """The response for an error of ours."""
    status = STATUS.get(type(error), 500)
    if isinstance(error, errors.QuotaExceeded) and error.retry_after_s is not None:
        retry_after_s = error.retry_after_s
    response = problem(
        status=status,
        code=error.code,
        title=error.title,
        detail=error.message,
        retryable=error.retryable,
        retry_after_s=retry_after_s if status in (429, 503) else None,
    )
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def problem_body(error: errors.PixelmendError, request_id: str | None) -> Problem:
    """The same words if a problem is part of something else."""
    return Problem(
        type=TYPE_PREFIX + error.code,
        title=error.title,
        status=STATUS.get(type(error), 500),
        detail=_printable(error.message),
        request_id=request_id,
        retryable=error.retryable,
    )


def _printable(text: str) -> str:
    """What UTF-8 cannot say, as half a surrogate pair in a caller's words, is escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def problem_for_status(status: int, detail: str) -> Response:
    """For what the framework itself answers: unknown paths, wrong methods."""
    phrase = PHRASES.get(status) or HTTPStatus(status).phrase
    return problem(
        status=status,
        code=phrase.lower().replace(" ", "-"),
        title=phrase,
        detail=detail,
        retryable=False,
    )
