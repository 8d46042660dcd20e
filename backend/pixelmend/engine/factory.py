"""Builds the parts of an engine from the settings."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from pixelmend.core.config import Settings
from pixelmend.core.telemetry import Logger
from pixelmend.engine.device_loop import DeviceLoop
from pixelmend.engine.devices.device import Device, physical_cores
from pixelmend.engine.devices.memory import HostMemory, memory_of
from pixelmend.engine.encoder_memory import Encoders
from pixelmend.engine.inpainting.inpainter import Inpainter
from pixelmend.engine.inpainting.slots import ComputeSlots
from pixelmend.engine.model_cache.cache import ModelCache
from pixelmend.engine.model_cache.eviction import limits_from
from pixelmend.engine.model_cache.memory_profile import MemoryProfiles
from pixelmend.engine.model_cache.provider import CatalogProvider
from pixelmend.engine.pipeline import Listener, Pipeline
from pixelmend.engine.recovery.policy import policy_from
from pixelmend.engine.steps.decode import DecodeStep
from pixelmend.engine.steps.encode import EncodeStep
from pixelmend.engine.steps.inpaint import InpaintStep
from pixelmend.engine.steps.mask import MaskStep
from pixelmend.engine.steps.plan import PlanStep
from pixelmend.engine.steps.tiles import TilesStep
from pixelmend.engine.steps.upscale_video import UpscaleVideoStep
from pixelmend.engine.steps.work import PipelineLimits, Step
from pixelmend.imaging.codec import configure_decoders
from pixelmend.imaging.formats import FormatRegistry
from pixelmend.imaging.probe import input_limits
from pixelmend.models.catalog import load_catalog
from pixelmend.models.hooks import Hooks
from pixelmend.video.header import video_limits


def open_memory_profiles(settings: Settings, device: Device, log: Logger) -> MemoryProfiles:
    """What was measured of a device's memory, kept between runs."""
    return MemoryProfiles(settings.data_dir / f"memory-{device.type}-{device.index}.json", log)


def build_model_cache(
    settings: Settings,
    device: Device,
    log: Logger,
    profiles: MemoryProfiles | None = None,
    hooks: Hooks | None = None,
) -> ModelCache:
    """Also configures the libraries of this process, so it is called once in a process."""
    threads = settings.threads or physical_cores()
    configure_decoders(threads)
    precision = None if settings.precision == "auto" else settings.precision
    profiles = profiles or open_memory_profiles(settings, device, log)
    return ModelCache(
        CatalogProvider(lambda: load_catalog(settings.models_dir), device, precision, profiles, threads),
        device,
        memory_of(device),
        limits_from(settings),
        first_call_px=settings.tile_px**2,
        calls_at_once=_max_in_flight(device),
        policy=policy_from(settings.recovery),
        hooks=hooks,
    )


def build_pipeline(
    settings: Settings,
    cache: ModelCache,
    listener: Listener,
    *,
    formats: FormatRegistry | None = None,
    more_steps: Mapping[str, Step] = MappingProxyType({}),
) -> Pipeline:
    """formats: None for those that come with the package. more_steps: beside the built-in ones, by their
    names.
    """
    device = cache.device
    limits = PipelineLimits(
        input=input_limits(settings, formats),
        max_output_pixels=settings.max_output_pixels,
        tile_px=settings.tile_px,
        batch_tiles=settings.batch_tiles_on(device.type),
        max_in_flight=_max_in_flight(device),
        threads=settings.threads or physical_cores(),
        record_results=settings.record_results,
    )
    loop = DeviceLoop(limits.batch_tiles, limits.max_in_flight, settings.video_share)
    steps = builtin_steps(cache, limits, loop, Encoders(HostMemory().read), listener.models_changed)
    steps["upscale-video"] = UpscaleVideoStep(cache, loop, limits, video_limits(settings))
    return Pipeline(loop, {**steps, **more_steps}, listener, cache.load)


def builtin_steps(
    cache: ModelCache,
    limits: PipelineLimits,
    loop: DeviceLoop,
    encoders: Encoders,
    on_models_changed: Callable[[], None],
) -> dict[str, Step]:
    """The steps that tasks name, by their names."""
    inpainter = Inpainter(cache, loop.run_on_device, ComputeSlots(limits.threads))
    return {
        "decode": DecodeStep(limits.input),
        "mask": MaskStep(limits.input),
        "inpaint": InpaintStep(inpainter, on_models_changed),
        "plan": PlanStep(cache, limits),
        "tiles": TilesStep(loop, encoders, limits, on_models_changed),
        "encode": EncodeStep(encoders, limits),
    }


def _max_in_flight(device: Device) -> int:
    """Batches on the device at one time: a GPU with its own memory copies one while it computes another."""
    return 2 if device.type == "cuda" else 1
