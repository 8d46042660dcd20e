"""What is kept of models that PyTorch was needed for once: docs/adr/0023-start-without-pytorch.md."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from pixelmend.engine.weights.converted_files import Conversion, ConvertedFiles
from pixelmend.engine.weights.files import State, read_weights
from pixelmend.models.catalog import ModelEntry
from pixelmend.models.integrity import checked_file

if TYPE_CHECKING:
    from torch import nn

    from pixelmend.engine.weights.architecture import Architecture, Network

_WEIGHTS = "weights.safetensors"
GRAPH = "graph.xml"
_PROBE, _PIXELS = "probe.npy", "pixels.npy"
_KNOWN = (
    "name",
    "scale",
    "multiple_of",
    "minimum_px",
    "receptive_field_px",
    "allows_half",
    "allows_bfloat16",
    "task",
    "needs_global_context",
    "cpu_only",
)
"""The fields of an Architecture that are kept, which is all but the network."""


@runtime_checkable
class HasGraph(Protocol):
    """An executor whose graph can be kept."""

    def save_graph(self, path: Path) -> None:
        """Writes it to `path`, and beside it. Raises OSError, RuntimeError."""
        ...


@dataclass(frozen=True, slots=True)
class ConvertedNetwork:
    """graph: a file of OpenVINO's. probe, pixels: a tile, and what PyTorch made of it in float32.

    read: the network as PyTorch has it, from the weight file.
    """

    graph: Path
    probe: NDArray[Any]
    pixels: NDArray[Any]
    value_count: int
    read: Callable[[], "Network"]

    def module(self) -> "nn.Module":
        """Imports PyTorch. Raises ModelUnusable if the weight file is not there any more, or another one."""
        return self.read().module()

    def convolutions(self) -> list[tuple[NDArray[Any], NDArray[Any]]]:
        """As those of the network that PyTorch has. Raises ModelUnusable."""
        network: Any = self.read()
        found: list[tuple[NDArray[Any], NDArray[Any]]] = network.convolutions()
        return found


@dataclass(frozen=True, slots=True)
class ConvertedModel:
    """facts: the fields of its Architecture, without the network."""

    sha256: str
    network: ConvertedNetwork
    facts: dict[str, Any]


def has_one_file(entry: ModelEntry) -> bool:
    """Only then is the sha256 of its weights that of all that it is."""
    return len(entry.files) == 1


def read_once_converted(
    files: ConvertedFiles, entry: ModelEntry, is_portable: Callable[[State], bool]
) -> tuple[State, str]:
    """As `read_weights`; what only PyTorch reads is kept as arrays if they are of a portable network."""
    if entry.path.suffix.lower() == ".safetensors" or not has_one_file(entry):
        return read_weights(entry)
    with checked_file(entry.path, entry.sha256) as checked:
        sha256 = checked.sha256
    found = files.find(sha256)
    if found is not None and (found.folder / _WEIGHTS).is_file():
        with safetensors.safe_open(found.folder / _WEIGHTS, "np") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, sha256  # noqa: SIM118
    state, sha256 = read_weights(entry)
    if is_portable(state):
        arrays = {name: np.ascontiguousarray(array) for name, array in state.items()}
        files.keep(sha256, {}, lambda folder: safetensors.numpy.save_file(arrays, folder / _WEIGHTS))
    return state, sha256


def find_converted(
    files: ConvertedFiles, entry: ModelEntry, read: Callable[[str], "Network"]
) -> ConvertedModel | None:
    """The model, if its graph was kept. read: the network, from a file with that sha256.

    Raises ModelUnusable as `checked_file`.
    """
    if not has_one_file(entry):
        return None
    with checked_file(entry.path, entry.sha256) as checked:
        sha256 = checked.sha256
    found = files.find(sha256)
    if found is None or not (found.folder / GRAPH).is_file():
        return None
    try:
        facts = {name: found.facts["architecture"][name] for name in _KNOWN}
        return ConvertedModel(sha256, _network_of(found, lambda: read(sha256)), facts)
    except (OSError, ValueError, KeyError, TypeError) as error:
        files.drop(sha256, str(error))
        return None


def _network_of(found: Conversion, read: Callable[[], "Network"]) -> ConvertedNetwork:
    return ConvertedNetwork(
        found.folder / GRAPH,
        np.load(found.folder / _PROBE, allow_pickle=False),
        np.load(found.folder / _PIXELS, allow_pickle=False),
        int(found.facts["value_count"]),
        read,
    )


def keep_graph(
    files: ConvertedFiles,
    sha256: str,
    architecture: "Architecture",
    probe: NDArray[Any],
    pixels: NDArray[Any],
    executor: object,
) -> None:
    """Keep what PyTorch was needed for, if the executor has a graph. probe, pixels: of ConvertedNetwork."""
    if not isinstance(executor, HasGraph):
        return
    facts = {
        "architecture": {name: getattr(architecture, name) for name in _KNOWN},
        "value_count": architecture.network.value_count,
    }

    def write(folder: Path) -> None:
        executor.save_graph(folder / GRAPH)
        np.save(folder / _PROBE, probe)
        np.save(folder / _PIXELS, pixels)

    files.keep(sha256, facts, write)
