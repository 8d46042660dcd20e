"""ONNX Runtime in FP32: the spandrel network through torch.onnx.export, a thread for every core."""

import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.peers.common import arguments, interleaved, missing, planar, spandrel_network, take_turns


def main() -> int:
    options = arguments()
    try:
        import onnxruntime
        import torch

        network = spandrel_network(options).model
        picture = planar(np.load(options.input))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "network.onnx"
            torch.onnx.export(
                network,
                (torch.from_numpy(picture),),
                str(path),
                input_names=["image"],
                output_names=["result"],
                dynamo=True,
                verbose=False,
            )
            settings = onnxruntime.SessionOptions()
            settings.intra_op_num_threads = options.threads
            session = onnxruntime.InferenceSession(
                str(path), sess_options=settings, providers=["CPUExecutionProvider"]
            )
    except ImportError as error:
        return missing(error)
    return take_turns(options, lambda: session.run(None, {"image": picture})[0], interleaved)


if __name__ == "__main__":
    sys.exit(main())
