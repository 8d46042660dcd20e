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
        graph = rrdb_graph(convolutions_of(state), doublings=2)
        again = read_state(graph.param, graph.weights, "written")
        assert again.keys() == state.keys()
        assert all(np.array_equal(again[name], state[name]) for name in state)


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


@pytest.mark.full
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
                    rrdb_graph(convolutions_of(state), 2), device, precision, 4, adds_input=False
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
def test_a_process_without_memory_is_a_device_without_memory_and_the_next_tile_computes(device: str) -> None:
    values = elsewhere(
        """
        import resource
        import psutil
        from pixelmend.core.errors import DeviceMemoryError
        from pixelmend.engine.backends.ncnn_models import open_in_ncnn
        from tests.engine.networks import embedded_model

        network = open_in_ncnn(embedded_model(), device, "float32")
        tile = np.random.default_rng(0).integers(0, 256, (1, 96, 96, 3), np.uint8)
        right = network.run(tile, grey[:1]).pixels
        network.release_memory()
        said, same = [], []
        for spare_mb in (0, 1, 2, 3, 4, 6, 8):
            limit = psutil.Process().memory_info().vms + (spare_mb << 20)
            resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
            try:
                same.append(bool((network.run(tile, grey[:1]).pixels == right).all()))
            except DeviceMemoryError as error:
                said.append(str(error))
            finally:
                resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        same.append(bool((network.run(tile, grey[:1]).pixels == right).all()))
        end(said=said, same=same)
    """,
        device,
    )
    assert any("a tile of 96x96 px does not fit" in said for said in values["said"])
    assert all(values["same"])


@pytest.mark.full
def test_a_device_that_refuses_any_of_a_tiles_allocations_does_not_end_the_process() -> None:
    values = elsewhere(
        """
        import ncnn
        from pixelmend.core.errors import DeviceMemoryError

        calls, allowed = 0, 1_000_000

        def refusing(allocator):
            given = allocator.fastMalloc

            def fastMalloc(self, *size):  # by another name, pybind11 would call it again and again
                global calls
                calls += 1
                return given(self, *size) if calls <= allowed else None

            allocator.fastMalloc = fastMalloc

        refusing(ncnn.VkBlobAllocator)
        refusing(ncnn.VkStagingAllocator)
        state = read_state(*compact(scale=2)[:2], "net")
        graph = compact_graph(convolutions_of(state), slopes_of(state), 2)
        network = NcnnNetwork(graph, device, "float16", 2, adds_input=True)
        calls = 0
        right = network.run(tiles[:1], grey[:1]).pixels
        refused, total = [], calls
        for allowed in range(total):
            calls = 0
            try:
                network.run(tiles[:1], grey[:1])
            except DeviceMemoryError as error:
                refused.append(str(error))
        allowed = total
        calls = 0
        end(refused=refused, total=total, same=bool((network.run(tiles[:1], grey[:1]).pixels == right).all()))
    """,
        "vulkan",
    )
    assert values["total"] > 3
    assert len(values["refused"]) == values["total"]
    assert all("a tile of 32x24 px does not fit" in said for said in values["refused"])
    assert values["same"]


@pytest.mark.full
def test_weights_that_do_not_fit_are_told_before_ncnn_reads_them() -> None:
    values = elsewhere(
        """
        import ncnn
        from pixelmend.core.errors import DeviceMemoryError

        ncnn.VkBlobAllocator.fastMalloc = lambda self, *size: None
        state = read_state(*compact(scale=2)[:2], "net")
        graph = compact_graph(convolutions_of(state), slopes_of(state), 2)
        try:
            NcnnNetwork(graph, device, "float16", 2, adds_input=True)
        except DeviceMemoryError as error:
            end(said=str(error))
    """,
        "vulkan",
    )
    assert "vkAllocateMemory failed" in values["said"]


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
