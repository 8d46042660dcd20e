"""The application of Ray Serve: what the gateway deploys, or a manifest by this module's `application`."""

import hashlib
from collections.abc import Mapping
from typing import Any

from ray import serve
from ray.serve.config import RequestRouterConfig

from pixelmend.core.config import Settings
from pixelmend.core.version import VERSION
from pixelmend.worker.cluster.ray_replica import RayReplica

DEPLOYMENT = "Engine"
SIZE_CLASSES = 8
"""Classes of jobs; a worker holds `worker_jobs` of each. Serve counts all of them together."""
SHORT_CALLS = 8
"""Requests beside the jobs: reports and commands."""


def application(_: Mapping[str, str]) -> Any:
    """For `import_path`: by the settings in the environment of the cluster's head."""
    return application_of(Settings(_env_file=None))


def application_of(settings: Settings) -> Any:
    """Bound, and not deployed. The same settings give the same version, whose replicas then stay."""
    text = settings.model_dump_json()
    version = hashlib.sha256(f"{VERSION} {text}".encode()).hexdigest()[:16]
    deployment = serve.deployment(RayReplica, name=DEPLOYMENT, **engine_options(settings))
    # Serve gives each deployment a random version, and would restart replicas that are as they should be.
    return deployment.options(version=version, _internal=True).bind(text)


def engine_options(settings: Settings) -> dict[str, Any]:
    """The options of the deployment."""
    least, most = settings.cluster_min_replicas, settings.cluster_max_replicas
    delay_s = settings.cluster_downscale_delay_s
    scaling: dict[str, Any] = {"num_replicas": least}
    if most > least:
        scaling = {
            "autoscaling_config": {
                "min_replicas": least,
                "max_replicas": most,
                "target_ongoing_requests": settings.cluster_target_jobs,
                "upscale_delay_s": 3.0,
                "downscale_delay_s": delay_s,
                "look_back_period_s": min(10.0, delay_s),
                "metrics_interval_s": min(10.0, delay_s) / 2,
                "policy": {
                    "policy_function": "pixelmend.worker.cluster.scaling:ReplicasForJobs",
                    "policy_kwargs": {"long_jobs_each": settings.worker_videos},
                },
            }
        }
    return scaling | {
        "ray_actor_options": {
            "num_cpus": settings.cluster_replica_cpus,
            "num_gpus": settings.cluster_replica_gpus,
        },
        "max_ongoing_requests": settings.worker_jobs * SIZE_CLASSES + SHORT_CALLS,
        "request_router_config": RequestRouterConfig(
            request_router_class="pixelmend.worker.cluster.router:TargetRouter"
        ),
        # A replica that is taken away, or replaced, finishes what it has.
        "graceful_shutdown_timeout_s": settings.request_timeout_s + settings.stall_timeout_s,
        "graceful_shutdown_wait_loop_s": 0.5,
        "logging_config": {"log_level": "ERROR", "enable_access_log": False},
    }
