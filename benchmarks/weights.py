"""The weights that ours and the peers compute with, as the .pth files that RealESRGANer reads."""

import os
from pathlib import Path

from benchmarks.machine import ROOT

OFFICIAL = "realesr-animevideov3-x4"
RRDB = "benchmark-rrdb-x4"
_EMBEDDED = ROOT / "backend/pixelmend/models/weights/pixelmend-x4.safetensors"


def compact_weights(models: Path) -> tuple[Path, str]:
    """Upstream's weights, or the embedded ones where they are not at hand, put into `models`.

    Returns the file and what it holds.
    """
    models.mkdir(parents=True, exist_ok=True)
    folder = Path(os.environ.get("PIXELMEND_TEST_WEIGHTS", ROOT.parent / "shared" / "weights"))
    official = folder / f"{OFFICIAL}.pth"
    if official.is_file():
        target = models / official.name
        target.write_bytes(official.read_bytes())
        return target, f"official {OFFICIAL}"
    import safetensors.torch
    import torch

    target = models / "benchmark-compact-x4.pth"
    torch.save({"params": safetensors.torch.load_file(_EMBEDDED)}, target)
    return target, "embedded pixelmend-x4: PIXELMEND_TEST_WEIGHTS has no official ones"


def rrdb_weights(models: Path) -> Path:
    """A seeded RRDBNet of 23 blocks, put into `models`."""
    import torch

    from benchmarks.peers.rrdbnet import picture_like_state

    models.mkdir(parents=True, exist_ok=True)
    target = models / f"{RRDB}.pth"
    torch.save({"params_ema": picture_like_state()}, target)
    return target
