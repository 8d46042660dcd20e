"""A model is opened once for all who want it, and what it takes is measured."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import safetensors.torch

from pixelmend.core.errors import ModelUnusable, UnknownModel
from pixelmend.core.telemetry import Logger
from pixelmend.engine.devices.device import cpu_device
from pixelmend.engine.devices.memory import HostMemory
from pixelmend.engine.model_cache.cache import ModelCache
from pixelmend.engine.model_cache.eviction import MemoryLimits
from pixelmend.engine.model_cache.memory_profile import MemoryProfiles
from pixelmend.engine.model_cache.provider import CatalogProvider
from pixelmend.models.catalog import Catalog, load_catalog
from tests.engine.networks import colour, compact_state
from tests.imaging.samples import noise

NAMES = [f"model-{i}" for i in range(6)]


def make_models(folder: Path) -> None:
    for seed, name in enumerate(NAMES):
        safetensors.torch.save_file(compact_state(seed=seed), folder / f"{name}.safetensors")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_models(tmp_path)
    return tmp_path


class Gate:
    """A catalog whose readers can be made to wait; `reads` counts them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.reads = 0
        self.entered = threading.Semaphore(0)
        self.open = threading.Event()
        self.open.set()

    def __call__(self) -> Catalog:
        self.reads += 1
        self.entered.release()
        assert self.open.wait(timeout=60)
        return load_catalog(self._folder)


def on_the_cpu(gate: Gate, learned: MemoryProfiles | None = None) -> ModelCache:
    device = cpu_device()
    provider = CatalogProvider(gate, device, "float32", learned or MemoryProfiles(None, Logger()), threads=1)
    return ModelCache(provider, device, HostMemory(), MemoryLimits())


def test_a_model_is_opened_once_for_all_who_want_it_at_one_time(folder: Path) -> None:
    gate = Gate(folder)
    cache = on_the_cpu(gate)
    with ThreadPoolExecutor(4) as threads:
        leases = list(threads.map(cache.lease, [NAMES[0]] * 8))
    assert gate.reads == 1
    assert all(lease is leases[0] for lease in leases)
    assert leases[0].leases == 8


def test_opening_one_model_does_not_hold_up_those_who_want_another(folder: Path) -> None:
    gate = Gate(folder)
    cache = on_the_cpu(gate)
    cache.release(cache.lease(NAMES[0]))
    gate.open.clear()
    assert gate.entered.acquire(timeout=60)
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(cache.lease, NAMES[1])
        assert gate.entered.acquire(timeout=60)
        cache.release(cache.lease(NAMES[0]))
        assert not slow.done()
        gate.open.set()
        assert slow.result(60).model.id == NAMES[1]


def test_a_model_that_could_not_be_opened_is_tried_again(folder: Path) -> None:
    cache = on_the_cpu(Gate(folder))
    path = folder / f"{NAMES[0]}.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    with pytest.raises(ModelUnusable):
        cache.lease(NAMES[0])
    path.write_bytes(whole)
    assert cache.lease(NAMES[0]).leases == 1
    with pytest.raises(UnknownModel):
        cache.lease("unknown")


LEARNED = f"""
import sys
from pathlib import Path
from {__name__} import NAMES, Gate, colour, make_models, noise, on_the_cpu

folder = Path(sys.argv[1])
make_models(folder)
opened = on_the_cpu(Gate(folder)).lease(NAMES[0])
opened.runner.run(noise(256, 256, 3)[None], colour())
print(opened.memory_profile.learned_bytes_per_px)
"""


@pytest.mark.full
def test_what_is_measured_is_at_least_the_output(tmp_path: Path) -> None:
    """In a process of its own: memory that other tests have left is taken again, and is not seen as taken."""
    command = [sys.executable, "-c", LEARNED, str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3])
    assert float(ran.stdout.split()[-1]) > 8  # 2x2 pixels of 3 bytes are 12; the rest may have been there


def test_what_a_model_takes_is_measured_and_told(folder: Path) -> None:
    cache = on_the_cpu(Gate(folder))
    opened = cache.lease(NAMES[0])
    opened.runner.run(noise(256, 256, 3)[None], colour())
    learned = opened.memory_profile.learned_bytes_per_px
    assert learned is not None
    described = {model.id: model for model in cache.describe()}[NAMES[0]]
    assert (described.loaded, described.leases, described.bytes_per_tile_px) == (True, 1, learned)
    assert described.bytes == opened.bytes
    assert described.weights_bytes is not None
    assert 0 < described.weights_bytes < opened.bytes
