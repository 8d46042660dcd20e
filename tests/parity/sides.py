"""The two sides that parity tests compare: Real-ESRGAN's own code, and ours, with the same weights."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from pixelmend.core.geometry import Size
from pixelmend.engine.backends.network import TileNetwork
from pixelmend.engine.recovery.runner import ResilientRunner
from pixelmend.engine.recovery.tiling import Tiling
from pixelmend.engine.tile_job import TileJob
from pixelmend.engine.tile_scheduler import TileScheduler
from pixelmend.engine.weights.architecture import LoadedModel
from pixelmend.engine.weights.compact import config_of
from pixelmend.imaging.canvas import Canvas
from pixelmend.imaging.tiling import plan_tiles
from tests.engine.networks import ROOT, AtOnce

Bytes = NDArray[np.uint8]
Pictures = Mapping[str, Bytes]
"""(H, W, C) by their names."""


def reference_python() -> Path:
    folder = ROOT / ".venv-reference"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not python.exists():
        pytest.fail("the reference implementation is not installed: run `make .venv-reference/.stamp`")
    return python


def upscaled_by_reference(
    state: Mapping[str, Tensor], scale: int, pictures: Pictures, folder: Path
) -> dict[str, Bytes]:
    """By RealESRGANer in FP32, untiled, without its own margin. state: by upstream's names."""
    torch.save({"params": {name: tensor.float() for name, tensor in state.items()}}, folder / "weights.pth")
    (folder / "network.json").write_text(json.dumps(_arguments(state, scale)))
    for name, pixels in pictures.items():
        np.save(folder / f"{name}.in.npy", pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    runner = Path(__file__).with_name("reference_runner.py")
    done = subprocess.run(
        [reference_python(), "-W", "ignore", runner, folder], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    results = {name: np.load(folder / f"{name}.out.npy") for name in pictures}
    return {name: result[:, :, None] if result.ndim == 2 else result for name, result in results.items()}


def _arguments(state: Mapping[str, Tensor], scale: int) -> dict[str, Any]:
    """The class of upstream's network and its arguments."""
    config = config_of(state)
    if config is not None:
        arguments = {"num_feat": config.features, "num_conv": config.hidden, "upscale": scale}
        return {"kind": "SRVGGNetCompact", "scale": scale, "arguments": arguments}
    blocks = 1 + max(int(name.split(".")[1]) for name in state if ".rdb1." in name)
    arguments = {"num_feat": 64, "num_block": blocks, "num_grow_ch": 32, "scale": scale}
    return {"kind": "RRDBNet", "scale": scale, "arguments": arguments}


def upscaled_by_us(
    model: LoadedModel, network: TileNetwork, pictures: Pictures, tile_px: int
) -> dict[str, Bytes]:
    """Through tiles, batches and canvas as in the service, without its margin."""
    demands = model.architecture
    tiling = Tiling(
        model.overlap_px, model.blend_px, demands.multiple_of, demands.minimum_px, model.minimum_core_px
    )
    runner = ResilientRunner(tiling, [lambda: network])
    scheduler = TileScheduler(2)
    rows: dict[str, list[Any]] = {name: [] for name in pictures}
    failures: list[Exception] = []
    for name, pixels in pictures.items():
        plan = plan_tiles(
            Size(pixels.shape[1], pixels.shape[0]),
            tile_px=tile_px,
            overlap_px=tiling.overlap_px,
            blend_px=tiling.blend_px,
            minimum_core_px=tiling.minimum_core_px,
        )
        scheduler.add(
            TileJob(
                id=name,
                runner=runner,
                plan=plan,
                pixels=pixels,
                canvas=Canvas(plan, model.scale, pixels.shape[2], pixels.dtype, rows[name].append),
                encoder=AtOnce(),
                on_progress=lambda done, total: None,
                on_finished=lambda job: None,
                on_failed=lambda job, error: failures.append(error),
            )
        )
    while scheduler.step():
        pass
    assert not failures
    return {name: np.concatenate(parts) for name, parts in rows.items()}


def difference(a: Bytes, b: Bytes) -> tuple[int, float]:
    """Greatest difference in 8-bit steps, and the share of equal values."""
    apart = np.abs(a.astype(int) - b.astype(int))
    return int(apart.max()), float((apart == 0).mean())
