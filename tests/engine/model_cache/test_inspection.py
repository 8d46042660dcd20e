"""Bad model files among good ones: named, not read twice, and disturbing no other. Good ones stay known."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor

from pixelmend.core.errors import InvalidParameter, ModelUnusable
from pixelmend.core.telemetry import Logger
from pixelmend.engine.devices.device import cpu_device
from pixelmend.engine.devices.memory import HostMemory
from pixelmend.engine.model_cache.cache import ModelCache
from pixelmend.engine.model_cache.eviction import MemoryLimits
from pixelmend.engine.model_cache.inspection import MAX_PROBLEM_LENGTH, Inspection, Inspections
from pixelmend.engine.model_cache.memory_profile import MemoryProfiles
from pixelmend.engine.model_cache.provider import CatalogProvider
from pixelmend.engine.weights.architecture import LoadedModel, read_model
from pixelmend.models.catalog import Catalog, load_catalog
from pixelmend.models.description import ModelDescription
from pixelmend.models.dials import UNTURNED, Dials
from tests.engine.networks import compact_state, load_model


class Evil:
    """Makes a file when unpickled."""

    def __init__(self, proof: Path) -> None:
        self._proof = proof

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self._proof}",)


def cache_of(folder: Path) -> ModelCache:
    device = cpu_device()
    learned = MemoryProfiles(None, Logger())
    provider = CatalogProvider(lambda: load_catalog(folder), device, "float32", learned, threads=1)
    return ModelCache(provider, device, HostMemory(), MemoryLimits())


def described(cache: ModelCache) -> dict[str, ModelDescription]:
    return {model.id: model for model in cache.describe()}


def put(path: Path, state: dict[str, Tensor]) -> Path:
    """As a user does: complete at once, and another file than before."""
    part = path.with_suffix(".part")
    safetensors.torch.save_file(state, part)
    return part.replace(path)


@pytest.fixture
def bad(tmp_path: Path) -> dict[str, str]:
    """A good model, and every bad one with what has to be said of it."""
    whole = put(tmp_path / "good.safetensors", compact_state()).read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    torch.save(compact_state(), tmp_path / "cut-zip.pth")
    content = (tmp_path / "cut-zip.pth").read_bytes()
    (tmp_path / "cut-zip.pth").write_bytes(content[: len(content) // 2])
    # A file that the catalog vouches for, with one byte changed.
    torch.save({"params": compact_state(scale=4)}, tmp_path / "realesr-animevideov3.pth")
    (tmp_path / "page.pth").write_bytes(b"<!DOCTYPE html><html>404</html>")
    (tmp_path / "pointer.pth").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    (tmp_path / "empty.pth").write_bytes(b"")
    (tmp_path / "evil-pickle.pth").write_bytes(pickle.dumps(Evil(tmp_path / "it-ran"), protocol=2))
    torch.save({"params": compact_state(), "more": Evil(tmp_path / "it-ran")}, tmp_path / "evil-zip.pth")
    torch.save({"a": torch.zeros(1).expand(10**6, 10**6)}, tmp_path / "bomb.pth")
    state = compact_state()
    state["body.2.weight"][0, 0, 0, 0] = float("nan")
    torch.save(state, tmp_path / "nan.pth")
    long_names = compact_state() | {"x" * 2_000_000: torch.zeros(1)}
    del long_names["body.2.bias"]
    torch.save(long_names, tmp_path / "loud.pth")
    return {
        "cut": "damaged or truncated",
        "cut-zip": "damaged or truncated",
        "realesr-animevideov3": "sha256 is",
        "page": "a web page",
        "pointer": "a Git LFS pointer",
        "empty": "the file is empty",
        "evil-pickle": "more than plain tensors",
        "evil-zip": "more than plain tensors",
        "bomb": "claim more values than the file has",
        "nan": "NaN or infinity",
        "loud": "do not fit the architecture",
    }


def test_bad_files_are_named_run_no_code_and_disturb_nobody(tmp_path: Path, bad: dict[str, str]) -> None:
    cache = cache_of(tmp_path)
    good = cache.lease("good")
    for name, problem in bad.items():
        with pytest.raises(ModelUnusable, match=f"^{name}[.][a-z]+: .*{problem}") as first:
            cache.lease(name)
        assert len(first.value.message) < 1000
        # The other models keep working: the one that was open, and one that is opened now.
        tile = np.full((1, 16, 16, 3), 128, np.uint8)
        assert good.network.run(tile, np.zeros(1, np.bool_)).faults == (None,)
        cache.release(cache.lease("pixelmend-x4"))
    assert not (tmp_path / "it-ran").exists()
    seen = described(cache)
    for name, problem in bad.items():
        assert problem in (seen[name].problem or ""), name
        assert len(seen[name].problem or "") <= MAX_PROBLEM_LENGTH
        assert not seen[name].loaded
    assert seen["good"].problem is None
    assert seen["pixelmend-x4"].problem is None


class Counter:
    """`read_model`, and how often it was called."""

    def __init__(self) -> None:
        self.reads = 0

    def __call__(self, catalog: Catalog, model_id: str, dials: Dials) -> LoadedModel:
        self.reads += 1
        return read_model(catalog, model_id, dials)


def test_a_bad_file_is_read_once_until_it_changes(tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").write_bytes(b"rubbish")
    inspections = Inspections(counter := Counter())
    messages = set()
    for _ in range(3):
        with pytest.raises(ModelUnusable) as refusal:
            inspections.load(load_catalog(tmp_path), "m")
        messages.add(refusal.value.message)
    assert (counter.reads, len(messages)) == (1, 1)
    assert inspections.get(load_catalog(tmp_path).get("m")).problem in messages
    put(tmp_path / "m.safetensors", compact_state())
    assert inspections.get(load_catalog(tmp_path).get("m")) == Inspection()
    assert inspections.load(load_catalog(tmp_path), "m").scale == 2
    assert counter.reads == 2


def test_a_file_of_the_same_size_and_time_is_another_file(tmp_path: Path) -> None:
    """As `cp -p` and unpacked archives leave them."""
    path = put(tmp_path / "m.safetensors", compact_state())
    whole = path.read_bytes()
    path.write_bytes(bytes(len(whole)))
    before = path.stat()
    inspections = Inspections()
    with pytest.raises(ModelUnusable):
        inspections.load(load_catalog(tmp_path), "m")
    (tmp_path / "new").write_bytes(whole)
    os.utime(tmp_path / "new", ns=(before.st_atime_ns, before.st_mtime_ns))
    (tmp_path / "new").replace(path)
    assert inspections.load(load_catalog(tmp_path), "m").scale == 2


def test_a_partner_known_to_be_bad_is_not_read_again(tmp_path: Path) -> None:
    put(tmp_path / "realesr-general-x4v3.safetensors", compact_state(scale=4))
    (tmp_path / "realesr-general-wdn-x4v3.safetensors").write_bytes(b"rubbish")
    inspections = Inspections(counter := Counter())
    for name, dials in (("realesr-general-wdn-x4v3", UNTURNED), ("realesr-general-x4v3", Dials(0.5))):
        with pytest.raises(ModelUnusable, match=r"^realesr-general-wdn-x4v3[.]safetensors: "):
            inspections.load(load_catalog(tmp_path), name, dials)
    assert counter.reads == 1


def test_a_long_problem_is_cut_short(tmp_path: Path) -> None:
    put(tmp_path / "m.safetensors", compact_state())

    def read(catalog: Catalog, model_id: str, dials: Dials) -> LoadedModel:
        raise ModelUnusable("long " * 1000)

    inspections = Inspections(read)
    with pytest.raises(ModelUnusable):
        inspections.load(load_catalog(tmp_path), "m")
    assert inspections.get(load_catalog(tmp_path).get("m")).problem == ("long " * 1000)[:MAX_PROBLEM_LENGTH]


@pytest.mark.parametrize(
    "trouble", [OSError(24, "Too many open files"), MemoryError(), RuntimeError("can't allocate memory: 9")]
)
def test_what_the_system_would_not_give_is_no_fault_of_the_file(tmp_path: Path, trouble: Exception) -> None:
    put(tmp_path / "m.safetensors", compact_state())
    left = [trouble]

    def read(catalog: Catalog, model_id: str, dials: Dials) -> LoadedModel:
        if left:
            raise ModelUnusable("m.safetensors: not now") from left.pop()
        return read_model(catalog, model_id, dials)

    inspections = Inspections(read)
    with pytest.raises(ModelUnusable, match="not now"):
        inspections.load(load_catalog(tmp_path), "m")
    assert inspections.get(load_catalog(tmp_path).get("m")) == Inspection()
    assert inspections.load(load_catalog(tmp_path), "m").scale == 2


def test_a_model_that_cannot_be_computed_is_named_and_not_read_again(tmp_path: Path) -> None:
    """Its tensors fit, and the architecture's own code fails at the first tile."""
    from spandrel.architectures.IPT import IPT

    network = IPT(n_feats=12, num_layers=1, num_queries=1, scale=[2])
    torch.save(dict(network.state_dict()), tmp_path / "m.pth")
    cache = cache_of(tmp_path)
    refusals = []
    for _ in range(2):
        with pytest.raises(ModelUnusable, match=r"^model 'm' cannot be computed: ") as refusal:
            cache.lease("m")
        refusals.append(refusal.traceback)
    assert "cannot be computed" in (described(cache)["m"].problem or "")
    assert "open_network" in [entry.name for entry in refusals[0]]
    assert "open_network" not in [entry.name for entry in refusals[1]]


