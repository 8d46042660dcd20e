"""Replicas in a Ray cluster on this machine, against a worker with as many threads; and the front's limit."""

import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks import pictures
from benchmarks.context import Context
from benchmarks.front_simulation import Costs, front_limit_per_s, simulate
from benchmarks.report import Row
from benchmarks.service import LIMITS, Answer, Upscaler
from benchmarks.timing import percentile
from tests.cluster import PYTHON
from tests.service import RunningService, running_service

REPLICAS = 2
SMALL_PX, MIDDLE_PX, POSTER_PX = 64, 256, 1500
IDLE_S = 10.0
SIMULATED = (1, 8, 64, 512)
JOBS = 20_000
LOAD = 0.9


def cluster(context: Context) -> list[Row]:
    """The embedded model; the same images to both, one service at a time."""
    if not PYTHON.exists():
        return [Row("replicas against one worker", None, note="make .venv-cluster/.stamp was not run")]
    small = [pictures.as_png(each) for each in pictures.different_photos(16, SMALL_PX)]
    middle = [pictures.as_png(each) for each in pictures.different_photos(16, MIDDLE_PX)]
    poster = pictures.as_jpeg(pictures.photo(POSTER_PX, POSTER_PX))
    many = context.repeats(64, 24)
    with _service(context.folder / "one", threads=REPLICAS) as service:
        one_rate, _ = _throughput(service, middle, many)
        one_small_s = _medians(service, small, many)
        one_mixed = _mixed(service, small, poster, context)
    context.say(f"one worker: {one_rate:.2f} jobs/s, small ones {one_small_s * 1000:.0f} ms")
    with _service(context.folder / "many", threads=1, cluster="local") as service:
        api, gateway = _processes(service)
        idle_s = _cpu_s(gateway)
        time.sleep(IDLE_S)
        report_s = (_cpu_s(gateway) - idle_s) / (IDLE_S * REPLICAS)
        before = _cpu_s(api), _cpu_s(gateway)
        began_s = time.perf_counter()
        many_rate, answers = _throughput(service, middle, many)
        reports_s = (time.perf_counter() - began_s) * REPLICAS * report_s
        api_s = (_cpu_s(api) - before[0]) / many
        gateway_s = max(1e-4, (_cpu_s(gateway) - before[1] - reports_s) / many)
        many_small_s = _medians(service, small, many)
        many_mixed = _mixed(service, small, poster, context)
    # Each was computed beside others: together they took what the replicas' time allowed.
    beside_s = [answer.provenance.total_s for answer in answers]
    share = REPLICAS / many_rate / statistics.mean(beside_s)
    service_s = tuple(share * each for each in beside_s)
    sent_bytes = statistics.mean(len(each) for each in middle)
    copied_bytes = sent_bytes + statistics.mean(answer.body_bytes for answer in answers)
    costs = Costs(api_s, gateway_s, report_s, service_s)
    return [
        Row(
            f"{REPLICAS} replicas of one thread against a worker of {REPLICAS}: throughput, 256x256",
            many_rate / one_rate,
            note=f"{many_rate:.2f} against {one_rate:.2f} jobs/s",
        ),
        Row(
            "what a job of 64x64 takes longer through the cluster",
            1000 * (many_small_s - one_small_s),
            "ms",
            note=f"{1000 * many_small_s:.0f} against {1000 * one_small_s:.0f} ms, with fewer threads",
        ),
        Row(
            "copied between processes for a job of 256x256, its own image and result",
            copied_bytes / 1000,
            "kB",
            note="into the object store, once there and once back",
        ),
        Row(
            "small jobs beside posters: p95 with replicas against one worker",
            percentile(many_mixed, 95) / percentile(one_mixed, 95),
            note=f"{percentile(many_mixed, 95):.2f} against {percentile(one_mixed, 95):.2f} s; "
            f"{len(many_mixed)} small ones",
        ),
        *_limits(costs),
    ]


def _limits(costs: Costs) -> Iterator[Row]:
    mean_s = statistics.mean(costs.service_s)
    for replicas in SIMULATED:
        found = simulate(replicas, costs, load=LOAD, jobs=JOBS, seed=1)
        yield Row(
            f"simulated, {replicas} replicas at {LOAD:.0%} of their rate: jobs done of those that came",
            100 * found.rate_per_s * mean_s / (LOAD * replicas),
            "%",
            note=f"front's limit {front_limit_per_s(replicas, costs):.0f} jobs/s; gateway busy "
            f"{found.gateway_busy:.0%}, API {found.api_busy:.0%}; per job {1000 * costs.api_s:.1f} and "
            f"{1000 * costs.gateway_s:.1f} ms, per report {1000 * costs.report_s:.1f} ms, service "
            f"{mean_s:.2f} s",
        )


@contextmanager
def _service(folder: Path, **settings: object) -> Iterator[Upscaler]:
    folder.mkdir(parents=True)
    chosen = LIMITS | {
        "cluster_min_replicas": REPLICAS,
        "cluster_max_replicas": REPLICAS,
        "max_queue_jobs": 1000,
        **settings,
    }
    program = ("-m", "pixelmend.cli", "serve")
    with running_service(folder, program, PYTHON, wait_for_port_only=False, **chosen) as service:
        expected = REPLICAS if "cluster" in settings else 1
        while sum(bool(each["name"]) for each in _devices(service)) < expected:
            time.sleep(0.1)
        yield Upscaler(service)


def _devices(service: RunningService) -> list[dict[str, object]]:
    found: list[dict[str, object]] = service.client.get("/api/memory").json()["devices"]
    return found


def _throughput(service: Upscaler, sent: Sequence[bytes], count: int) -> tuple[float, list[Answer]]:
    service.upscale(sent[0])
    with ThreadPoolExecutor(8) as pool:
        began_s = time.perf_counter()
        answers = list(pool.map(lambda n: service.upscale(sent[n % len(sent)]), range(count)))
        return count / (time.perf_counter() - began_s), answers


def _medians(service: Upscaler, sent: Sequence[bytes], count: int) -> float:
    return statistics.median(service.upscale(sent[n % len(sent)]).seconds for n in range(count))


def _mixed(service: Upscaler, small: Sequence[bytes], poster: bytes, context: Context) -> list[float]:
    """Seconds of small jobs, two at a time, while posters are computed."""
    posters, count = context.repeats(10, 2), context.repeats(200, 40)
    with ThreadPoolExecutor(posters) as large, ThreadPoolExecutor(2) as pool:
        running = [
            large.submit(service.upscale, poster, keep=False, quality=70 + number, format="jpeg")
            for number in range(posters)
        ]
        time.sleep(1.0)
        seconds = list(pool.map(lambda n: service.upscale(small[n % len(small)]).seconds, range(count)))
        for each in running:
            each.result()
    return seconds


def _processes(service: Upscaler) -> tuple[psutil.Process, psutil.Process]:
    """The API process and the gateway."""
    api = psutil.Process(service.service.process.pid)
    (gateway,) = [each for each in api.children() if any("gateway" in part for part in each.cmdline())]
    return api, gateway


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
