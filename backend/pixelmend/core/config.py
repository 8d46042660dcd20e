"""Settings, read once by an entry point and passed on. Every value can be set as `PIXELMEND_<NAME>`."""

from functools import partial
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from pixelmend.core.cluster_settings import ClusterSettings
from pixelmend.core.config_file import CONFIG_VARIABLE, ENV_FILE_VARIABLE, file_of_this_user, read_config
from pixelmend.core.config_values import USUAL_PORT, OutboundSettings, OwnFolder, Port, RecipeName, Recovery
from pixelmend.core.own_folders import data_folder
from pixelmend.core.profile import Profile

GPU_SETTINGS = (
    "device",
    "precision",
    "tile_px",
    "batch_tiles",
    "auto_cleanup_enabled",
    "cleanup_threshold_percent",
    "idle_timeout_minutes",
    "memory_monitoring_enabled",
    "memory_monitoring_interval",
    "max_memory_usage_percent",
    "temperature_alert_c",
    "alert_webhook",
    "recovery",
)
"""What section `gpu` of the configuration file may hold."""

_FORMATS = ("jpeg", "png", "webp", "avif", "heic", "tiff", "bmp", "gif")


class Settings(ClusterSettings, OutboundSettings):
    """Frozen; built by an entry point or a test, never at import time."""

    model_config = SettingsConfigDict(
        env_prefix="PIXELMEND_", extra="ignore", frozen=True, validate_default=True
    )

    # Where things live
    data_dir: OwnFolder = Field(
        default_factory=partial(data_folder, "data"),
        description="Spool, job database. Unset: data in a checkout, else in ~/.local/share/pixelmend.",
    )
    models_dir: OwnFolder = Field(
        default_factory=partial(data_folder, "models"),
        description="Model files dropped in; an id is a file's stem. Unset: models in the same place.",
    )
    model_mirror: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="Address under which model files lie by name; tried before the catalog's own.",
    )

    web_dir: Path | None = Field(
        None, description="The built web app; unset: frontend/dist of a checkout, or the package's own."
    )

    # Engine
    device: str = Field(
        "auto",
        pattern=r"^(auto|(cpu|mps|(cuda|vulkan)(:\d+)?|openvino:(cpu|gpu(\.\d+)?))"
        r"(,(cpu|mps|(cuda|vulkan):\d+|openvino:gpu\.\d+))*)$",
        description="auto, cpu, mps, cuda, cuda:N, vulkan, vulkan:N, openvino:gpu or openvino:gpu.N (Intel); "
        "cuda:0,cuda:1 is a worker for each. "
        "A device that is named but absent is an error.",
    )
    precision: Literal["auto", "float32", "float16", "bfloat16"] = Field(
        "auto", description="auto picks the fastest that the device and the model compute correctly."
    )
    default_model: str = Field("pixelmend-x4", description="The model used if a request names none.")
    default_inpaint_model: str = Field(
        "pixelmend-fill", description="The same for removing things; pixelmend-fill needs no network."
    )
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
    worker_videos: int = Field(1, ge=1, le=16, description="Films that a worker works on at one time.")
    video_share: float = Field(
        0.25, ge=0, lt=1, description="Share of a busy device's time that films get; 0: only what is left."
    )

    # Memory
    auto_cleanup_enabled: bool = Field(
        True, description="Let unused models go while memory is above cleanup_threshold_percent."
    )
    cleanup_threshold_percent: float = Field(
        85.0, gt=0, le=100, description="Share of the device's memory that is used."
    )
    idle_timeout_minutes: float = Field(30.0, ge=0, description="Unused models go after it; 0: never.")
    memory_monitoring_enabled: bool = Field(True, description="Sample memory, keep a history, raise alerts.")
    memory_monitoring_interval: float = Field(2.0, ge=0.1, le=3600, description="Seconds between samples.")
    max_memory_usage_percent: float = Field(
        90.0,
        gt=0,
        le=100,
        description="Share of the device's memory; models that would need more are refused.",
    )
    temperature_alert_c: float = Field(90.0, gt=0, description="A device this hot raises an alert.")
    alert_webhook: SecretStr = Field(
        SecretStr(""), description="URL that alerts are POSTed to as JSON. Empty: none."
    )
    profiles: dict[str, Profile] = Field(
        {}, description="Sets of models, as JSON or in config.yaml; docs/configuration.md."
    )
    recipes: dict[RecipeName, dict[str, Any]] = Field(
        {}, description="Named sets of options, as JSON or in config.yaml; docs/configuration.md."
    )
    hooks: str = Field(
        "",
        pattern=r"^(|[\w.]+:[\w.]+(,[\w.]+:[\w.]+)*)$",
        description="Own code that workers tell of alerts and recovery, as module:attribute,...; "
        "docs/python.md. What is installed as an entry point pixelmend.hooks needs no name here.",
    )
    recovery: Recovery = Field(
        Recovery(), description="What is tried for a tile that failed, as JSON; docs/configuration.md."
    )

    # Several services at one address
    instance: str = Field(
        "",
        pattern="^[a-z0-9]{0,16}$",
        description="Begins the id of every job, by which a proxy finds the service that has it.",
    )
    peers: str = Field(
        "",
        pattern=r"^(|https?://[^/,\s@?#]+/?(\s*,\s*https?://[^/,\s@?#]+/?)*)$",
        description="Comma-separated addresses of other services that GET /api/instances shows as well, like "
        "http://a:8000,http://b:8000.",
    )
    peer_key: SecretStr = Field(SecretStr(""), description="API key that is sent to them. Empty: none.")

    # Limits on what is accepted
    max_upload_bytes: int = Field(50_000_000, ge=1, description="Largest request body; in base64, 4/3 of it.")
    max_video_bytes: int = Field(2_000_000_000, ge=1, description="Largest film.")
    max_video_frames: int = Field(500_000, ge=1, description="Most frames of a film, or of a part of one.")
    max_video_s: float = Field(21_600.0, gt=0, description="Longest film, or part of one, in seconds.")
    formats: str = Field(
        ",".join(_FORMATS),
        pattern=rf"^({'|'.join(_FORMATS)})(,({'|'.join(_FORMATS)}))*$",
        description="Formats of images that are accepted; without avif and heic, libheif reads nothing.",
    )
    max_input_pixels: int = Field(50_000_000, ge=1, description="Largest input image.")
    max_input_side_px: int = Field(16_384, ge=1, description="Longest side of an input image.")
    max_output_pixels: int = Field(256_000_000, ge=1, description="Largest result.")
    record_results: bool = Field(
        True, description="A result's file says how it was made: models, options, version, source's checksum."
    )
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
    header_timeout_s: float = Field(
        15.0,
        gt=0,
        description="Longest time from a connection, or a request's first byte, to its whole header.",
    )
    upload_timeout_s: float = Field(
        120.0, gt=0, description="Longest time for each max_upload_bytes of an upload, begun ones included."
    )
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
        10_000_000_000,
        ge=0,
        description="Finished results beyond it go: the oldest of the owner that has the most.",
    )

    # Callers
    api_keys: SecretStr = Field(
        SecretStr(""),
        description="Comma-separated keys, or sha256:<hex> of keys. Empty: everybody may use the service.",
    )
    admin_keys: SecretStr = Field(
        SecretStr(""),
        description="The same for loading, unloading, pinning and downloading models, and for all else. "
        "Empty: the only API key may, or everybody if there is none; with several keys none of them.",
    )
    keys_file: Path | None = Field(
        None, description="A file of named keys with scopes and expiry, read again when it changes."
    )
    key_for_everything: bool = Field(
        False,
        description="Ask for a key for /metrics, /docs and all of /api, too; /livez and /readyz stay open.",
    )
    quota_per_key: str = Field(
        "", description="New work that one API key may ask for, like 100/hour;10/minute. Empty: no quota."
    )
    quota_per_address: str = Field(
        "", description="New work that one address may ask for, whatever its key. Empty: no quota."
    )

    # Web
    host: str = Field("127.0.0.1", description="Address to listen on.")
    trusted_proxies: str = Field(
        "",
        pattern=r"^[0-9A-Fa-f.:/,\s]*$",
        description="Comma-separated addresses or networks of proxies whose X-Forwarded-For is believed.",
    )
    port: Port = Field(USUAL_PORT, description="Port to listen on; 0 picks a free one.")
    allowed_hosts: str = Field(
        "",
        pattern=r"^[A-Za-z0-9._*,\s-]*$",
        description="Comma-separated names by which it is reached, like up.example.org; .example.org "
        "is all below it, * is any. Addresses and names without a dot or under .local always count.",
    )
    root_path: str = Field(
        "", pattern=r"^(/[A-Za-z0-9._~-]+)*$", description="Its path on another site, like /upscaler."
    )
    cors_origins: str = Field(
        "",
        pattern=r"^(|\*|https?://[^/,\s]+(\s*,\s*https?://[^/,\s]+)*)$",
        description="Comma-separated origins whose pages may use the service, like https://app.example; "
        "* is all. Empty: its own only.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="auto: console on a terminal, JSON lines elsewhere."
    )

    def for_each_device(self) -> "list[Settings]":
        """These settings, as the worker of each device has them."""
        return [self.model_copy(update={"device": device}) for device in self.device.split(",")]

    def batch_tiles_on(self, device_type: str) -> int:
        """Tiles of one forward pass."""
        return self.batch_tiles or (8 if device_type == "cuda" else 1)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The configuration file comes last: it counts if nothing else says otherwise."""
        return init_settings, env_settings, dotenv_settings, _ConfigFile(settings_cls)


class _ConfigFile(PydanticBaseSettingsSource):
    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False  # the whole file is read at once, below

    def __call__(self) -> dict[str, Any]:
        """Raises InvalidParameter for an unusable file, and for one that was named and is not there."""
        path = file_of_this_user(CONFIG_VARIABLE, "config.yaml")
        return {} if path is None else read_config(path, GPU_SETTINGS)


def settings_of_this_user(**overrides: Any) -> Settings:
    """From the environment and the files that it names, or the user's own; overrides count most.

    What lies in the working directory is not read: it may be another user's. Raises ValidationError, and
    InvalidParameter for a file that was named and cannot be read.
    """
    return Settings(_env_file=file_of_this_user(ENV_FILE_VARIABLE, "pixelmend.env"), **overrides)


SECRET_VARIABLES = frozenset(
    {
        f"PIXELMEND_{name.upper()}"
        for name, field in Settings.model_fields.items()
        if field.annotation is SecretStr
    }
    | {"PIXELMEND_API_KEY"}
)
"""Variables that no worker gets, in capitals; in the environment their case does not count."""