def test_what_was_read_stays_known_when_the_model_is_let_go(tmp_path: Path) -> None:
    put(tmp_path / "m.safetensors", compact_state(scale=3))
    cache = cache_of(tmp_path)
    assert (described(cache)["m"].scale, described(cache)["m"].architecture) == (None, None)
    cache.release(cache.lease("m"))
    assert cache.free_unused()
    here = described(cache)["m"]
    assert (here.loaded, here.scale, here.architecture, here.task) == (False, 3, "Compact", "upscale")
    put(tmp_path / "m.safetensors", compact_state(scale=1))
    assert described(cache)["m"].scale is None


def test_a_partner_that_is_bad_is_not_held_against_the_model(tmp_path: Path) -> None:
    names = ("realesr-general-x4v3", "realesr-general-wdn-x4v3")
    put(tmp_path / f"{names[0]}.safetensors", compact_state(scale=4))
    (tmp_path / f"{names[1]}.safetensors").write_bytes(b"rubbish")
    cache = cache_of(tmp_path)
    for _ in range(2):
        with pytest.raises(ModelUnusable, match=rf"^{names[1]}[.]safetensors: "):
            cache.lease(names[0], dials=Dials(denoise=0.5))
    assert cache.lease(names[0]).model.scale == 4
    put(tmp_path / f"{names[1]}.safetensors", compact_state(scale=4, seed=1))
    assert cache.lease(names[0], dials=Dials(denoise=0.5)).model.scale == 4


