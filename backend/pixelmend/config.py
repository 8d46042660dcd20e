"""Settings, read once by an entry point and passed on. Every value can be set as `PIXELMEND_<NAME>`."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Frozen; built by `cli.py` and by tests, never at import time."""

    model_config = SettingsConfigDict(
        env_prefix="PIXELMEND_", env_file=".env", extra="ignore", frozen=True, validate_default=True
    )

    # Where things live
    data_dir: Path = Field(Path("data"), description="Spool of uploads and results, and the job database.")
    models_dir: Path = Field(Path("models"), description="Model files dropped in; an id is a file's stem.")
    model_mirror: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="Address under which model files lie by name; tried before the catalog's own.",
    )

    # Engine
    device: str = Field(
        "auto",
        pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$",
        description="auto, cpu, mps, cuda or cuda:N. A device that is named but absent is an error.",
    )
    precision: Literal["auto", "float32", "float16", "bfloat16"] = Field(
        "auto", description="auto picks the fastest that the device and the model compute correctly."
    )
    default_model: str = Field("pixelmend-x4", description="The model used where a request names none.")
    tile_px: int = Field(
        288,
        ge=32,
        le=2048,
        description="A tile has at most as many input pixels as a square of this edge.",
    )
    batch_tiles: int | None = Field(
        None, ge=1, le=64, description="Tiles of one forward pass; unset: 8 on CUDA, 1 elsewhere."
    )
    threads: int | None = Field(None, ge=1, le=256, description="CPU threads; unset: the physical cores.")
    worker_jobs: int = Field(
        4, ge=1, le=64, description="Jobs of similar size that a worker holds in memory at one time."
    )

    # Limits on what is accepted
    max_upload_bytes: int = Field(50_000_000, ge=1, description="Largest request body.")
    max_input_pixels: int = Field(50_000_000, ge=1, description="Largest input image.")
    max_input_side_px: int = Field(16_384, ge=1, description="Longest side of an input image.")
    max_output_pixels: int = Field(256_000_000, ge=1, description="Largest result.")
    max_batch_items: int = Field(200, ge=1, le=10_000, description="Images of one batch.")
    max_batch_bytes: int = Field(
        1_000_000_000, ge=1, description="Largest request body of a batch, and what a ZIP may unpack to."
    )
    max_queue_jobs: int = Field(32, ge=1, description="Jobs accepted and not finished.")
    max_queue_pixels: int = Field(
        1_024_000_000, ge=1, description="Sum of output pixels of those jobs. One job is always accepted."
    )

    # Times
    request_timeout_s: float = Field(300.0, gt=0, description="Deadline of a synchronous request.")
    upload_timeout_s: float = Field(120.0, gt=0, description="Longest time an upload may take.")
    worker_start_timeout_s: float = Field(120.0, gt=0, description="A worker that is not ready by then ends.")
    heartbeat_timeout_s: float = Field(6.0, gt=0, description="A worker silent for longer is killed.")
    stall_timeout_s: float = Field(
        120.0, gt=0, description="A worker whose device loop is stuck in one step for longer is killed."
    )
    drain_timeout_s: float = Field(25.0, gt=0, description="Time to finish accepted work at shutdown.")
    min_free_disk_bytes: int = Field(
        256_000_000, ge=0, description="Uploads are refused when the spool's disk has less room."
    )

    # Results
    result_ttl_s: float = Field(3600.0, ge=0, description="How long a finished result is kept.")
    result_max_bytes: int = Field(
        10_000_000_000, ge=0, description="Finished results beyond it go, the oldest first."
    )

    # Callers
    api_keys: SecretStr = Field(
        SecretStr(""),
        description="Comma-separated keys, or sha256:<hex> of keys. Empty: everybody may use the service.",
    )
    quota_per_key: str = Field(
        "", description="New work that one API key may ask for, like 100/hour;10/minute. Empty: no quota."
    )
    quota_per_address: str = Field(
        "", description="New work that one address may ask for, whatever its key. Empty: no quota."
    )

    # Web
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="auto: console on a terminal, JSON lines elsewhere."
    )
