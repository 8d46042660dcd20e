"""ncnn on Vulkan and on the CPU, in processes of their own: one that has used Vulkan is left by `os._exit`.

Mesa's lavapipe (Debian: mesa-vulkan-drivers) is a Vulkan device on every machine.
"""

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixelmend.engine.backends.ncnn_graph import Convolution, compact_graph, rrdb_graph
from pixelmend.models.ncnn_state import State, read_state
from tests.models.ncnn_networks import compact, rrdb

ROOT = Path(__file__).parents[3]

PREAMBLE = """
    import json, os, sys
    import numpy as np
    import torch
    from pixelmend.engine.backends.compact import from_state
    from pixelmend.engine.backends.ncnn import NcnnNetwork
    from pixelmend.engine.backends.ncnn_graph import Convolution, NcnnGraph, compact_graph, rrdb_graph
    from pixelmend.engine.devices.device import Device, cpu_device
    from pixelmend.engine.devices.vulkan import vulkan_devices
    from pixelmend.models.ncnn_state import read_state
    from tests.engine.backends.test_ncnn import convolutions_of, slopes_of
    from tests.models.ncnn_networks import compact, rrdb

    def vulkan_device():
        found = vulkan_devices()[0]
        return Device("vulkan", found.index, found.name, found.budget_bytes)

    device = {"cpu": cpu_device, "vulkan": vulkan_device}[sys.argv[1]]()
    tiles = np.random.default_rng(0).integers(0, 256, (2, 24, 32, 3), np.uint8)
    tiles[1] = tiles[1, :, :, :1]
    grey = np.array([False, True])

    def end(**values):
        print(json.dumps(values), flush=True)
        os._exit(0)
"""


def convolutions_of(state: State) -> list[Convolution]:
    return [
        Convolution(weight.astype(np.float32), state[name.replace("weight", "bias")].astype(np.float32))
        for name, weight in state.items()
        if weight.ndim == 4
    ]


def slopes_of(state: State) -> list[Any]:
    return [slope for name, slope in state.items() if slope.ndim == 1 and name.endswith("weight")]


on_every_device = pytest.mark.parametrize("device", ["cpu", pytest.param("vulkan", marks=pytest.mark.full)])


