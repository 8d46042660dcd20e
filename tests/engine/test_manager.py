"""Which models are open: opened once, kept while leased, the oldest unused one let go."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import safetensors.torch

from pixelmend.engine.device import cpu_device
from pixelmend.engine.manager import KEPT_MODELS, ModelManager
from pixelmend.errors import ModelUnusable, UnknownModel
from pixelmend.models.catalog import Catalog, load_catalog
from tests.engine.networks import compact_state

NAMES = [f"model-{i}" for i in range(KEPT_MODELS + 3)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for seed, name in enumerate(NAMES):
        safetensors.torch.save_file(compact_state(seed=seed), tmp_path / f"{name}.safetensors")
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


def loaded(manager: ModelManager) -> set[str]:
    return {model.id for model in manager.describe() if model.loaded}


def test_a_model_is_opened_once_for_all_who_want_it_at_one_time(folder: Path) -> None:
    gate = Gate(folder)
    manager = ModelManager(gate, cpu_device(), "float32")
    with ThreadPoolExecutor(4) as threads:
        leases = list(threads.map(manager.lease, [NAMES[0]] * 8))
    assert gate.reads == 1
    assert all(lease is leases[0] for lease in leases)
    assert leases[0].leases == 8


def test_opening_one_model_does_not_hold_up_those_who_want_another(folder: Path) -> None:
    gate = Gate(folder)
    manager = ModelManager(gate, cpu_device(), "float32")
    manager.release(manager.lease(NAMES[0]))
    gate.open.clear()
    assert gate.entered.acquire(timeout=60)
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(manager.lease, NAMES[1])
        assert gate.entered.acquire(timeout=60)
        manager.release(manager.lease(NAMES[0]))
        assert not slow.done()
        gate.open.set()
        assert slow.result(60).model.id == NAMES[1]


def test_a_model_that_could_not_be_opened_is_tried_again(folder: Path) -> None:
    manager = ModelManager(lambda: load_catalog(folder), cpu_device(), "float32")
    path = folder / f"{NAMES[0]}.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    with pytest.raises(ModelUnusable):
        manager.lease(NAMES[0])
    path.write_bytes(whole)
    assert manager.lease(NAMES[0]).leases == 1
    with pytest.raises(UnknownModel):
        manager.lease("nobody")


def test_unused_models_are_let_go_the_oldest_first_and_leased_ones_never(folder: Path) -> None:
    manager = ModelManager(lambda: load_catalog(folder), cpu_device(), "float32")
    kept = manager.lease(NAMES[0])
    for name in NAMES[1:]:
        manager.release(manager.lease(name))
    # The last one was in use when room was made for it, and so is not among the unused that are kept.
    assert loaded(manager) == set(NAMES) - {NAMES[1]}
    assert manager.relieve()
    assert loaded(manager) == {NAMES[0]}
    assert not manager.relieve()
    manager.release(kept)
    assert manager.relieve()
    assert loaded(manager) == set()
