"""PyTorch's process-wide switches, set once by a worker's main."""

import torch


def configure_torch(threads: int) -> None:
    """threads: for one operation; the physical cores, since hyper-threads only get in each other's way."""
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    # Tiles of one plan have one shape, so the search for the fastest kernel pays once per shape.
    torch.backends.cudnn.benchmark = True
