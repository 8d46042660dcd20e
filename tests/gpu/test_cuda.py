"""What only a CUDA machine can show; elsewhere these are skipped and nothing else stands in for them."""

import numpy as np
import pytest
import torch

from pixelmend.engine.device import choose_device, cpu_device, physical_cores
from pixelmend.engine.opening import open_network
from pixelmend.engine.precision import psnr_db
from pixelmend.engine.runtime import configure_torch
from pixelmend.engine.torch_network import TorchNetwork
from tests.engine.networks import colour, embedded_model, photo

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")


def test_auto_takes_the_gpu_in_half_precision_and_it_computes_what_it_claims() -> None:
    device = choose_device("auto")
    assert device.type == "cuda"
    model = embedded_model()
    network, note = open_network(model, device, None)
    assert (network.device.type, network.precision, note) == ("cuda", "float16", None)
    tile = photo("astronaut", 128, 128)[None]
    on_gpu = network.run(tile, colour()).pixels
    on_cpu = TorchNetwork(model, cpu_device(), "float32").run(tile, colour()).pixels
    assert psnr_db(torch.from_numpy(on_gpu) / 255, torch.from_numpy(on_cpu) / 255) >= 50


def test_float32_on_the_gpu_equals_the_cpu_within_one_step() -> None:
    configure_torch(physical_cores())  # as the worker does: without it cuDNN computes in TF32
    model = embedded_model()
    tile = photo("coffee", 96, 96)[None]
    on_gpu = TorchNetwork(model, choose_device("cuda"), "float32").run(tile, colour()).pixels
    on_cpu = TorchNetwork(model, cpu_device(), "float32").run(tile, colour()).pixels
    assert np.abs(on_gpu.astype(int) - on_cpu.astype(int)).max() <= 1
