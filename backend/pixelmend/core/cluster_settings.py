"""Settings of a service whose workers are replicas in a Ray cluster; docs/operations.md."""

from pydantic import Field
from pydantic_settings import BaseSettings


class ClusterSettings(BaseSettings):
    """A part of `Settings`."""

    cluster: str = Field(
        "",
        pattern=r"^(|local|[A-Za-z0-9.-]+:\d{1,5})$",
        description="A Ray cluster whose replicas do the work: the head's address, like 10.0.0.1:6379, or "
        "local to start one on this machine. Empty: workers of this machine, without Ray.",
    )
    cluster_app: str = Field(
        "pixelmend", pattern=r"^[a-z0-9-]{1,32}$", description="Name of the application in the cluster."
    )
    cluster_deploy: bool = Field(
        True,
        description="Deploy that application, and end it with the service; else use the one that is there.",
    )
    cluster_min_replicas: int = Field(1, ge=1, le=4096, description="Replicas that are always there.")
    cluster_max_replicas: int = Field(1, ge=1, le=4096, description="Most replicas under load.")
    cluster_replica_gpus: float = Field(
        0.0,
        ge=0,
        le=64,
        description="GPUs of a replica; 0.5: half of one, and half of max_memory_usage_percent. "
        "0: it computes on CPUs.",
    )
    cluster_replica_cpus: float = Field(1.0, gt=0, le=1024, description="CPUs that a replica is lent.")
    cluster_target_jobs: float = Field(
        2.0,
        gt=0,
        le=64,
        description="Replicas are added while each has more jobs than this, on average; films count "
        "separately, and each that waits brings one.",
    )
    cluster_downscale_delay_s: float = Field(
        60.0, ge=1, description="Seconds of little work before a replica is taken away."
    )
    cluster_object_store_bytes: int = Field(
        200_000_000, ge=80_000_000, description="Memory for images on their way, of the node that we start."
    )

    @property
    def cluster_memory_share(self) -> float:
        """The share of a device's memory ceiling that each replica has."""
        return self.cluster_replica_gpus if 0 < self.cluster_replica_gpus < 1 else 1.0
