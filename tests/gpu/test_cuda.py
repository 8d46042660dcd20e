"""What only a CUDA machine can show; elsewhere these are skipped and nothing else stands in for them."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from pixelmend.engine.backends.selection import open_network
from pixelmend.engine.backends.torch import TorchNetwork, configure_torch
from pixelmend.engine.devices.cuda import bus_id_of, free_bytes_of
from pixelmend.engine.devices.device import choose_device, cpu_device, physical_cores
from pixelmend.engine.devices.memory import memory_of
from pixelmend.engine.devices.precision import psnr_db
from pixelmend.engine.model_cache.peak_memory import PeakMemoryProbe, ProbedNetwork, memory_counter_of
from pixelmend.engine.monitoring.sensors import sensors_of
from tests.engine.networks import colour, embedded_model, photo

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")


def test_auto_takes_the_gpu_in_half_precision_and_it_computes_what_it_claims() -> None:
    device = choose_device("auto")
    assert device.type == "cuda"
    model = embedded_model()
    network, note = open_network(model, device, None, physical_cores())
    assert (network.device.type, network.precision, note) == ("cuda", "float16", None)
    tile = photo("astronaut", 128, 128)[None]
    on_gpu = network.run(tile, colour()).pixels
    on_cpu = TorchNetwork(model, cpu_device(), "float32").run(tile, colour()).pixels
    assert psnr_db(on_gpu, on_cpu) >= 50


def test_float32_on_the_gpu_equals_the_cpu_within_one_step() -> None:
    configure_torch(physical_cores())  # as the worker does: without it cuDNN computes in TF32
    model = embedded_model()
    tile = photo("coffee", 96, 96)[None]
    on_gpu = TorchNetwork(model, choose_device("cuda"), "float32").run(tile, colour()).pixels
    on_cpu = TorchNetwork(model, cpu_device(), "float32").run(tile, colour()).pixels
    assert np.abs(on_gpu.astype(int) - on_cpu.astype(int)).max() <= 1


def test_two_threads_with_streams_of_their_own_do_not_disturb_one_another() -> None:
    network = TorchNetwork(embedded_model(), choose_device("cuda"), "float16")
    tiles = [photo("astronaut", 96, 96, top=8 * i)[None] for i in range(8)]
    alone = [network.run(tile, colour()).pixels for tile in tiles]
    with ThreadPoolExecutor(2) as threads:
        together = list(threads.map(lambda tile: network.run(tile, colour()).pixels, tiles * 10))
    for i, pixels in enumerate(together):
        np.testing.assert_array_equal(pixels, alone[i % len(tiles)])


def test_results_outlive_the_next_batch() -> None:
    """Pinned memory is used again and again; a result must not be what is used again."""
    network = TorchNetwork(embedded_model(), choose_device("cuda"), "float16")
    first = network.run(photo("astronaut", 64, 64)[None], colour()).pixels
    kept = first.copy()
    for _ in range(20):
        network.run(np.zeros((1, 64, 64, 3), np.uint8), colour())
    np.testing.assert_array_equal(first, kept)


def test_nvml_finds_the_device_that_pytorch_means() -> None:
    bus_ids = [bus_id_of(index) for index in range(torch.cuda.device_count())]
    free = free_bytes_of(bus_ids)
    assert free is not None
    for index, seen in enumerate(free):
        assert seen == pytest.approx(torch.cuda.mem_get_info(index)[0], rel=0.05, abs=2**30)
    reading = sensors_of(choose_device("cuda")).read()
    assert not reading.lost
    assert reading.temperature_c is not None


def test_what_a_call_takes_is_what_the_allocator_counted() -> None:
    device = choose_device("cuda")
    network = TorchNetwork(embedded_model(), device, "float16")
    seen: list[tuple[int, int]] = []
    probed = ProbedNetwork(
        network, PeakMemoryProbe(memory_counter_of(device)), lambda px, peak: seen.append((px, peak))
    )
    before = memory_of(device).read()
    probed.run(np.zeros((4, 128, 128, 3), np.uint8), colour(4))
    ((px, peak),) = seen
    assert px == 4 * 128 * 128
    assert 100 < peak / px < 10_000
    after = memory_of(device).read()
    assert after.own_bytes - before.own_bytes < peak
    assert after.capacity_bytes == device.total_bytes
