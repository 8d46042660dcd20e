"""PyTorch's process-wide switches, set once by a worker's main."""

import torch


def configure_torch(threads: int) -> None:
    """threads: for one operation; the number of physical cores, since hyper-threads slow each other down."""
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    # Tiles of one plan have one shape, so the search for the fastest kernel pays once per shape.
    torch.backends.cudnn.benchmark = True
    # cuDNN would otherwise round "float32" convolutions to TF32's 10 bits, which bands 16-bit images.
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
