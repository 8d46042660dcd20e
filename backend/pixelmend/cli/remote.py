"""Files by a Pixelmend service, for the command line."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from pixelmend.cli.files import FileJob, make_writable
from pixelmend.cli.outcomes import Outcome, failed
from pixelmend.cli.request import Request
from pixelmend.client import AsyncClient, Info, Job


class RemoteEngine:
    """The engine of a service at some URL."""

    def __init__(self, client: AsyncClient, info: Info) -> None:
        self._client = client
        self.label = f"{client.url} ({info.device.name or 'no device yet'})"

    async def process(
        self, file: FileJob, request: Request, on_progress: Callable[[int, int], None]
    ) -> Outcome:
        def note(job: Job) -> None:
            on_progress(job.progress.done_tiles, job.progress.total_tiles)

        try:
            make_writable(file.result.parent)
            report = await self._client.run(
                request.task.name,
                file.source,
                file.result,
                mask=file.mask,
                on_progress=note,
                **request.fields,
            )
        except Exception as error:
            return failed(file, error)
        return Outcome(file, report, None)


@asynccontextmanager
async def remote_engine(url: str, key: str | None) -> AsyncIterator[RemoteEngine]:
    """Raises InvalidParameter if no Pixelmend service answers at `url`, and what a key is refused for."""
    async with AsyncClient(url, key) as client:
        info = await client.info()
        await client.check_key()  # says at once whether it is good, and not for each file
        yield RemoteEngine(client, info)
