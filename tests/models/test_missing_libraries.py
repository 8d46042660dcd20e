"""What can be said of a model before its file is there."""

from pathlib import Path

import pytest

from pixelmend.models.catalog import load_catalog
from pixelmend.models.missing_libraries import foreseen_problem, is_installed


@pytest.mark.parametrize(
    ("installed", "named"),
    [
        ({"torch", "onnxruntime"}, {}),
        ({"torch"}, {"migan_pipeline_v2": "ONNX Runtime"}),
        (set(), {"big-lama": "PyTorch", "migan_pipeline_v2": "ONNX Runtime"}),
    ],
)
def test_models_of_the_catalog_that_need_what_is_not_installed(
    tmp_path: Path, installed: set[str], named: dict[str, str]
) -> None:
    found = {
        entry.id: problem
        for entry in load_catalog(tmp_path).entries
        if (problem := foreseen_problem(entry.architecture, installed.__contains__))
    }
    assert found.keys() == named.keys()
    for model_id, library in named.items():
        assert found[model_id].startswith(f"it needs {library}, which is not installed; `make torch`")


def test_nothing_is_foreseen_of_a_file_that_was_not_read() -> None:
    assert foreseen_problem(None, set[str]().__contains__) is None


def test_what_is_installed_is_known_without_importing_it() -> None:
    assert is_installed("numpy")
    assert not is_installed("no_such_module")
