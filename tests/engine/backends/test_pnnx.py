"""Networks other than Compact and RRDBNet on Vulkan (Mesa's lavapipe), written by `pnnx`."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.full

PREAMBLE = """
    import json, os, sys
    from pathlib import Path
    import numpy as np
    import torch
    from pixelmend.engine.backends.selection import open_in_torch, open_network
    from pixelmend.engine.devices.device import choose_device, cpu_device
    from tests.engine.networks import colour, model_from

    folder = Path(sys.argv[1])
    torch.manual_seed(0)

    def opened(network, change=lambda model: model):
        model = change(model_from(dict(network.state_dict()), folder))
        network, note = open_network(model, choose_device("vulkan"), "float32", 2)
        worst = 0
        for height, width in ((48, 72), (64, 40)):
            tile = np.random.default_rng(0).integers(0, 256, (1, height, width, 3), np.uint8)
            right = open_in_torch(model, cpu_device(), "float32", 2).run(tile, colour()).pixels
            worst = max(worst, int(np.abs(network.run(tile, colour()).pixels.astype(int) - right).max()))
        print(json.dumps({"device": network.device.type, "note": note, "worst": worst}), flush=True)
        os._exit(0)
"""


def elsewhere(program: str, folder: Path) -> dict[str, Any]:
    """What a program in another process prints at its end."""
    text = textwrap.dedent(PREAMBLE) + textwrap.dedent(program)
    command = [sys.executable, "-c", text, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=200)
    assert done.returncode == 0, done.stderr
    values: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return values


SPAN = """
    from spandrel.architectures.SPAN import SPAN
    opened(SPAN(num_in_ch=3, num_out_ch=3, feature_channels=16, upscale=2))
"""


def test_a_network_of_convolutions_and_attention_by_pixel_runs_there(tmp_path: Path) -> None:
    values = elsewhere(SPAN, tmp_path)
    assert (values["device"], values["note"]) == ("vulkan", None)
    assert values["worst"] <= 1


def test_without_the_program_it_is_computed_elsewhere_and_the_note_says_what_adds_it(tmp_path: Path) -> None:
    values = elsewhere('\n    sys.modules["pnnx"] = None' + SPAN, tmp_path)
    assert values["device"] == "cpu"
    assert "pip install 'pixelmend[torch,pnnx]'" in values["note"]
    assert values["worst"] == 0


def test_what_the_program_writes_wrongly_is_computed_elsewhere_and_said(tmp_path: Path) -> None:
    """The size of the traced picture is a constant in this network."""
    values = elsewhere(
        """
        from dataclasses import replace
        from spandrel.architectures.SPAN import SPAN
        from pixelmend.engine.weights.tensors import ModuleNetwork

        class Sized(torch.nn.Module):
            def __init__(self, inner):
                super().__init__()
                self.inner = inner

            def forward(self, picture):
                return self.inner(picture) * float(picture.shape[2]) / 48

        def sized(model):
            network = ModuleNetwork(Sized(model.architecture.network.module()))
            return replace(model, architecture=replace(model.architecture, name="Sized", network=network))

        opened(SPAN(num_in_ch=3, num_out_ch=3, feature_channels=16, upscale=2), sized)
        """,
        tmp_path,
    )
    assert values["device"] == "cpu"
    assert "computes wrong values" in values["note"]
    assert values["worst"] == 0