def elsewhere(program: str, device: str) -> dict[str, Any]:
    """What a program in another process prints at its end."""
    text = textwrap.dedent(PREAMBLE) + textwrap.dedent(program)
    done = subprocess.run(
        [sys.executable, "-c", text, device],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    values: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return values


def test_written_graphs_are_read_as_the_networks_that_they_are() -> None:
    for param, weights, _ in (rrdb(tag=0),):
        state = read_state(param, weights, "net")
        graph = rrdb_graph(convolutions_of(state))
        again = read_state(graph.param, graph.weights, "written")
        assert again.keys() == state.keys()
        assert all(np.array_equal(again[name], state[name]) for name in state)
    with pytest.raises(ValueError, match="has not 7 convolutions"):
        rrdb_graph(convolutions_of(state)[:7])


def test_a_compact_graph_has_everything_but_the_sum() -> None:
    state = read_state(*compact(scale=2)[:2], "net")
    graph = compact_graph(convolutions_of(state), slopes_of(state), 2)
    assert "Interp" not in graph.param
    assert "PixelShuffle" in graph.param.splitlines()[-1]


@pytest.mark.parametrize(
    ("device", "precision"),
    [
        ("cpu", "float32"),
        pytest.param("vulkan", "float32", marks=pytest.mark.full),
        pytest.param("vulkan", "float16", marks=pytest.mark.full),
    ],
)
def test_a_compact_network_gives_pytorchs_values(device: str, precision: str) -> None:
    values = elsewhere(
        f"""
        state = read_state(*compact(scale=4, hidden=3)[:2], "net")
        graph = compact_graph(convolutions_of(state), slopes_of(state), 4)
        network = NcnnNetwork(graph, device, {precision!r}, 4, adds_input=True)
        result = network.run(tiles, grey)
        torch_network = from_state({{name: torch.from_numpy(a.astype("f4")) for name, a in state.items()}})
        unit = torch.from_numpy(tiles).permute(0, 3, 1, 2).float() / 255
        with torch.inference_mode():
            right = torch_network(unit).clamp(0, 1)
            luma = (right * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)
            right[1] = luma[1]
        right = (right * 255).round().permute(0, 2, 3, 1).numpy()
        apart = np.abs(result.pixels - right)
        end(worst=float(apart.max()), faults=result.faults, label=network.label, shape=result.pixels.shape)
    """,
        device,
    )
    assert values["worst"] <= 1
    assert values["faults"] == [None, None]
    assert values["shape"] == [2, 96, 128, 3]
    assert values["label"].startswith(f"{precision} on ")


@on_every_device
def test_an_rrdbnet_gives_pytorchs_values_in_both_precisions_and_depths(device: str) -> None:
    values = elsewhere(
        """
        import spandrel
        param, weights, _ = rrdb()
        state = read_state(param, weights, "net")
        model = spandrel.ModelLoader().load_from_state_dict(
            {name: torch.from_numpy(a.astype("f4")) for name, a in state.items()}
        ).model.float().eval()
        worst = {}
        for depth in (np.uint8, np.uint16):
            top = np.iinfo(depth).max
            source = tiles.astype(depth) * depth(top // 255)
            with torch.inference_mode():
                unit = torch.from_numpy(source.astype("f4")).permute(0, 3, 1, 2) / float(top)
                right = (model(unit).clamp(0, 1) * float(top)).round().permute(0, 2, 3, 1).numpy()
            for precision in ("float32", "float16") if device.type == "vulkan" else ("float32",):
                network = NcnnNetwork(
                    rrdb_graph(convolutions_of(state)), device, precision, 4, adds_input=False
                )
                result = network.run(source, np.array([False, False]))
                worst[f"{precision} {np.dtype(depth)}"] = float(np.abs(result.pixels - right).max())
        end(**worst)
    """,
        device,
    )
    assert max(value for name, value in values.items() if name.endswith("uint8")) <= 1
    assert values["float32 uint16"] <= 2


@on_every_device
def test_values_that_are_not_finite_are_a_fault(device: str) -> None:
    values = elsewhere(
        """
        state = dict(read_state(*compact(scale=2)[:2], "net"))
        state["body.0.bias"] = np.full_like(state["body.0.bias"], np.inf)
        graph = compact_graph(convolutions_of(state), slopes_of(state), 2)
        end(faults=NcnnNetwork(graph, device, "float32", 2, adds_input=True).run(tiles, grey).faults)
    """,
        device,
    )
    assert values["faults"] == ["not finite", "not finite"]


@on_every_device
def test_ncnns_bad_alloc_is_a_device_without_memory_and_the_next_tile_computes(device: str) -> None:
    values = elsewhere(
        """
        from pixelmend.core.errors import DeviceMemoryError

        class Exhausted:
            def create_extractor(self):
                raise MemoryError("std::bad_alloc")

        state = read_state(*compact(scale=2)[:2], "net")
        graph = compact_graph(convolutions_of(state), slopes_of(state), 2)
        network = NcnnNetwork(graph, device, "float32", 2, adds_input=True)
        right = network.run(tiles, grey).pixels
        network._net = Exhausted()
        try:
            network.run(tiles, grey)
        except DeviceMemoryError as error:
            said = str(error)
        end(said=said, same=bool((network.run(tiles, grey).pixels == right).all()))
    """,
        device,
    )
    assert "a tile of 32x24 px does not fit" in values["said"]
    assert values["same"]


def test_on_the_cpu_memory_of_tiles_is_given_back() -> None:
    values = elsewhere(
        """
        import psutil
        from tests.engine.networks import embedded_model
        from pixelmend.engine.backends.ncnn_models import open_in_ncnn

        network = open_in_ncnn(embedded_model(), device, "float32", threads=2)
        tile = np.random.default_rng(0).integers(0, 256, (1, 256, 256, 3), np.uint8)
        first = network.run(tile, grey[:1]).pixels
        kept = psutil.Process().memory_info().rss
        network.release_memory()
        left = psutil.Process().memory_info().rss
        same = bool((network.run(tile, grey[:1]).pixels == first).all())
        end(freed=kept - left, same=same)
        """,
        "cpu",
    )
    assert values["freed"] > 80e6
    assert values["same"]
