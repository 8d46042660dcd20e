"""All cases, in the order in which they run."""

from benchmarks.cases.beside import beside
from benchmarks.cases.clients import clients
from benchmarks.cases.cluster import cluster
from benchmarks.cases.cuda import compact_cuda, rrdb_cuda
from benchmarks.cases.films import films
from benchmarks.cases.inpaint import inpaint
from benchmarks.cases.inpaint_network import erase_by_network
from benchmarks.cases.large import large
from benchmarks.cases.networks import compact, rrdb
from benchmarks.cases.png import png
from benchmarks.cases.start import start
from benchmarks.cases.tiles import tiles
from benchmarks.context import Case


def cpu_cases() -> tuple[Case, ...]:
    return (
        Case("start", "process start to ready", start),
        Case("png", "the PNG writer", png),
        Case("compact", "compact x4 over HTTP", compact),
        Case("rrdb", "RRDBNet x4 over HTTP", rrdb),
        Case("tiles", "tiled against untiled", tiles),
        Case("clients", "32 clients at once", clients),
        Case("beside", "small requests beside a large job", beside),
        Case("cluster", "replicas of a Ray cluster beside one worker", cluster, is_usual=False),
        Case("large", "memory and time of large results", large),
        Case("films", "a film beside frames through pipes and folders", films, is_usual=False),
        Case("inpaint", "holes filled without a network", inpaint),
        Case("inpaint-network", "holes filled by a network", erase_by_network, is_usual=False),
    )


def gpu_cases() -> tuple[Case, ...]:
    return (
        Case("gpu-rrdb", "RRDBNet x4 on the GPU", rrdb_cuda),
        Case("gpu-compact", "compact x4 on the GPU", compact_cuda),
    )
