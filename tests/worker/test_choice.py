"""What a cluster cannot be given is refused before it is joined, with the value and what it may be."""

import importlib.util
from importlib.machinery import ModuleSpec

import pytest

from pixelmend.core.config import Settings
from pixelmend.core.errors import ExtraMissing, InvalidParameter
from pixelmend.core.telemetry import Logger
from pixelmend.worker import choice
from pixelmend.worker.choice import chosen_pool
from pixelmend.worker.cluster.pool import ClusterPool
from pixelmend.worker.pool import WorkerPool
from pixelmend.worker.spawning import spawn


def pool_of(**settings: object) -> WorkerPool:
    chosen = Settings(_env_file=None).model_copy(update=settings)
    return chosen_pool(chosen, Logger(), lambda _: None, spawn)


def test_without_a_cluster_there_is_a_worker_for_each_device() -> None:
    assert len(pool_of(device="cuda:0,cuda:1")) == 2


def test_cluster_needs_ray() -> None:
    if importlib.util.find_spec("ray") is None:
        with pytest.raises(ExtraMissing, match="cluster=local"):
            pool_of(cluster="local")


def test_settings_that_contradict_one_another_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "find_spec", lambda name: ModuleSpec(name, None))
    assert isinstance(pool_of(cluster="local", device="cuda"), ClusterPool)
    with pytest.raises(InvalidParameter, match=r"cluster_min_replicas=3 is more than cluster_max_replicas=1"):
        pool_of(cluster="local", cluster_min_replicas=3)
    for device in ("cuda:0", "cuda:0,cuda:1", "vulkan:1"):
        with pytest.raises(InvalidParameter, match=f"device={device} names devices of one machine"):
            pool_of(cluster="local", device=device)


@pytest.mark.parametrize(("gpus", "share"), [(0.0, 1.0), (0.5, 0.5), (1.0, 1.0), (2.0, 1.0)])
def test_part_of_a_gpu_has_that_part_of_its_memory(gpus: float, share: float) -> None:
    assert Settings(_env_file=None, cluster_replica_gpus=gpus).cluster_memory_share == share
