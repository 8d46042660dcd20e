"""Which models there are, from files that are never read."""

import re
import tomllib
from pathlib import Path

import pytest

from pixelmend.core.errors import InvalidParameter, ModelUnusable, UnknownModel
from pixelmend.models.catalog import load_catalog
from pixelmend.models.dials import UNTURNED, Dials
from pixelmend.models.integrity import sha256_of

EMBEDDED = ["pixelmend-x4", "pixelmend-x4-clean", "pixelmend-x4-vivid", "pixelmend-x2"]


def drop(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).write_bytes(b"weights")
    return folder


def test_the_embedded_model_comes_first_and_is_there(tmp_path: Path) -> None:
    first = load_catalog(drop(tmp_path, "aaa.pth")).entries[0]
    assert (first.id, first.origin, first.present) == ("pixelmend-x4", "embedded", True)


def test_checksums_of_embedded_models_are_those_of_their_files(tmp_path: Path) -> None:
    embedded = [entry for entry in load_catalog(tmp_path).entries if entry.origin == "embedded"]
    assert embedded
    for entry in embedded:
        assert entry.sha256 == sha256_of(entry.path), f"update sha256 of {entry.id} in catalog.toml"


def test_a_models_folder_that_is_absent_is_empty(tmp_path: Path) -> None:
    catalog = load_catalog(tmp_path / "absent")
    assert [entry.id for entry in catalog.entries if entry.present] == EMBEDDED


def test_a_dropped_in_file_is_a_model_named_by_its_stem(tmp_path: Path) -> None:
    entry = load_catalog(drop(tmp_path, "4x.Nice_Model.pth")).get("4x.Nice_Model")
    assert (entry.origin, entry.sha256, entry.scale) == ("dropped-in", None, None)
    assert entry.path == tmp_path / "4x.Nice_Model.pth"


@pytest.mark.parametrize("others", [("m.pth", "m.pt"), ("m.pt",), ("m.pth",)])
def test_of_equal_stems_the_safer_suffix_wins(tmp_path: Path, others: tuple[str, ...]) -> None:
    catalog = load_catalog(drop(tmp_path, *others, "m.safetensors"))
    assert catalog.get("m").path.name == "m.safetensors"
    assert [entry.id for entry in catalog.entries].count("m") == 1


def test_other_files_are_not_models(tmp_path: Path) -> None:
    drop(tmp_path, "readme.txt", "half.pth.part", ".hidden.pth")
    (tmp_path / "folder.pth").mkdir()
    assert {entry.origin for entry in load_catalog(tmp_path).entries} == {"embedded", "catalog"}


def test_a_suffix_in_capitals_counts(tmp_path: Path) -> None:
    assert load_catalog(drop(tmp_path, "m.PTH")).get("m").present


def test_a_dropped_in_file_does_not_replace_an_embedded_model(tmp_path: Path) -> None:
    entry = load_catalog(drop(tmp_path, "pixelmend-x4.pth")).get("pixelmend-x4")
    assert entry.origin == "embedded"


def test_a_catalog_model_is_found_where_it_belongs(tmp_path: Path) -> None:
    entry = load_catalog(drop(tmp_path, "realesr-general-x4v3.pth")).usable("realesr-general-x4v3")
    assert entry.sha256 is not None
    assert entry.sha256.startswith("8dc7edb9")


def test_a_catalog_model_in_another_container_keeps_its_place_without_its_checksum(tmp_path: Path) -> None:
    catalog = load_catalog(drop(tmp_path, "realesr-general-x4v3.safetensors"))
    entry = catalog.usable("realesr-general-x4v3")
    assert (entry.path.suffix, entry.sha256) == (".safetensors", None)
    assert entry.denoise_partner == "realesr-general-wdn-x4v3"


def test_an_unknown_id_names_the_ids_there_are(tmp_path: Path) -> None:
    catalog = load_catalog(drop(tmp_path, "mine.pth"))
    known = ", ".join(EMBEDDED)
    with pytest.raises(UnknownModel, match=rf"model='no' is not known; there are: {known}, mine$"):
        catalog.get("no")


def test_a_missing_file_is_named_with_its_place(tmp_path: Path) -> None:
    way = r"has no file; run `pixelmend models download realesr-general-x4v3`, or put it at .*x4v3[.]pth$"
    with pytest.raises(ModelUnusable, match=way):
        load_catalog(tmp_path).usable("realesr-general-x4v3")


@pytest.mark.parametrize("dial", ["denoise", "detail"])
def test_a_dial_is_refused_if_there_is_no_partner(tmp_path: Path, dial: str) -> None:
    with pytest.raises(InvalidParameter, match=f"{dial} is not offered by model 'pixelmend-x2'"):
        load_catalog(tmp_path).partners("pixelmend-x2", Dials(**{dial: 0.0}))


