"""An inpainting network that looks at what is around a hole, beside the same network on the whole image."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.context import Context
from benchmarks.pictures import Bytes
from benchmarks.report import Row
from benchmarks.timing import compare, interleave
from pixelmend.core.telemetry import Logger
from pixelmend.engine.devices.device import cpu_device, physical_cores
from pixelmend.engine.devices.memory import HostMemory
from pixelmend.engine.inpainting.network import NetworkFill
from pixelmend.engine.model_cache.cache import ModelCache
from pixelmend.engine.model_cache.eviction import MemoryLimits
from pixelmend.engine.model_cache.memory_profile import MemoryProfiles
from pixelmend.engine.model_cache.open_models import OpenModel
from pixelmend.engine.model_cache.provider import CatalogProvider
from pixelmend.models.catalog import Catalog, ModelEntry

_IMAGE_PX = (1024, 1536)
_HOLE = np.s_[400:600, 700:900]


def erase_by_network(context: Context) -> list[Row]:
    """LaMa with seeded weights, which cost what trained ones do: 200x200 px out of 1.5 megapixels."""
    from skimage import data

    coffee: Bytes = data.coffee()  # type: ignore[no-untyped-call]
    image = np.ascontiguousarray(np.tile(coffee, (3, 3, 1))[: _IMAGE_PX[0], : _IMAGE_PX[1]])
    hole = np.zeros(_IMAGE_PX, np.bool_)
    hole[_HOLE] = True
    opened = _lama(context.folder / "lama.pth")
    network = NetworkFill(opened.runner, lambda work: work())
    whole = np.dstack([image, hole * np.uint8(255)])[None]

    def crop() -> None:
        network.fill(image, hole, cancelled=lambda: False, on_progress=lambda done, total: None)

    def everything() -> None:
        opened.runner.run(whole, np.zeros(1, np.bool_))

    runs = {"ours": partial(_timed, crop), "the whole image": partial(_timed, everything)}
    for run in runs.values():
        run()  # a warm-up
    seconds = interleave(runs, context.repeats(3, 1), on_run=context.ran)
    found = compare(seconds["ours"], seconds["the whole image"])
    megapixels = float(np.count_nonzero(hole)) / 1e6
    each = {name: median(taken) / megapixels for name, taken in seconds.items()}
    note = ", ".join(f"{name} {per_mp_s:.3g} s/MP of hole" for name, per_mp_s in each.items())
    title = "LaMa, a hole of 200x200 px in 1.5 megapixels"
    return [Row(title, found.ratio, "x", None, note, {"seconds": seconds})]


def _timed(work: Callable[[], None]) -> float:
    began_s = time.perf_counter()
    work()
    return time.perf_counter() - began_s


def _lama(path: Path) -> OpenModel:
    import torch
    from spandrel.architectures.LaMa import LaMa

    torch.manual_seed(0)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(LaMa(in_nc=4).state_dict(), path)
    device = cpu_device()
    catalog = Catalog((ModelEntry("lama", "lama", "inpaint", path, "dropped-in"),))
    provider = CatalogProvider(
        lambda: catalog, device, None, MemoryProfiles(None, Logger()), physical_cores()
    )
    return ModelCache(provider, device, HostMemory(), MemoryLimits()).lease("lama", task="inpaint")
