"""OpenVINO alone: convert_model of the spandrel network, compiled for the CPU with a latency hint."""

import sys

import numpy as np

from benchmarks.peers.common import arguments, interleaved, missing, planar, spandrel_network, take_turns


def main() -> int:
    options = arguments()
    picture = planar(np.load(options.input))
    try:
        import openvino
        import torch

        network = spandrel_network(options).model
        converted = openvino.convert_model(
            network, example_input=torch.zeros(1, 3, 32, 32), input=list(picture.shape)
        )
    except ImportError as error:
        return missing(error)
    compiled = openvino.compile_model(
        converted,
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": "bf16" if options.precision == "bfloat16" else "f32",
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": options.threads,
        },
    )
    return take_turns(options, lambda: compiled(picture)[0], interleaved)


if __name__ == "__main__":
    sys.exit(main())
