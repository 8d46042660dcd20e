"""Values of settings that are more than a word or a number."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationInfo,
)
from pydantic_settings import BaseSettings

from pixelmend.core.own_folders import data_folder

RecipeName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
HostNames = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9*._:,/\s-]*$")]
"""Comma-separated; *.example.org is all below it, s3://name is a bucket."""
RecoveryAction = Literal["retry", "smaller-tile", "other-precision", "other-device", "evict"]


def _own_if_empty(value: object, info: ValidationInfo) -> object:
    return value or data_folder(str(info.field_name).removesuffix("_dir"))


def _usual_if_address(value: object) -> object:
    return USUAL_PORT if isinstance(value, str) and value.startswith("tcp://") else value


USUAL_PORT = 8000
Port = Annotated[int, BeforeValidator(_usual_if_address), Field(ge=0, le=65535)]
"""The usual one for an address, which Kubernetes sets if a Service is called pixelmend: tcp://10.0.0.7:8000."""

OwnFolder = Annotated[Path, BeforeValidator(_own_if_empty)]
"""The user's own one of the setting's name, without `_dir`, if the variable is empty."""


class Recovery(BaseModel):
    """What is tried for a tile that failed, in this order; None: the engine's own order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    out_of_memory: tuple[RecoveryAction, ...] | None = None
    wrong_result: tuple[RecoveryAction, ...] | None = None
    device_error: tuple[RecoveryAction, ...] | None = None
    mps_error: tuple[RecoveryAction, ...] | None = None
    max_attempts: int | None = Field(None, ge=1, le=100)

    def __str__(self) -> str:
        return self.model_dump_json(exclude_none=True)


class OutboundSettings(BaseSettings):
    """Which addresses that callers name the service asks."""

    fetch_hosts: HostNames = Field(
        "",
        description="Hosts that files are fetched from, for image_url: names, *.example.org, s3://bucket. "
        "Empty: none.",
    )
    webhook_hosts: HostNames = Field(
        "", description="Hosts that are told of the ends of jobs, for webhook_url. Empty: none."
    )
    webhook_secret: SecretStr = Field(SecretStr(""), description="Key that signs it; needed with hosts.")
    result_hosts: HostNames = Field(
        "", description="Hosts that results are sent to, for result_url; s3://bucket as well. Empty: none."
    )
