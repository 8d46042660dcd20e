"""Which workers a service has: processes of this machine, or replicas in a cluster."""

from collections.abc import Callable
from importlib.util import find_spec

from pixelmend.core.config import Settings
from pixelmend.core.errors import ExtraMissing, InvalidParameter
from pixelmend.core.telemetry import Logger
from pixelmend.models.memory import Alert
from pixelmend.worker.pool import WorkerPool
from pixelmend.worker.spawning import Spawn
from pixelmend.worker.supervisor import Supervisor


def chosen_pool(
    settings: Settings, log: Logger, on_alert: Callable[[Alert], None], spawn: Spawn
) -> WorkerPool:
    """Not started. spawn: starts a worker of this machine. Raises ExtraMissing, InvalidParameter."""
    if not settings.cluster:
        return WorkerPool([Supervisor(own, log, on_alert, spawn) for own in settings.for_each_device()])
    _require_cluster(settings)
    from pixelmend.worker.cluster.pool import ClusterPool

    return ClusterPool(settings, log, on_alert)


def _require_cluster(settings: Settings) -> None:
    if find_spec("ray") is None:
        raise ExtraMissing(
            f"cluster={settings.cluster} needs the extra [cluster]: pip install 'pixelmend[cluster]'"
        )
    least, most = settings.cluster_min_replicas, settings.cluster_max_replicas
    if least > most:
        raise InvalidParameter(f"cluster_min_replicas={least} is more than cluster_max_replicas={most}")
    if "," in settings.device or settings.device[-1:].isdecimal():
        raise InvalidParameter(
            f"device={settings.device} names devices of one machine; a replica is lent one by "
            f"cluster_replica_gpus: with cluster={settings.cluster} it has to be auto, cpu, cuda or vulkan"
        )
