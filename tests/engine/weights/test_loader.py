"""Weight files, good and bad. A bad one is refused by its name, and nothing in it runs."""

import os
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from pixelmend.core.errors import InvalidParameter, ModelUnusable
from pixelmend.engine.weights.architecture import mix_states
from pixelmend.engine.weights.files import read_state
from pixelmend.engine.weights.tensors import as_arrays
from pixelmend.models.catalog import Catalog, ModelEntry, load_catalog
from pixelmend.models.dials import Dials
from pixelmend.models.integrity import sha256_of
from tests.engine.networks import compact_state, load_model


def entry_of(path: Path, sha256: str | None = None) -> ModelEntry:
    return ModelEntry("m", path.name, "upscale", path, "dropped-in", sha256=sha256)


def load(path: Path, sha256: str | None = None) -> Any:
    return load_model(Catalog((entry_of(path, sha256),)), "m")


def saved(folder: Path, content: Any, name: str = "m.pth", **options: Any) -> Path:
    torch.save(content, folder / name, **options)
    return folder / name


def weights_of(model: Any) -> dict[str, Tensor]:
    state: dict[str, Tensor] = model.architecture.network.module().state_dict()
    return state


# --- good files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, "params", "params_ema", "state_dict", "model"])
def test_pth_files_of_all_usual_shapes_load(tmp_path: Path, key: str | None) -> None:
    state = compact_state()
    model = load(saved(tmp_path, {key: state} if key else state))
    assert (model.architecture.name, model.scale, model.architecture.receptive_field_px) == ("Compact", 2, 4)
    assert all(torch.equal(weights_of(model)[name], tensor) for name, tensor in state.items())


def test_params_ema_is_preferred(tmp_path: Path) -> None:
    better = compact_state(seed=1)
    model = load(saved(tmp_path, {"params": compact_state(seed=0), "params_ema": better}))
    assert torch.equal(weights_of(model)["body.0.weight"], better["body.0.weight"])


def test_the_old_pth_format_loads(tmp_path: Path) -> None:
    assert load(saved(tmp_path, compact_state(), _use_new_zipfile_serialization=False)).scale == 2


def test_half_precision_safetensors_become_fp32(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    safetensors.torch.save_file({name: tensor.half() for name, tensor in compact_state().items()}, path)
    model = load(path)
    assert {tensor.dtype for tensor in weights_of(model).values()} == {torch.float32}
    assert not model.architecture.network.module().training
    assert model.sha256 == sha256_of(path)


def test_a_type_that_numpy_lacks_becomes_fp32(tmp_path: Path) -> None:
    path, state = tmp_path / "m.safetensors", {n: t.bfloat16() for n, t in compact_state().items()}
    safetensors.torch.save_file(state, path)
    assert all(torch.equal(weights_of(load(path))[name], tensor.float()) for name, tensor in state.items())


def test_dropped_in_files_become_models(tmp_path: Path) -> None:
    saved(tmp_path, compact_state(scale=3), "three.pth")
    safetensors.torch.save_file(compact_state(scale=1), tmp_path / "one.safetensors")
    catalog = load_catalog(tmp_path)
    assert load_model(catalog, "three").scale == 3
    assert load_model(catalog, "one").scale == 1


def test_the_embedded_model_loads_and_its_checksum_is_checked(tmp_path: Path) -> None:
    catalog = load_catalog(tmp_path)
    model = load_model(catalog, "pixelmend-x4")
    assert (model.scale, model.overlap_px, model.blend_px) == (4, 18, 0)
    assert model.sha256 == catalog.get("pixelmend-x4").sha256


def test_a_deep_network_is_tiled_with_blending(tmp_path: Path) -> None:
    model = load(saved(tmp_path, rrdb_state()))
    assert (model.architecture.receptive_field_px, model.overlap_px, model.blend_px) == (None, 32, 8)
    assert model.scale == 4
    assert not model.architecture.needs_global_context


def rrdb_state() -> dict[str, Tensor]:
    from spandrel.architectures.ESRGAN import ESRGAN

    return dict(ESRGAN(num_filters=4, num_blocks=1, scale=4).state_dict())


# --- bad files --------------------------------------------------------------------------------------------


class Evil:
    """Runs a command when unpickled."""

    def __init__(self, proof: Path) -> None:
        self._proof = proof

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self._proof}",)


