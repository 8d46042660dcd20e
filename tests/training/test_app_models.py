"""The networks that the web app ships are what the weights make them now."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from pixelmend.engine.weights.files import read_state
from training import browser
from training.browser import APP_MODELS, MANIFEST, WEIGHTS, write_app_models


def test_the_committed_files_are_what_the_export_makes(tmp_path: Path) -> None:
    """Where this fails: `npm run models` in frontend/."""
    made = {path.name: path.read_bytes() for path in write_app_models(tmp_path)}
    committed = {path.name: path.read_bytes() for path in APP_MODELS.iterdir()}
    assert sorted(made) == sorted(committed)
    for name, data in made.items():
        assert data == committed[name], name


def test_what_no_longer_ships_is_removed(tmp_path: Path) -> None:
    (tmp_path / "gone.onnx").write_bytes(b"")
    browser.main([str(tmp_path), "--app"])
    assert sorted(path.stem for path in tmp_path.glob("*.onnx")) == sorted(
        path.stem for path in WEIGHTS.glob("*.safetensors")
    )


def test_the_manifest_finds_the_weights_of_what_can_be_mixed() -> None:
    for row in json.loads((APP_MODELS / MANIFEST).read_text(encoding="utf-8"))["models"]:
        data = (APP_MODELS / row["file"]).read_bytes()
        partners = [row[key] for key in ("denoisePartner", "detailPartner") if row[key] is not None]
        assert (row["halves"] is not None) == bool(partners)
        # Those of its partners lie in the same places.
        for partner in partners:
            other = (APP_MODELS / f"{partner}.onnx").read_bytes()
            assert browser._places_of_halves(onnx.load_from_string(other), other) == row["halves"]
        halves = [np.frombuffer(data, np.float16, count, offset) for offset, count in row["halves"] or ()]
        constants = [
            numpy_helper.to_array(constant).ravel()
            for constant in onnx.load_from_string(data).graph.initializer
            if constant.data_type == onnx.TensorProto.FLOAT16
        ]
        if halves:
            assert len(halves) == len(constants)
            assert all(np.array_equal(a, b) for a, b in zip(halves, constants, strict=True))
        # Nothing was lost, or the constants would not have been stored in half the space.
        state = read_state(WEIGHTS / f"{row['id']}.safetensors")
        assert sum(constant.size for constant in constants) == sum(array.size for array in state.values())