@pytest.fixture(scope="module")
def lama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with LaMa's tensors, all of them zero, in one byte each."""
    from spandrel.architectures.LaMa import LaMa

    folder = tmp_path_factory.mktemp("lama")
    state = {name: torch.zeros(v.shape, dtype=torch.int8) for name, v in LaMa(in_nc=4).state_dict().items()}
    torch.save(state, folder / "inpainter.pth")
    return folder


@pytest.mark.full
def test_a_dropped_in_model_for_inpainting_is_known_as_such_and_refused(lama: Path) -> None:
    cache = cache_of(lama)
    assert described(cache)["inpainter"].task == "upscale"  # until the file is read
    for _ in range(2):
        with pytest.raises(InvalidParameter, match=r"^model 'inpainter' is for inpainting, not upscaling$"):
            cache.lease("inpainter")
    here = described(cache)["inpainter"]
    assert (here.task, here.architecture, here.problem) == ("inpaint", "LaMa", None)
    with pytest.raises(InvalidParameter, match="for inpainting"):
        load_model(load_catalog(lama), "inpainter")


def test_a_model_for_inpainting_is_read_once(lama: Path) -> None:
    inspections = Inspections(counter := Counter())
    assert inspections.load(load_catalog(lama), "inpainter").architecture.task == "inpaint"
    assert inspections.get(load_catalog(lama).get("inpainter")).task == "inpaint"
    assert counter.reads == 1


def test_the_catalogs_models_for_inpainting_are_refused_unread(tmp_path: Path) -> None:
    (tmp_path / "big-lama.pt").write_bytes(b"rubbish")
    cache = cache_of(tmp_path)
    for name in ("big-lama", "migan_pipeline_v2"):
        with pytest.raises(InvalidParameter, match=f"^model '{name}' is for inpainting, not upscaling$"):
            cache.lease(name)
    assert described(cache)["big-lama"].task == "inpaint"
