"""Many clients at once."""

import asyncio
import hashlib
import time
from collections import Counter
from dataclasses import dataclass

import httpx

from benchmarks import pictures
from benchmarks.context import Context
from benchmarks.rates import compact_share_percent, matmul_rate
from benchmarks.report import Row, at_least, at_most
from benchmarks.service import FRESH, TIMEOUT_S, started
from benchmarks.timing import percentile

CLIENTS = 32
SMALL_PX = 256


@dataclass(frozen=True, slots=True)
class _Reply:
    """client: whose picture it should be."""

    client: int
    status: int
    seconds: float
    body: bytes


def clients(context: Context) -> list[Row]:
    """32 clients with a picture of their own each, against one client that sends the same pictures."""
    sent = [pictures.as_png(picture) for picture in pictures.different_photos(CLIENTS, SMALL_PX)]
    requests_each = context.repeats(3, 1)
    with started(context.folder / "service") as service:
        url = service.service.base_url
        for picture in sent[:3]:
            precision = service.upscale(picture).provenance.precision
        began_s = time.perf_counter()
        single = asyncio.run(_one_after_another(url, sent))
        single_rate = len(single) / (time.perf_counter() - began_s)
        context.say(f"one client: {single_rate:.2f} requests/s")
        began_s = time.perf_counter()
        replies = asyncio.run(_all_at_once(url, sent, requests_each))
        rate = len(replies) / (time.perf_counter() - began_s)
        context.say(f"{CLIENTS} clients: {rate:.2f} requests/s")
    matmul = matmul_rate(context, precision)
    expected = {reply.client: _digest(reply.body) for reply in single}
    good = [reply for reply in replies if reply.status == 200]
    wrong = sum(_digest(reply.body) != expected[reply.client] for reply in good)
    statuses = dict(Counter(reply.status for reply in replies))
    single_s = percentile([reply.seconds for reply in single], 50)
    p99_s = percentile([reply.seconds for reply in replies], 99)
    bound_s = (CLIENTS + 1) * single_s * 1.5
    details = {
        "statuses": {str(status): count for status, count in statuses.items()},
        "single_seconds": [reply.seconds for reply in single],
        "seconds": sorted(reply.seconds for reply in replies),
        "single_rate_per_s": single_rate,
        "rate_per_s": rate,
    }
    return [
        Row(
            f"{CLIENTS} clients against one: throughput",
            rate / single_rate,
            target=at_least(1),
            note=f"{rate:.2f} against {single_rate:.2f} requests/s; answers {statuses}",
            details=details,
        ),
        Row(
            f"{CLIENTS} clients: the network's work by the clock, share of the {precision} matmul rate",
            compact_share_percent(rate * SMALL_PX**2, 1, matmul),
            "%",
            note="" if matmul is None else f"matmul {matmul / 1e9:.0f} GFLOP/s",
            details={"matmul_flop_per_s": matmul},
        ),
        Row(
            f"{CLIENTS} clients: p99 against a queue of them, each at single latency, and half as much again",
            p99_s / bound_s,
            target=at_most(1),
            note=f"p99 {p99_s:.2f} s, bound {bound_s:.2f} s, single {single_s:.3f} s",
            details={"p99_seconds": p99_s, "bound_seconds": bound_s},
        ),
        Row(
            f"{CLIENTS} clients: requests not answered with their own picture",
            float(len(replies) - len(good) + wrong),
            "",
            at_most(0, ""),
            f"{len(replies) - len(good)} without a 200, {wrong} unlike the single client's answer, "
            f"of {len(replies)}",
            {"not_answered": len(replies) - len(good), "unlike": wrong},
        ),
    ]


async def _send(client: httpx.AsyncClient, index: int, picture: bytes) -> _Reply:
    began_s = time.perf_counter()
    try:
        answer = await client.post("/api/upscale", files={"file": ("picture.png", picture)})
        status, body = answer.status_code, answer.content
    except httpx.HTTPError:
        status, body = 0, b""  # dropped without an answer
    return _Reply(index, status, time.perf_counter() - began_s, body)


async def _one_after_another(url: str, sent: list[bytes]) -> list[_Reply]:
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S, headers=FRESH) as client:
        return [await _send(client, index, picture) for index, picture in enumerate(sent)]


async def _all_at_once(url: str, sent: list[bytes], requests_each: int) -> list[_Reply]:
    limits = httpx.Limits(max_connections=len(sent))

    async def one(client: httpx.AsyncClient, index: int) -> list[_Reply]:
        return [await _send(client, index, sent[index]) for _ in range(requests_each)]

    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S, headers=FRESH, limits=limits) as client:
        replies = await asyncio.gather(*[one(client, index) for index in range(len(sent))])
    return [reply for of_one in replies for reply in of_one]


def _digest(png: bytes) -> str:
    """A digest of the size and the pixels, or of the bytes themselves if they are no picture."""
    try:
        pixels = pictures.decoded(png)
    except OSError:
        return hashlib.sha256(png).hexdigest()
    return f"{pixels.shape} {hashlib.sha256(pixels.tobytes()).hexdigest()}"
