"""A plain half-precision forward of RRDBNet in PyTorch: what there is where realesrgan is not installed."""

import sys

import numpy as np
import torch

from benchmarks.peers.common import arguments, interleaved, planar, take_turns
from benchmarks.peers.rrdbnet import RRDBNet


def main() -> int:
    options = arguments()
    network = RRDBNet().eval()
    network.load_state_dict(torch.load(options.weights, weights_only=True)["params_ema"])
    network.to(options.device, torch.float16 if options.precision == "float16" else torch.float32)
    picture = torch.from_numpy(planar(np.load(options.input)))
    dtype = next(network.parameters()).dtype

    @torch.inference_mode()
    def run() -> torch.Tensor:
        result: torch.Tensor = network(picture.to(options.device, dtype))
        return result.float().cpu()

    return take_turns(options, run, lambda result: interleaved(result.numpy()))


if __name__ == "__main__":
    sys.exit(main())
