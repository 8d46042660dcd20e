"""How an engine is put together from the settings."""

from pixelmend.core.config import Settings
from pixelmend.core.telemetry import Logger
from pixelmend.engine.backends.runtime import configure_torch
from pixelmend.engine.device import Device, physical_cores
from pixelmend.engine.encoders import Encoders
from pixelmend.engine.memory import HostMemory, memory_of
from pixelmend.engine.model_cache.cache import ModelManager
from pixelmend.engine.model_cache.eviction import limits_from
from pixelmend.engine.model_cache.memory_profile import LearnedFigures
from pixelmend.engine.model_cache.provider import CatalogStock
from pixelmend.engine.pipeline import Listener, Pipeline, PipelineLimits
from pixelmend.engine.recovery import policy_from
from pixelmend.imaging.codec import configure_vips
from pixelmend.imaging.probe import input_limits
from pixelmend.models.catalog import load_catalog


def learned_figures(settings: Settings, device: Device, log: Logger) -> LearnedFigures:
    """What was measured of a device's memory, kept between runs."""
    return LearnedFigures(settings.data_dir / f"memory-{device.type}-{device.index}.json", log)


def build_manager(
    settings: Settings, device: Device, log: Logger, learned: LearnedFigures | None = None
) -> ModelManager:
    """Sets the libraries of this process up as well: once in a process."""
    threads = settings.threads or physical_cores()
    configure_torch(threads)
    configure_vips(threads)
    precision = None if settings.precision == "auto" else settings.precision
    figures = learned or learned_figures(settings, device, log)
    return ModelManager(
        CatalogStock(lambda: load_catalog(settings.models_dir), device, precision, figures),
        device,
        memory_of(device),
        limits_from(settings),
        first_call_px=settings.tile_px**2,
        calls_at_once=_flights(device),
        policy=policy_from(settings.recovery),
    )


def build_pipeline(settings: Settings, manager: ModelManager, listener: Listener) -> Pipeline:
    device = manager.device
    limits = PipelineLimits(
        input=input_limits(settings),
        max_output_pixels=settings.max_output_pixels,
        tile_px=settings.tile_px,
        batch_tiles=settings.batch_tiles_on(device.type),
        flights=_flights(device),
        threads=settings.threads or physical_cores(),
    )
    return Pipeline(manager, limits, listener, Encoders(HostMemory().read))


def _flights(device: Device) -> int:
    """Batches on the device at one time: one with memory of its own copies one while it computes another."""
    return 2 if device.type == "cuda" else 1
