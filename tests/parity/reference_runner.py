"""Runs Real-ESRGAN's own code on arrays. Executed by the Python of `.venv-reference`, not imported.

usage: reference_runner.py JOB_DIRECTORY

The directory holds `network.json` (the network's class, its arguments, its scale), `weights.pth`
({"params": state}), and `*.in.npy`: grey (H, W), RGB (H, W, 3) or RGBA (H, W, 4), uint8. For each,
`*.out.npy` of the same layout is written.
"""

import json
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np


def reference(folder: Path) -> Any:
    # basicsr imports a module that torchvision has dropped; the one function it wants lives elsewhere now.
    from torchvision.transforms.functional import rgb_to_grayscale

    gone = types.ModuleType("torchvision.transforms.functional_tensor")
    gone.rgb_to_grayscale = rgb_to_grayscale  # type: ignore[attr-defined]
    sys.modules[gone.__name__] = gone

    from basicsr.archs.rrdbnet_arch import RRDBNet  # type: ignore[import-not-found]
    from realesrgan import RealESRGANer  # type: ignore[import-not-found]
    from realesrgan.archs.srvgg_arch import SRVGGNetCompact  # type: ignore[import-not-found]

    options = json.loads((folder / "network.json").read_text())
    common = {"num_in_ch": 3, "num_out_ch": 3, **options["arguments"]}
    network = (
        RRDBNet(**common) if options["kind"] == "RRDBNet" else SRVGGNetCompact(act_type="prelu", **common)
    )
    return RealESRGANer(
        scale=options["scale"],
        model_path=str(folder / "weights.pth"),
        model=network,
        tile=0,
        pre_pad=0,
        half=False,
    )


def swapped(pixels: Any) -> Any:
    """RGB(A) to OpenCV's BGR(A) and back; grey as it is."""
    if pixels.ndim == 2:
        return pixels
    return np.ascontiguousarray(pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]])


def main(folder: Path) -> None:
    upsampler = reference(folder)
    for path in sorted(folder.glob("*.in.npy")):
        result, _ = upsampler.enhance(swapped(np.load(path)))
        np.save(path.with_name(path.name.replace(".in.npy", ".out.npy")), swapped(result))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
