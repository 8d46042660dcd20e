"""From a PyTorch network to an OpenVINO graph."""

import warnings

import openvino as ov
import torch
from openvino.frontend import FrontEndManager
from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

from pixelmend.engine.weights.architecture import Architecture


def trace(architecture: Architecture) -> ov.Model:
    """(N, 3, H, W) float32 to (N, 3, H*scale, W*scale); N, H and W free.

    Through the front end itself: `openvino.convert_model` freezes the traced network first, which takes ten
    times as long, and may report its use over the network.
    """
    side_px = -(-max(16, architecture.minimum_px) // architecture.multiple_of) * architecture.multiple_of
    example = torch.zeros(1, 3, side_px, side_px)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing is deprecated in favour of an exporter that needs minutes
        traced = torch.jit.trace(  # type: ignore[no-untyped-call]
            architecture.network.module(), example, check_trace=False, strict=False
        )
        decoder = TorchScriptPythonDecoder(traced, example_input=example, skip_freeze=True)
    frontend = FrontEndManager().load_by_framework("pytorch")
    graph: ov.Model = frontend.convert(frontend.load(decoder))
    graph.reshape([-1, 3, -1, -1])
    return graph
