"""`Client`: the asynchronous client, run on an event loop of its own in a thread."""

import asyncio
import functools
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from pixelmend.client.asynchronous import AsyncClient

P = ParamSpec("P")
T = TypeVar("T")


def _blocking(
    method: Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate["Client", P], T]:
    """The method of `Client` that waits for one of `AsyncClient`."""

    @functools.wraps(method)
    def call(client: "Client", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return client._run(method(client._client, *args, **kwargs))

    return call


class Client:
    """A Pixelmend service; any thread may ask. `on_progress` is called on the client's own thread, and may
    not ask the client itself.

    url: such as `http://localhost:8000`. key: of the service's API keys. Raises InvalidParameter for what is
    no URL.
    """

    def __init__(self, url: str, key: str | None = None) -> None:
        self._client = AsyncClient(url, key)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="pixelmend-client", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connections; the client is of no use afterwards."""
        if self._loop.is_closed():
            return
        self._run(self._client.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        return self._client.url

    run = _blocking(AsyncClient.run)
    upload = _blocking(AsyncClient.upload)
    batch = _blocking(AsyncClient.batch)
    wait = _blocking(AsyncClient.wait)
    download = _blocking(AsyncClient.download)
    cancel = _blocking(AsyncClient.cancel)
    job = _blocking(AsyncClient.job)
    jobs = _blocking(AsyncClient.jobs)
    estimate = _blocking(AsyncClient.estimate)
    models = _blocking(AsyncClient.models)
    info = _blocking(AsyncClient.info)
    check_key = _blocking(AsyncClient.check_key)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # Ctrl-C, say
            raise
