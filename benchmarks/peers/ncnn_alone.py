"""ncnn alone, with its own options: the layers and weights as our writer of graphs puts them down."""

import sys
from pathlib import Path

import numpy as np

from benchmarks.peers.common import arguments, interleaved, missing, planar, spandrel_network, take_turns


def main() -> int:
    options = arguments()
    picture = planar(np.load(options.input))[0]
    try:
        import ncnn
        import torch

        network = spandrel_network(options).model
    except ImportError as error:
        return missing(error)
    sys.path.insert(0, str(Path(__file__).parents[2] / "backend"))
    from pixelmend.engine.backends.ncnn_graph import INPUT, OUTPUT, Convolution, compact_graph, rrdb_graph

    modules = list(network.modules())
    convolutions = [
        Convolution(*(values.detach().numpy() for values in each.parameters()))
        for each in modules
        if isinstance(each, torch.nn.Conv2d)
    ]
    is_compact = options.architecture == "compact"
    if is_compact:
        slopes = [each.weight.detach().numpy() for each in modules if isinstance(each, torch.nn.PReLU)]
        graph = compact_graph(convolutions, slopes, 4)
    else:
        graph = rrdb_graph(convolutions, doublings=2)
    net = ncnn.Net()
    net.opt.num_threads = options.threads
    net.load_param_mem(graph.param)
    net.load_model_mem(graph.weights)

    def run() -> object:
        extractor = net.create_extractor()
        extractor.input(INPUT, ncnn.Mat(picture).clone())
        _, output = extractor.extract(OUTPUT)
        values = np.array(output)
        if is_compact:
            values += picture.repeat(4, axis=1).repeat(4, axis=2)
        return values[None]

    return take_turns(options, run, interleaved)


if __name__ == "__main__":
    sys.exit(main())