@pytest.mark.parametrize("kind", ["zip", "old", "bare pickle", "nested"])
def test_a_pickle_with_code_is_refused_and_does_not_run(tmp_path: Path, kind: str) -> None:
    proof = tmp_path / "it-ran"
    path = tmp_path / "evil.pth"
    if kind == "bare pickle":
        path.write_bytes(pickle.dumps({"params": Evil(proof)}, protocol=2))
    elif kind == "nested":
        saved(tmp_path, {"params": compact_state(), "extra": [Evil(proof)]}, path.name)
    else:
        saved(tmp_path, Evil(proof), path.name, _use_new_zipfile_serialization=kind == "zip")
    with pytest.raises(ModelUnusable, match=r"^evil[.]pth: refused, it holds more than plain tensors"):
        load(path)
    assert not proof.exists()


def test_the_evil_pickle_is_really_evil(tmp_path: Path) -> None:
    """So that the test above can fail."""
    pickle.loads(pickle.dumps(Evil(tmp_path / "it-ran")))
    assert (tmp_path / "it-ran").exists()


@pytest.mark.parametrize("name", ["m.pth", "m.safetensors", "old.pth"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_a_truncated_file_is_refused_by_name(tmp_path: Path, name: str, share: float) -> None:
    path = tmp_path / name
    if name == "m.safetensors":
        safetensors.torch.save_file(compact_state(), path)
    else:
        saved(tmp_path, compact_state(), name, _use_new_zipfile_serialization=name == "m.pth")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelUnusable, match=f"^{name}: "):
        load(path)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"<html><body>Not found</body></html>", "this is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "a Git LFS pointer"),
        (b"some text that is no model at all", "not a weight file|damaged or truncated"),
        (bytes(range(256)) * 8, "not a weight file|damaged or truncated"),
    ],
)
def test_what_is_no_weight_file_is_refused_by_name(
    tmp_path: Path, suffix: str, content: bytes, reason: str
) -> None:
    path = tmp_path / f"m{suffix}"
    path.write_bytes(content)
    with pytest.raises(ModelUnusable, match=f"^m{suffix}: .*({reason})") as caught:
        load(path)
    assert "weights_only" not in caught.value.message


def test_a_flipped_byte_is_seen_by_the_checksum_and_by_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    safetensors.torch.save_file(compact_state(), path)
    right = sha256_of(path)
    content = bytearray(path.read_bytes())
    content[-3] ^= 0x10
    path.write_bytes(content)
    load(path)
    with pytest.raises(ModelUnusable, match=r"^m[.]safetensors: sha256 is "):
        load(path, right)


@pytest.fixture(scope="module")
def pth_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return saved(tmp_path_factory.mktemp("pth"), compact_state(features=2, hidden=1)).read_bytes()


@settings(max_examples=60, deadline=None)
@given(changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1))
@pytest.mark.filterwarnings("ignore")
def test_damage_anywhere_is_a_clean_refusal(
    pth_bytes: bytes, tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[float, int]]
) -> None:
    content = bytearray(pth_bytes)
    for place, value in changes:
        content[int(place * len(content))] = value
    path = tmp_path_factory.mktemp("damaged") / "m.pth"
    path.write_bytes(content)
    refusal = ""
    try:
        load(path)
    except ModelUnusable as error:
        refusal = error.message
    assert not refusal or refusal.startswith("m.pth: ")


def test_a_file_that_inflates_a_thousandfold_is_refused_before_it_does(tmp_path: Path) -> None:
    plain = saved(tmp_path, {"body.0.weight": torch.zeros(5_000_000)}, "plain.pth")
    packed = tmp_path / "m.pth"
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    assert packed.stat().st_size * 200 < plain.stat().st_size
    with pytest.raises(ModelUnusable, match=r"^m[.]pth: refused, its \d+ bytes would unpack to 20\d{6}"):
        load(packed)


def test_an_unknown_architecture_is_refused_by_name(tmp_path: Path) -> None:
    path = saved(tmp_path, dict(nn.Linear(3, 4).state_dict()))
    with pytest.raises(ModelUnusable, match=r"^m[.]pth: the architecture is not known"):
        load(path)


def test_tensors_that_do_not_fit_are_refused_by_name(tmp_path: Path) -> None:
    state = compact_state()
    del state["body.2.bias"]
    with pytest.raises(ModelUnusable, match=r"^m[.]pth: the tensors do not fit the architecture"):
        load(saved(tmp_path, state))


@pytest.mark.parametrize("content", [{}, [1, 2], {"params": {"a": 1}}, torch.zeros(3)])
def test_a_file_without_a_state_dict_is_refused_by_name(tmp_path: Path, content: Any) -> None:
    with pytest.raises(ModelUnusable, match=r"^m[.]pth: holds no state dict of tensors"):
        load(saved(tmp_path, content))


