"""The machine's own rate: the product of two square matrices in PyTorch.

    python -m benchmarks.peers.matmul --precision bfloat16 --side 4096 --threads 2

Takes turns like the other peers; a run's seconds are of one product.
"""

import argparse
import json
import sys
import time

import torch


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--precision", choices=["float32", "bfloat16", "float16"], required=True)
    parser.add_argument("--side", type=int, default=4096)
    parser.add_argument("--products", type=int, default=3, help="timed together in a run")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    dtype: torch.dtype = getattr(torch, options.precision)
    a, b = (torch.randn(options.side, options.side, device=options.device).to(dtype) for _ in range(2))

    def products(count: int) -> float:
        began_s = time.perf_counter()
        for _ in range(count):
            torch.mm(a, b)
        if options.device == "cuda":
            torch.cuda.synchronize()
        return (time.perf_counter() - began_s) / count

    with torch.inference_mode():
        products(1)
        print(json.dumps({"ready": True}), flush=True)
        for _ in sys.stdin:
            print(json.dumps({"seconds": products(options.products)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