def test_partners_and_siblings_are_models_of_the_catalog(tmp_path: Path) -> None:
    catalog = load_catalog(tmp_path)
    for entry in catalog.entries:
        for partner_id in entry.partners.values():
            partner = catalog.get(partner_id)
            assert (partner.architecture, partner.scale) == (entry.architecture, entry.scale)
        if entry.twice is not None:
            sibling = catalog.get(entry.twice)
            assert (sibling.scale, sibling.origin) == (2, entry.origin)


def test_a_dial_becomes_a_share_of_its_partner_and_denoise_comes_first(tmp_path: Path) -> None:
    catalog = load_catalog(tmp_path)
    shares = catalog.partners("pixelmend-x4", Dials(denoise=0.25, detail=0.7))
    assert [(each.entry.id, each.share) for each in shares] == [
        ("pixelmend-x4-clean", 0.25),
        ("pixelmend-x4-vivid", 0.7),
    ]
    assert catalog.get("realesr-general-x4v3").partner_share("denoise", 0.25) == 0.75


@pytest.mark.parametrize(
    ("model_id", "factor", "dials", "chosen"),
    [
        ("pixelmend-x4", None, UNTURNED, "pixelmend-x4"),
        ("pixelmend-x4", 1.0, UNTURNED, "pixelmend-x2"),
        ("pixelmend-x4", 2.0, UNTURNED, "pixelmend-x2"),
        ("pixelmend-x4", 2.0, Dials(denoise=0.0), "pixelmend-x4"),
        ("pixelmend-x4", 2.0, Dials(detail=0.0), "pixelmend-x4"),
        ("pixelmend-x4", 2.01, UNTURNED, "pixelmend-x4"),
        ("RealESRGAN_x4plus", 2.0, UNTURNED, "RealESRGAN_x4plus"),
        ("no", 2.0, UNTURNED, "no"),
    ],
)
def test_at_most_twice_the_size_takes_the_model_made_for_it(
    tmp_path: Path, model_id: str, factor: float | None, dials: Dials, chosen: str
) -> None:
    assert load_catalog(tmp_path).unnamed(model_id, factor, dials) == chosen


def test_a_partner_without_a_file_is_named(tmp_path: Path) -> None:
    catalog = load_catalog(drop(tmp_path, "realesr-general-x4v3.pth"))
    with pytest.raises(ModelUnusable, match="realesr-general-wdn-x4v3"):
        catalog.partners("realesr-general-x4v3", Dials(denoise=0.5))


def test_an_id_is_the_stem_of_its_file(tmp_path: Path) -> None:
    """Or else the file, once it is there, would be a dropped-in model as well."""
    entries = load_catalog(tmp_path).entries
    assert [entry.id for entry in entries] == [entry.path.stem for entry in entries]


def test_everything_that_does_not_ship_can_be_downloaded_and_checked(tmp_path: Path) -> None:
    for entry in load_catalog(tmp_path).entries:
        assert entry.licence, entry.id
        assert entry.scale, entry.id
        assert entry.sha256 is not None
        assert re.fullmatch("[0-9a-f]{64}", entry.sha256), entry.id
        if entry.origin == "catalog":
            assert entry.size_bytes, entry.id
            assert entry.urls, entry.id
            assert all(url.startswith("https://") for url in entry.urls)
            assert all(url.endswith("/" + entry.path.name) for url in entry.urls)


def test_models_for_inpainting_are_known_and_do_not_upscale(tmp_path: Path) -> None:
    catalog = load_catalog(drop(tmp_path, "big-lama.pt"))
    assert [e.id for e in catalog.entries if e.task == "inpaint"] == ["big-lama", "migan_pipeline_v2"]
    assert catalog.usable("big-lama").path.suffix == ".pt"
    for name in ("big-lama", "migan_pipeline_v2"):
        with pytest.raises(InvalidParameter, match=f"model '{name}' is for inpainting, not upscaling"):
            catalog.for_task(name, "upscale")


def test_an_onnx_file_counts_where_the_catalog_names_it_and_nowhere_else(tmp_path: Path) -> None:
    catalog = load_catalog(drop(tmp_path, "migan_pipeline_v2.onnx", "mine.onnx"))
    assert catalog.usable("migan_pipeline_v2").path == tmp_path / "migan_pipeline_v2.onnx"
    assert "mine" not in [entry.id for entry in catalog.entries]


def test_file_of_the_package_is_parsed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = load_catalog(tmp_path)
    monkeypatch.setattr(tomllib, "loads", lambda text: pytest.fail("parsed again"))
    (tmp_path / "dropped.safetensors").touch()
    assert {entry.id for entry in load_catalog(tmp_path).entries} == {
        *(entry.id for entry in before.entries),
        "dropped",
    }
