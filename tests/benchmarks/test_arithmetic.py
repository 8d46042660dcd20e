"""What the benchmarks make of times, counts and headers."""

from dataclasses import replace

import httpx
import pytest

from benchmarks.cases.networks import peer_scripts
from benchmarks.machine import describe_machine
from benchmarks.memory import parse_peak_bytes
from benchmarks.service import read_provenance
from benchmarks.timing import compare, interleave, percentile
from benchmarks.work import compact_convolutions, flop_per_pixel, matmul_flop, rrdb_convolutions


def test_every_contestant_runs_once_a_round_and_they_take_turns_at_being_first() -> None:
    order: list[str] = []

    def contestant(name: str, seconds: float) -> float:
        order.append(name)
        return seconds

    found = interleave(
        {"a": lambda: contestant("a", 1.0), "b": lambda: contestant("b", 2.0)}, rounds=3, rest_s=0
    )
    assert found == {"a": [1.0, 1.0, 1.0], "b": [2.0, 2.0, 2.0]}
    assert order == ["a", "b", "b", "a", "a", "b"]


def test_a_comparison_is_of_medians_and_shows_the_rounds_spread() -> None:
    found = compare([1.0, 2.0, 10.0], [6.0, 6.0, 10.0])
    assert (found.ours_s, found.peer_s, found.ratio) == (2.0, 6.0, 3.0)
    assert (found.lowest, found.highest) == (1.0, 6.0)


def test_rounds_without_a_partner_are_refused() -> None:
    with pytest.raises(ValueError):
        compare([1.0], [1.0, 2.0])


@pytest.mark.parametrize(("percent", "expected"), [(0, 1), (50, 50), (95, 95), (99, 99), (100, 100)])
def test_percentile_is_the_nearest_rank(percent: float, expected: float) -> None:
    assert percentile([float(v) for v in range(100, 0, -1)], percent) == expected


def test_percentile_of_few_is_one_of_them() -> None:
    assert percentile([3.0, 1.0, 2.0], 95) == 3.0
    with pytest.raises(ValueError):
        percentile([], 50)


def test_work_of_the_networks() -> None:
    # 2 * 9 * (3*64 + 16 * 64*64 + 64*48)
    assert flop_per_pixel(compact_convolutions()) == 1_238_400
    assert flop_per_pixel(rrdb_convolutions(blocks=0)) == 18 * (3 * 64 + 37 * 64 * 64 + 16 * 64 * 3)
    one_block = flop_per_pixel(rrdb_convolutions(blocks=1)) - flop_per_pixel(rrdb_convolutions(blocks=0))
    assert one_block == 3 * 18 * (32 * (64 + 96 + 128 + 160) + 192 * 64)
    assert matmul_flop(4096) == 137_438_953_472


def test_work_is_that_of_the_real_modules() -> None:
    import torch
    from torch import nn

    from benchmarks.peers.rrdbnet import RRDBNet, picture_like_state

    state = picture_like_state(blocks=1)
    network = RRDBNet(blocks=1).eval()
    network.load_state_dict(state)
    counted = 0

    def count(module: nn.Module, inputs: object, output: torch.Tensor) -> None:
        nonlocal counted
        assert isinstance(module, nn.Conv2d)
        counted += 2 * module.weight.numel() * output.shape[2] * output.shape[3]

    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(count)
    with torch.inference_mode():
        result = network(torch.linspace(0, 1, 3 * 8 * 8).reshape(1, 3, 8, 8))
    assert result.shape == (1, 3, 32, 32)
    assert counted == 64 * flop_per_pixel(rrdb_convolutions(blocks=1))
    # Looks like its input: neither flat nor out of range nearly everywhere.
    assert 0.1 < float(result.std()) < 0.6


def test_provenance_is_read_from_the_headers() -> None:
    headers = {
        "X-Pixelmend-Model": "pixelmend-x4",
        "X-Pixelmend-Device": "cpu; some CPU",
        "X-Pixelmend-Precision": "bfloat16",
        "X-Pixelmend-Size": "2048x1024",
        "X-Pixelmend-Tiles": "6; px=224x282",
        "X-Pixelmend-Seconds": "0.500",
        "Server-Timing": "decode;dur=12.5, device;dur=300.0, encode;dur=7.0",
    }
    found = read_provenance(httpx.Headers(headers))
    assert (found.width_px, found.height_px) == (2048, 1024)
    assert found.computed_pixels == 6 * 224 * 282
    assert (found.decode_s, found.device_s, found.encode_s) == (0.0125, 0.3, 0.007)
    edge_only = read_provenance(httpx.Headers(headers | {"X-Pixelmend-Tiles": "2; px=256"}))
    assert edge_only.computed_pixels == 2 * 256 * 256


def test_peak_memory_is_read_from_the_kernels_text() -> None:
    assert parse_peak_bytes("VmPeak:\t  9 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n") == 2048 * 1024
    with pytest.raises(ValueError):
        parse_peak_bytes("Name: something\n")


@pytest.mark.parametrize("flag", ["amx_bf16", "avx512_bf16", None])
def test_a_cpu_without_bfloat16_is_not_asked_for_it(flag: str | None) -> None:
    """A single product of the size that is timed would take it minutes."""
    machine = replace(describe_machine(), flags=("avx2", *filter(None, [flag])))
    assert machine.precisions == (("float32", "bfloat16") if flag else ("float32",))
    scripts = peer_scripts(machine.precisions)
    assert {precision for _, _, precision in scripts} == set(machine.precisions)
    assert {"RealESRGANer float32", "spandrel float32", "OpenVINO float32"} <= {
        name for name, _, _ in scripts
    }
