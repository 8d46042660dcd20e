"""From a PyTorch network to ncnn's graph, by the program `pnnx` (the extra `pnnx`)."""

import subprocess
import tempfile
import warnings
from pathlib import Path

from pixelmend.core.errors import ModelUnusable
from pixelmend.engine.backends.memory_errors import first_line
from pixelmend.engine.backends.ncnn_graph import NcnnGraph
from pixelmend.engine.weights.architecture import Architecture
from pixelmend.models.missing_libraries import library_missing

ADDED_BY = "`pip install 'pixelmend[torch,pnnx]'` adds what writes it for Vulkan"
_TIMEOUT_S = 300.0
_EXAMPLE_PX = 48
_OTHER_PX = 64
"""A second size, so that the program keeps height and width free."""


def convert(architecture: Architecture) -> NcnnGraph:
    """(3, H, W) to (3, H*scale, W*scale), H and W free; takes some seconds.

    Raises ModelUnusable if the program is not there, or cannot write this network. Whether the graph computes
    what it should is the caller's to find out.
    """
    name = architecture.name
    if architecture.channels != 3:
        raise ModelUnusable(f"{name} takes {architecture.channels} channels, which no graph is written for")
    try:
        import pnnx
    except ImportError as error:
        raise ModelUnusable(f"{name} cannot be written as ncnn's graph: {error}; {ADDED_BY}") from error
    try:
        import torch
    except ImportError as error:
        raise ModelUnusable(library_missing(name, error)) from error
    multiple = architecture.multiple_of
    sides_px = [
        -(-max(px, architecture.minimum_px) // multiple) * multiple for px in (_EXAMPLE_PX, _OTHER_PX)
    ]
    with tempfile.TemporaryDirectory(prefix="pixelmend-pnnx-") as folder:
        traced_path = Path(folder) / "network.pt"
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tracing is deprecated, and pnnx reads nothing else
            try:
                example = torch.zeros(1, 3, sides_px[0], sides_px[0])
                traced = torch.jit.trace(  # type: ignore[no-untyped-call]
                    architecture.network.module(), example, check_trace=False
                )
                traced.save(str(traced_path))
            except RuntimeError as error:
                raise ModelUnusable(f"{name} cannot be traced: {first_line(error)}") from error
        first, second = (f"[1,3,{side},{side}]f32" for side in sides_px)
        command = [pnnx.EXEC_PATH, traced_path.name, f"inputshape={first}", f"inputshape2={second}", "fp16=0"]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, timeout=_TIMEOUT_S, check=False)
            param = (Path(folder) / "network.ncnn.param").read_text()
            weights = (Path(folder) / "network.ncnn.bin").read_bytes()
        except subprocess.TimeoutExpired as error:
            raise ModelUnusable(f"pnnx did not write {name} within {_TIMEOUT_S:g} s") from error
        except FileNotFoundError as error:
            said = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["nothing"]
            raise ModelUnusable(
                f"pnnx cannot write {name} (status {done.returncode}): {said[0][:200]}"
            ) from error
    return NcnnGraph(param, weights, input="in0", output="out0")
