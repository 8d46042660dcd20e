"""A network that OpenVINO runs: on the CPU (docs/adr/0006-openvino.md), on Intel's GPUs (0026)."""

import threading
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from pixelmend.engine.backends.memory_errors import translating_memory_errors
from pixelmend.engine.backends.network import NetworkOutput, Tiles, find_faults
from pixelmend.engine.backends.openvino_graphs import export, with_integer_ends
from pixelmend.engine.devices.device import Device
from pixelmend.engine.devices.precision import Precision, has_amx
from pixelmend.engine.weights.architecture import LoadedModel
from pixelmend.imaging.tile_rules import WidthCost

_CACHED_KERNELS = 256
"""Enough for the layers of several sizes of tiles. By default OpenVINO keeps 5,000; every new size adds a
megabyte, so that a worker that sees images of all sizes would grow by gigabytes."""

_HINTS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}

FLOAT16_SUM_FACTOR = 2.0**-14
"""Float16 ends at 65,504, which the sum of a tile's values would exceed; it has to be finite, and no more."""


@dataclass(frozen=True, slots=True)
class _Program:
    """A compiled graph for tiles of one dtype, with or without grey ones among them; any batch, any size."""

    request: ov.InferRequest
    takes_grey: bool


class OpenVinoNetwork:
    """`model` by the plugin that its device names. One batch at a time: a second caller waits.

    Compiled once for all sizes of tiles. threads: the number that one batch may use on the CPU.
    """

    def __init__(self, model: LoadedModel, device: Device, precision: Precision, threads: int) -> None:
        """precision: float32, or bfloat16 on the CPU, or float16 on a GPU. Raises DeviceMemoryError."""
        self.device = device
        self.precision = precision
        self.scale = model.scale
        self._architecture = model.architecture
        self._threads = threads
        self._has_amx = has_amx()
        self._turn = threading.Lock()
        self._core = ov.Core()
        with translating_memory_errors(device):
            self._graph = export(model.architecture)
        self._programs: dict[tuple[np.dtype[Any], bool], _Program] = {}

    @property
    def label(self) -> str:
        return f"{self.precision} on {self.device.name}"

    @property
    def width_cost(self) -> WidthCost:
        if self.precision != "bfloat16" or not self._has_amx:
            return WidthCost()
        # oneDNN's kernels for AMX take 16 pixels of a row at once and find their best blocking for these
        # widths, with 64 channels as with 32 (docs/adr/0006-openvino.md).
        return WidthCost(favoured=(224, 248), favoured_cost=0.84, aligned_to=16, unaligned_cost=1.1)

    def run(self, tiles: Tiles, grey: NDArray[np.bool_]) -> NetworkOutput:
        with self._turn, translating_memory_errors(self.device):
            program = self._program(tiles.dtype, takes_grey=bool(grey.any()))
            inputs: list[Any] = [np.ascontiguousarray(tiles)]
            if program.takes_grey:
                inputs.append(grey.reshape(-1, 1, 1, 1, 1))
            try:
                program.request.infer(inputs, share_inputs=True)
            except RuntimeError:
                # After an allocation that failed, a graph fails for smaller tiles as well.
                self._programs.clear()
                raise
            # Copies: the request's own memory is written again by the next batch.
            pixels = cast("Tiles", program.request.get_output_tensor(0).data.copy())
            sums = program.request.get_output_tensor(1).data.copy()
        return NetworkOutput(pixels, find_faults(tiles, pixels, sums))

    def _program(self, dtype: np.dtype[Any], *, takes_grey: bool) -> _Program:
        key = (dtype, takes_grey)
        if key not in self._programs:
            factor = FLOAT16_SUM_FACTOR if self.precision == "float16" else 1.0
            graph = with_integer_ends(
                self._graph, self._architecture, dtype, takes_grey=takes_grey, sum_factor=factor
            )
            compiled = self._core.compile_model(graph, self.device.plugin, self._options())
            self._require_precision(compiled)
            self._programs[key] = _Program(compiled.create_infer_request(), takes_grey)
        return self._programs[key]

    def _require_precision(self, compiled: ov.CompiledModel) -> None:
        """Raises RuntimeError if the plugin took another one, as it may if the hardware lacks ours."""
        taken = compiled.get_property("INFERENCE_PRECISION_HINT")
        if self.device.type == "openvino" and taken != getattr(ov.Type, _HINTS[self.precision]):
            raise RuntimeError(f"the plugin computes {taken.get_type_name()} instead")

    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": _HINTS[self.precision],
            "PERFORMANCE_HINT": "LATENCY",
        }
        if self.device.plugin == "CPU":
            options["INFERENCE_NUM_THREADS"] = self._threads
            # Pinned, two processes of one thread each would share one core (docs/adr/0029).
            options["ENABLE_CPU_PINNING"] = False
            options["CPU_RUNTIME_CACHE_CAPACITY"] = _CACHED_KERNELS
        return options