def test_a_network_for_grey_pictures_is_refused_by_its_channels(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match=r"^m[.]pth: maps 1 to 1 channels, 3 to 3 is needed"):
        load(saved(tmp_path, compact_state(channels=1)))


@pytest.mark.filterwarnings("ignore:torch.meshgrid")  # in the architecture's own code
def test_a_network_for_square_images_alone_is_refused_by_name(tmp_path: Path) -> None:
    from spandrel.architectures.Uformer import Uformer

    network = Uformer(embed_dim=4, depths=[1] * 9, num_heads=[1] * 9)
    with pytest.raises(ModelUnusable, match=r"^m[.]pth: Uformer takes square images alone"):
        load(saved(tmp_path, dict(network.state_dict())))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused_by_name(tmp_path: Path, value: float) -> None:
    state = compact_state()
    state["body.2.weight"][0, 0, 0, 0] = value
    with pytest.raises(ModelUnusable, match=r"^m[.]pth: the weights contain NaN or infinity"):
        load(saved(tmp_path, state))


def test_a_folder_instead_of_a_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "m.pth").mkdir()
    with pytest.raises(ModelUnusable, match=r"^m[.]pth: cannot be read"):
        read_state(tmp_path / "m.pth")


# --- denoise ----------------------------------------------------------------------------------------------


def mixable(
    folder: Path, own: dict[str, Tensor], partner: dict[str, Tensor], own_denoise: int = 1
) -> Catalog:
    own_entry = replace(
        entry_of(saved(folder, {"params": own}, "own.pth")),
        denoise_partner="partner",
        own_denoise=own_denoise,
    )
    partner_entry = replace(entry_of(saved(folder, {"params": partner}, "wdn.pth")), id="partner")
    return Catalog((own_entry, partner_entry))


@pytest.mark.parametrize("strength", [0.0, 0.25, 1.0])
def test_denoise_mixes_the_two_networks(tmp_path: Path, strength: float) -> None:
    own, partner = compact_state(seed=1), compact_state(seed=2)
    mixed = weights_of(load_model(mixable(tmp_path, own, partner), "m", Dials(denoise=strength)))
    for name in own:
        expected = strength * own[name].double() + (1 - strength) * partner[name].double()
        np.testing.assert_allclose(mixed[name].double(), expected, rtol=0, atol=1e-7)


def test_detail_is_mixed_into_what_denoise_has_made(tmp_path: Path) -> None:
    states = [compact_state(seed=seed) for seed in range(3)]
    names = ("own", "clean", "vivid")
    entries = [
        replace(entry_of(saved(tmp_path, {"params": state}, f"{name}.pth")), id=name)
        for name, state in zip(names, states, strict=True)
    ]
    entries[0] = replace(entries[0], denoise_partner="clean", own_denoise=0, detail_partner="vivid")
    mixed = weights_of(load_model(Catalog(tuple(entries)), "own", Dials(denoise=0.25, detail=0.4)))
    own, clean, vivid = states
    for name in own:
        expected = (
            0.6 * (0.75 * own[name].double() + 0.25 * clean[name].double()) + 0.4 * vivid[name].double()
        )
        np.testing.assert_allclose(mixed[name].double(), expected, rtol=0, atol=1e-7)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_weights_are_mixed_as_pytorch_interpolates(share: float) -> None:
    own, partner = compact_state(features=64, seed=1), compact_state(features=64, seed=2)
    mixed = mix_states(as_arrays(own), as_arrays(partner), share, "two")
    for name, tensor in own.items():
        np.testing.assert_array_equal(mixed[name], torch.lerp(tensor, partner[name], share).numpy())


@pytest.mark.parametrize("own_denoise", [0, 1])
def test_the_ends_of_denoise_are_the_two_networks(tmp_path: Path, own_denoise: int) -> None:
    own, partner = compact_state(seed=1), compact_state(seed=2)
    catalog = mixable(tmp_path, own, partner, own_denoise)
    for strength, state in ((float(own_denoise), own), (1.0 - own_denoise, partner)):
        mixed = weights_of(load_model(catalog, "m", Dials(denoise=strength)))
        assert all(torch.equal(mixed[name], state[name]) for name in state)


def test_networks_of_different_shapes_are_not_mixed(tmp_path: Path) -> None:
    catalog = mixable(tmp_path, compact_state(features=8), compact_state(features=4))
    with pytest.raises(ModelUnusable, match=r"^own[.]pth and wdn[.]pth: cannot be mixed"):
        load_model(catalog, "m", Dials(denoise=0.5))


def test_denoise_without_a_partner_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="denoise is not offered by model 'm'"):
        load_model(Catalog((entry_of(saved(tmp_path, compact_state())),)), "m", Dials(denoise=0.5))
