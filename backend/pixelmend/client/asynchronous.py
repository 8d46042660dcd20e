"""`AsyncClient`: what a program asks a Pixelmend service for. Whatever breaks, sending the same again costs
the service nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx
from httpx_sse import SSEError, aconnect_sse
from pydantic import BaseModel, ValidationError

from pixelmend.client.problems import Unavailable, error_of, refuse, words
from pixelmend.client.retries import Retries, patiently
from pixelmend.client.transfer import fetch
from pixelmend.client.uploads import File, parts, text_fields
from pixelmend.client.values import Estimate, Info, Job, Model, Result
from pixelmend.core.errors import (
    InvalidParameter,
    PixelmendError,
    ResultExpired,
    UnknownJob,
    WrongJobState,
)

OnProgress = Callable[[Job], None]
"""Told of the job each time that something has changed."""

TIMEOUT = httpx.Timeout(60.0, connect=10.0, pool=None)
"""The service sends something every 15 s while a job runs."""

THIS_MACHINE = ("all://localhost", "all://127.0.0.1", "all://[::1]")
"""Is asked without the proxy that the environment may name, which cannot reach it."""

V = TypeVar("V", bound=BaseModel)


class AsyncClient:
    """A Pixelmend service.

    url: such as `http://localhost:8000`; `http://` may be left out. key: of the service's API keys. Raises
    InvalidParameter for what is no URL.
    """

    def __init__(self, url: str, key: str | None = None) -> None:
        self.url = (url if "://" in url else f"http://{url}").rstrip("/")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            self._http = httpx.AsyncClient(
                base_url=self.url, headers=headers, timeout=TIMEOUT, mounts=dict.fromkeys(THIS_MACHINE)
            )
        except (httpx.InvalidURL, UnicodeError) as error:
            raise InvalidParameter(f"server={url!r} is no URL: {error}") from error

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._http.aclose()

    async def run(
        self,
        /,
        task: str,
        file: File | None,
        out: str | Path,
        *,
        mask: File | None = None,
        on_progress: OnProgress | None = None,
        **fields: object,
    ) -> Result:
        """Upload, wait and download. What the service has lost meanwhile is sent again, once.

        out: the result's path; its suffix means nothing, `format` is a field. Raises what the work is refused
        for or fails with, NoWorker if the service stays out of reach, OSError for files of this machine.
        """
        for last in (False, True):
            try:
                job = await self.upload(task, file, mask=mask, **fields)
                return await self.download(await self.wait(job, on_progress=on_progress), out)
            except (UnknownJob, ResultExpired):
                if last:
                    raise
        raise AssertionError  # the second attempt has returned or raised

    async def upload(
        self, /, task: str, file: File | None = None, *, mask: File | None = None, **fields: object
    ) -> Job:
        """Submit one image, or a film for `upscale-video`. Raises what it is refused for.

        file: None if the field `image_url` says where it is.
        """
        files = {"file": [] if file is None else [file], "mask": [] if mask is None else [mask]}
        return await self._submit({"task": task, **fields}, files)

    async def batch(
        self, /, task: str, files: Sequence[File], *, masks: Sequence[File] = (), **fields: object
    ) -> Job:
        """Submit many images, or one ZIP of them, as one job. masks: by the names of the images, or one for
        all. Raises what they are refused for.
        """
        return await self._submit({"task": f"{task}-batch", **fields}, {"files": files, "masks": masks})

    async def wait(self, job: Job | str, *, on_progress: OnProgress | None = None) -> Job:
        """The job once it is done. Raises what it failed with, Cancelled, UnknownJob, ResultExpired."""
        retries = Retries()
        latest = await self.job(job) if isinstance(job, str) else job

        def note(changed: Job) -> None:
            retries.note_progress()
            if on_progress is not None:
                on_progress(changed)

        while not latest.has_ended:
            try:
                latest = await self._watch(latest, note)
            except Unavailable as error:
                await retries.pause(error)
        if latest.state == "expired":
            raise ResultExpired(f"the result of job {latest.id} is kept no longer")
        if latest.state != "done":
            raise (
                latest.problem.error
                if latest.problem
                else WrongJobState(f"job {latest.id} is {latest.state}")
            )
        return latest

    async def download(self, job: Job | str, out: str | Path) -> Result:
        """The file of a job that is done. A transfer that breaks off is resumed, and `out` is complete or
        untouched. Raises WrongJobState, UnknownJob, ResultExpired, StorageFull, OSError.
        """
        found = await self.job(job) if isinstance(job, str) else job
        if found.result is None:
            raise WrongJobState(f"job {found.id} is {found.state}, so it has no result")
        result = found.result
        return await patiently(lambda: fetch(self._http, result, Path(out)))

    async def cancel(self, job: Job | str) -> Job:
        """End the job, or give up its result. Raises UnknownJob."""
        return await self._get(Job, "DELETE", f"/api/jobs/{_id(job)}")

    async def job(self, job_id: str) -> Job:
        """How it is. Raises UnknownJob."""
        return await self._get(Job, "GET", f"/api/jobs/{job_id}")

    async def jobs(self) -> list[Job]:
        """The caller's, newest first."""
        answer = await self._json("GET", "/api/jobs")
        return [_parsed(Job, each) for each in answer["jobs"]]

    async def estimate(self, /, width: int, height: int, **fields: object) -> Estimate:
        """What an image of that size in px would need; why it would be refused is part of it.

        fields: those of `upscale`, and `image_alpha`, `image_grey`, `image_bits`, `image_frames`.
        """
        asked = {"image_width": width, "image_height": height, **fields}
        return await self._get(Estimate, "POST", "/api/estimate", data=text_fields(asked))

    async def models(self) -> list[Model]:
        answer = await self._json("GET", "/api/models")
        return [_parsed(Model, each) for each in answer["models"]]

    async def info(self) -> Info:
        """What the service is. It is asked once. Raises InvalidParameter if no Pixelmend service answers."""
        try:
            response = await self._http.get("/api/info")
            found = response.json()
            name = found["name"]
        except httpx.TransportError as error:
            raise InvalidParameter(f"server={self.url!r} does not answer: {words(error)}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidParameter(
                f"server={self.url!r} is no Pixelmend service: /api/info says {response.status_code}"
            ) from error
        if name != "pixelmend":
            raise InvalidParameter(f"server={self.url!r} is no Pixelmend service but {str(name)[:40]!r}")
        return _parsed(Info, found)

    async def check_key(self) -> None:
        """Raises KeyMissing, KeyRefused."""
        try:
            response = await self._http.get("/api/jobs/none")
        except httpx.TransportError as error:
            raise InvalidParameter(f"server={self.url!r} does not answer: {words(error)}") from error
        if response.status_code in (401, 403):
            try:
                problem = response.json()
            except ValueError:
                problem = None  # not ours: a proxy before it, say
            raise error_of(problem, response.status_code)

    async def _submit(self, fields: dict[str, object], files: Mapping[str, Sequence[File]]) -> Job:
        async def once() -> Any:
            with ExitStack() as opened:  # from its start each time
                return await self._asked("POST", "/api/jobs", files=parts(fields, files, opened))

        return _parsed(Job, await patiently(once))

    async def _watch(self, job: Job, on_event: OnProgress) -> Job:
        """Until the job ends, or the stream does, which raises Unavailable."""
        try:
            async with aconnect_sse(self._http, "GET", f"/api/jobs/{job.id}/events") as source:
                if source.response.status_code != 200:
                    await source.response.aread()
                    refuse(source.response)
                async for event in source.aiter_sse():
                    if event.event == "drain":
                        raise Unavailable("the service is shutting down")
                    if event.event in ("state", "progress"):
                        job = Job.model_validate_json(event.data)
                        on_event(job)
        except (httpx.TransportError, SSEError, ValidationError) as error:
            raise Unavailable(words(error)) from error
        if not job.has_ended:
            raise Unavailable("the stream of events ended before the job did")
        return job

    async def _get(self, kind: type[V], method: str, path: str, **request: Any) -> V:
        return _parsed(kind, await self._json(method, path, **request))

    async def _json(self, method: str, path: str, **request: Any) -> Any:
        return await patiently(lambda: self._asked(method, path, **request))

    async def _asked(self, method: str, path: str, **request: Any) -> Any:
        """The JSON of an answer that is a success. Raises Unavailable, or what the request is refused for."""
        try:
            response = await self._http.request(method, path, **request)
        except httpx.TransportError as error:
            raise Unavailable(words(error)) from error
        if not response.is_success:
            refuse(response)
        try:
            return response.json()
        except ValueError as error:
            raise PixelmendError(f"{response.request.url} answers with what is no JSON") from error


def _id(job: Job | str) -> str:
    return job if isinstance(job, str) else job.id


def _parsed(kind: type[V], answer: Any) -> V:
    try:
        return kind.model_validate(answer)
    except ValidationError as error:
        raise PixelmendError(
            f"the service answers with what is no {kind.__name__}: {error.errors()[0]['loc']}"
        ) from error
