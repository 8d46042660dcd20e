"""Asks the other services of an installation for their memory and their models."""

import asyncio
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from pixelmend.api.memory_schemas import InstanceView, MemoryView
from pixelmend.api.schemas import ModelList
from pixelmend.core.config import Settings

if TYPE_CHECKING:
    import httpx

TIMEOUT_S = 3.0
"""For all that is asked of one; a service that runs answers within milliseconds."""
Answer = TypeVar("Answer", bound=BaseModel)


def peer_urls(settings: Settings) -> list[str]:
    return [url.strip().rstrip("/") for url in settings.peers.split(",") if url.strip()]


class Peers:
    """Named by the operator, hence trusted with the key that he gave for them."""

    def __init__(self, settings: Settings) -> None:
        self._urls = peer_urls(settings)
        key = settings.peer_key.get_secret_value()
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    async def ask(self) -> list[InstanceView]:
        """Each of them, all at the same time. A service that does not answer is there, with the reason."""
        return await asyncio.gather(*(self._ask(url) for url in self._urls))

    async def _ask(self, url: str) -> InstanceView:
        import httpx  # most services have no peers, and start faster without it

        try:
            async with (
                asyncio.timeout(TIMEOUT_S),
                httpx.AsyncClient(base_url=url, headers=self._headers, trust_env=False) as client,
            ):
                memory, models = await asyncio.gather(
                    _get(client, "/api/memory?points=0", MemoryView), _get(client, "/api/models", ModelList)
                )
        except (TimeoutError, httpx.TimeoutException):
            return _unknown(url, f"it did not answer within {TIMEOUT_S:g} s")
        except httpx.HTTPStatusError as error:
            return _unknown(url, f"it answered {error.response.status_code}")
        except httpx.HTTPError as error:
            return _unknown(url, f"it cannot be reached: {error}")
        except ValidationError:
            return _unknown(url, "it answered something else than this version of Pixelmend does")
        opened = [model for model in models.models if model.loaded]
        return InstanceView(url=url, instance=memory.instance, problem=None, memory=memory, models=opened)


async def _get(client: "httpx.AsyncClient", path: str, kind: type[Answer]) -> Answer:
    response = await client.get(path)
    response.raise_for_status()
    return kind.model_validate_json(response.content)


def _unknown(url: str, problem: str) -> InstanceView:
    return InstanceView(url=url, instance=None, problem=problem, memory=None, models=[])
