"""A network as spandrel loads it, called with a tensor: FP32 as it comes, bfloat16 in channels_last."""

import sys

import numpy as np
import torch

from benchmarks.peers.common import arguments, interleaved, missing, planar, spandrel_network, take_turns


def main() -> int:
    options = arguments()
    try:
        network = spandrel_network(options)
    except ImportError as error:
        return missing(error)
    tensor = torch.from_numpy(planar(np.load(options.input)))
    if options.precision == "bfloat16":
        network.model.to(dtype=torch.bfloat16, memory_format=torch.channels_last)
        tensor = tensor.to(dtype=torch.bfloat16, memory_format=torch.channels_last)
    torch.set_num_threads(options.threads)

    @torch.inference_mode()
    def run(image: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = network(image)
        return result

    return take_turns(
        options,
        lambda: run(tensor),
        lambda result: interleaved(result.float().numpy()),
        lambda: run(tensor[:, :, :64, :64]),
    )


if __name__ == "__main__":
    sys.exit(main())
