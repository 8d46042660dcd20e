"""Small requests while a large job has the device, and the large job meanwhile."""

import statistics
import time
from concurrent.futures import Future, ThreadPoolExecutor

from benchmarks import pictures
from benchmarks.context import Context
from benchmarks.report import Row, at_least, at_most
from benchmarks.service import Answer, Upscaler, started
from benchmarks.timing import percentile

LARGEST_PX = 4000
MEDIUM_PX = 2000
SMALL_PX = 256
LONGEST_S = 150.0
"""After this the small requests stop, and what is left of the large job runs alone."""


def beside(context: Context) -> list[Row]:
    """The embedded model; one client, sequential 256x256 requests."""
    small = pictures.as_png(pictures.photo(SMALL_PX, SMALL_PX))
    largest = pictures.as_jpeg(pictures.photo(LARGEST_PX, LARGEST_PX))
    medium = pictures.as_jpeg(pictures.photo(MEDIUM_PX, MEDIUM_PX))
    count = context.repeats(40, 30)
    with started(context.folder / "service") as service, ThreadPoolExecutor(1) as pool:
        for _ in range(3):
            service.upscale(small)
        alone = [service.upscale(small).seconds for _ in range(count)]
        context.say(f"unloaded: median {statistics.median(alone):.3f} s, p95 {percentile(alone, 95):.3f} s")
        job = _submit(service, pool, largest)
        loaded = _small_requests(service, small, job, at_most_count=count)
        overlapped = not job.done()
        context.say(f"loaded: median {statistics.median(loaded):.3f} s, p95 {percentile(loaded, 95):.3f} s")
        big = job.result()
        context.ran(f"{LARGEST_PX}x{LARGEST_PX} beside {count} small requests", big.seconds)
        medium_alone_s = service.upscale(medium, keep=False).seconds
        job = _submit(service, pool, medium)
        during = _small_requests(service, small, job, at_most_count=None)
        beside_s = job.result().seconds
        context.ran(f"{MEDIUM_PX}x{MEDIUM_PX} beside an endless row of them", beside_s)
    p95_s = percentile(loaded, 95)
    spread = f"p95 {p95_s:.3f} s against {percentile(alone, 95):.3f} s, medians " + (
        f"{statistics.median(loaded):.3f} and {statistics.median(alone):.3f} s, {len(loaded)} of each"
    )
    details = {
        "loaded_seconds": loaded,
        "unloaded_seconds": alone,
        "large_seconds": big.seconds,
        "large_device_seconds": big.provenance.device_s,
    }
    name = "256x256 requests beside a job of 16000x16000"
    return [
        Row(
            f"{name}: p95 against unloaded median",
            p95_s / statistics.median(alone),
            target=at_most(3),
            note=spread + ("" if overlapped else "; the large job ended before they did"),
            details=details,
        ),
        Row(
            f"{name}: p95 against unloaded p95",
            p95_s / percentile(alone, 95),
            target=at_most(3),
            note="the same, a tail against a tail",
        ),
        Row(
            "a job of 8000x8000 beside an endless row of 256x256 requests: speed left to it",
            100 * medium_alone_s / beside_s,
            "%",
            at_least(10, "%"),
            f"{beside_s:.1f} s beside {len(during)} requests against {medium_alone_s:.1f} s alone; "
            "the limit is ours, for no starvation",
            {
                "alone_seconds": medium_alone_s,
                "beside_seconds": beside_s,
                "small_seconds": during,
                "large_answered": 200,
            },
        ),
    ]


def _submit(service: Upscaler, pool: ThreadPoolExecutor, picture: bytes) -> Future[Answer]:
    """A large job whose tiles are being computed: it has been decoded by then."""
    other = Upscaler(service.service)
    job = pool.submit(other.upscale, picture, keep=False)
    deadline_s = time.monotonic() + 60
    while not list(service.service.spool.glob("*.part")) and not job.done():
        # The output's .part appears when the plan is made.
        if time.monotonic() > deadline_s:
            break
        time.sleep(0.05)
    return job


def _small_requests(
    service: Upscaler, picture: bytes, job: Future[Answer], *, at_most_count: int | None
) -> list[float]:
    """One after another while the job runs. None: until it ends, or for LONGEST_S."""
    seconds: list[float] = []
    ends_s = time.monotonic() + LONGEST_S
    while time.monotonic() < ends_s and not (seconds and job.done()):
        if at_most_count is not None and len(seconds) >= at_most_count:
            break
        seconds.append(service.upscale(picture).seconds)
    return seconds
