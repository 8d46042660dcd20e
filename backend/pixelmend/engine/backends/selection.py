"""Which network runs a model on a device, and whether it computes what it should."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelmend.core.errors import ModelUnusable
from pixelmend.engine.backends import reference
from pixelmend.engine.backends.memory_errors import first_line, translating_memory_errors
from pixelmend.engine.backends.ncnn_models import open_in_ncnn
from pixelmend.engine.backends.network import DeviceNetwork, TileNetwork, Tiles
from pixelmend.engine.devices.device import Device, cpu_device
from pixelmend.engine.devices.precision import MIN_PSNR_DB, Precision, preferred_precision, psnr_db
from pixelmend.engine.weights.architecture import Architecture, LoadedModel
from pixelmend.engine.weights.compact import CompactNetwork
from pixelmend.engine.weights.rrdb import RrdbNetwork
from pixelmend.models.missing_libraries import library_missing

PACE_EDGE_PX = 96
SLOW_CALL_S = 0.5

PORTABLE_ARCHITECTURES = ("Compact", "ESRGAN")
"""Networks of convolutions only, which OpenVINO can run. Other networks compute with the size of their input,
and tracing would freeze it."""


_FULL: tuple[Precision, ...] = ("float32",)

_Attempt = tuple[str, Precision, Callable[[], DeviceNetwork]]
"""What is tried, in words; its precision; what opens it."""


def open_network(
    model: LoadedModel,
    device: Device,
    requested: Precision | None,
    threads: int,
) -> tuple[DeviceNetwork, str | None]:
    """The model on `device` in the requested or the fastest sound precision.

    A probe tile is run and compared with FP32 on the CPU: in numpy for Compact and RRDBNet, in PyTorch for
    the others. If the result is wrong, PyTorch is tried instead of another executor, then FP32, then the CPU.
    threads: for one operation on the CPU. Returns the network and a note saying what was given up, if
    anything. Raises DeviceMemoryError, and ModelUnusable if not even the reference can be computed.
    """
    architecture = model.architecture
    wanted = requested or preferred_precision(
        device, allows_half=architecture.allows_half, allows_bfloat16=architecture.allows_bfloat16
    )
    on_cpu = partial(open_in_torch, model, cpu_device(), "float32", threads)
    probe = _probe_tile(architecture)
    truth, safest = _truth(model, probe, on_cpu)
    if architecture.cpu_only and safest is not None:
        here = device.type == "cpu"
        return safest, None if here else f"{architecture.name} computes on the CPU, in float32"
    failures = []
    for what, precision, opener in _attempts(model, device, wanted, threads):
        try:
            network = opener()
            result = network.run(probe, np.zeros(1, np.bool_))
        except (RuntimeError, ModelUnusable) as error:  # the device or OpenVINO lacks an operation
            failures.append(f"{what} fails: {first_line(error)}")
            continue
        closeness_db = psnr_db(result.pixels, truth)
        if result.faults[0] is None and closeness_db >= MIN_PSNR_DB:
            return network, "; ".join([*failures, f"using {precision}"]) if failures else None
        failures.append(
            f"{what} computes wrong values ({closeness_db:.0f} dB from FP32, {MIN_PSNR_DB:.0f} dB is needed)"
        )
    return safest or on_cpu(), "; ".join([*failures, "using float32 on the CPU"]) if failures else None


def open_in_torch(model: LoadedModel, device: Device, precision: Precision, threads: int) -> DeviceNetwork:
    """Imports PyTorch. Raises DeviceMemoryError, and ModelUnusable if PyTorch cannot be loaded."""
    try:
        from pixelmend.engine.backends.torch import TorchNetwork, configure_torch
    except ImportError as error:
        raise ModelUnusable(library_missing(model.id, error)) from error
    configure_torch(threads)
    return TorchNetwork(model, device, precision)


def open_exact(model: LoadedModel, device: Device, threads: int) -> DeviceNetwork:
    """The model in FP32, to fall back on. Without PyTorch, OpenVINO computes it on the CPU, else ncnn.

    Raises DeviceMemoryError, and ModelUnusable if nothing here can.
    """
    if device.type == "vulkan":
        return open_in_ncnn(model, device, "float32")
    if device.type == "openvino":
        return _in_openvino(model, device, "float32", threads)
    try:
        return open_in_torch(model, device, "float32", threads)
    except ModelUnusable:
        if device.type != "cpu" or model.architecture.name not in PORTABLE_ARCHITECTURES:
            raise
    try:
        return _in_openvino(model, device, "float32", threads)
    except ModelUnusable:  # it is installed on x86 only: requirements/base.in
        return open_in_ncnn(model, device, "float32", threads)


def _truth(
    model: LoadedModel, probe: Tiles, on_cpu: Callable[[], DeviceNetwork]
) -> tuple[NDArray[Any], DeviceNetwork | None]:
    """What the probe should become, and the network in PyTorch, if that was needed to know it."""
    network = model.architecture.network
    if isinstance(network, CompactNetwork | RrdbNetwork):
        with translating_memory_errors(cpu_device()):
            return np.rint(reference.compute(network, probe)), None
    safest = on_cpu()
    try:
        return safest.run(probe, np.zeros(1, np.bool_)).pixels, safest
    except RuntimeError as error:  # the tensors fit the architecture, and it still fails
        raise ModelUnusable(f"model {model.id!r} cannot be computed: {first_line(error)}") from error


def measure_pace(architecture: Architecture, network: TileNetwork) -> float:
    """Seconds that a pixel of a small tile takes, for a first estimate.

    The second of two calls is measured, since the first one does work that later ones need not do. For a slow
    network the first call is enough. Raises DeviceMemoryError.
    """
    multiple = architecture.multiple_of
    side = -(-max(PACE_EDGE_PX, architecture.minimum_px) // multiple) * multiple
    tile = np.random.default_rng(0).integers(0, 256, (1, side, side, architecture.channels), np.uint8)
    taken_s = 0.0
    for _ in range(2):
        started_s = time.perf_counter()
        network.run(tile, np.zeros(1, np.bool_))
        taken_s = time.perf_counter() - started_s
        if taken_s > SLOW_CALL_S:
            break
    return taken_s / side**2


def _attempts(model: LoadedModel, device: Device, wanted: Precision, threads: int) -> Iterator[_Attempt]:
    """What to try, the best first. If all of them fail, FP32 in PyTorch on the CPU is used."""
    portable = model.architecture.name in PORTABLE_ARCHITECTURES
    if device.type == "vulkan":
        for precision in dict.fromkeys([wanted, *_FULL]):
            yield (
                f"{precision} on {device.name}",
                precision,
                partial(open_in_ncnn, model, device, precision),
            )
        return
    if device.type == "openvino":
        for precision in dict.fromkeys([wanted, *_FULL]):
            yield (
                f"{precision} on {device.name}",
                precision,
                partial(_in_openvino, model, device, precision, threads),
            )
        return
    if device.type == "cpu" and portable and wanted == "float32":
        yield _float32_in_ncnn(model, device, threads)
    if device.type == "cpu" and portable and wanted != "float16":
        yield (
            f"OpenVINO's {wanted} on {device.name}",
            wanted,
            partial(_in_openvino, model, device, wanted, threads),
        )
    for precision in dict.fromkeys([wanted, *_FULL]):
        if (device.type, precision) != ("cpu", "float32"):
            yield (
                f"{precision} on {device.name}",
                precision,
                partial(open_in_torch, model, device, precision, threads),
            )
    if device.type == "cpu" and portable and wanted != "float32":
        yield _float32_in_ncnn(model, device, threads)


def _float32_in_ncnn(model: LoadedModel, device: Device, threads: int) -> _Attempt:
    opener = partial(open_in_ncnn, model, device, "float32", threads)
    return f"ncnn's float32 on {device.name}", "float32", opener


def _in_openvino(model: LoadedModel, device: Device, precision: Precision, threads: int) -> DeviceNetwork:
    name = model.architecture.name
    if name not in PORTABLE_ARCHITECTURES:
        networks = ", ".join(PORTABLE_ARCHITECTURES)
        raise ModelUnusable(f"{name} is not one of the networks for OpenVINO: {networks}")
    try:
        from pixelmend.engine.backends.openvino import OpenVinoNetwork  # a worker for a GPU does not need it
    except ImportError as error:
        raise ModelUnusable(f"OpenVINO cannot be loaded: {error}") from error
    return OpenVinoNetwork(model, device, precision, threads)


def _probe_tile(architecture: Architecture) -> Tiles:
    """A seeded tile with smooth and sharp parts, and a hole for networks that inpaint, (1, H, W, C) uint8."""
    side = -(-max(32, architecture.minimum_px) // architecture.multiple_of) * architecture.multiple_of
    ramp = np.linspace(0, 255, side)
    smooth = np.stack(
        [
            np.add.outer(ramp, ramp) / 2,
            np.subtract.outer(ramp, ramp) / 2 + 127,
            255 - np.add.outer(ramp, ramp) / 2,
        ],
        -1,
    )
    noise = np.random.default_rng(0).uniform(-40, 40, smooth.shape)
    tile = smooth + np.where(np.add.outer(np.arange(side), np.arange(side))[:, :, None] // 8 % 2, noise, 0)
    whole: Tiles = np.zeros((1, side, side, architecture.channels), np.uint8)
    whole[0, :, :, :3] = tile.clip(0, 255)
    whole[0, side // 4 : side // 2, side // 4 : side // 2, 3:] = 255
    return whole
