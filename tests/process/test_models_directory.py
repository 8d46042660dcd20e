"""Whatever lies in the models directory, the service works."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import safetensors.torch

from pixelmend.models.catalog import MAX_DROPPED_IN, load_catalog
from pixelmend.models.description import ModelDescription
from pixelmend.worker.protocol import MAX_LINE_BYTES, from_worker_codec, pages_of
from tests.engine.networks import compact_state
from tests.pictures import decoded, encoded, photo
from tests.service import RunningService, running_service

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    folder = tmp_path_factory.mktemp("crowded")
    models = folder / "models"
    models.mkdir()
    safetensors.torch.save_file(compact_state(scale=2), models / "mine.safetensors")
    for n in range(6000):
        (models / f"n{n:04}-{'x' * 200}.pth").touch()
    for name in (b"caf\xe9.pth", b"two\nlines.pth"):
        (models / os.fsdecode(name)).touch()
    with running_service(folder) as running:
        yield running


@pytest.mark.drill("6,000 model files, and names that are not UTF-8", times=1)
def test_service_works_and_says_what_it_passes_over(crowded: RunningService) -> None:
    answer = crowded.client.post(
        "/api/upscale", files={"file": encoded(photo(side_px=40))}, data={"model": "mine"}
    )
    assert answer.status_code == 200, answer.text
    assert decoded(answer.content).shape == (80, 80, 3)
    listed = crowded.client.get("/api/models").json()
    assert "mine" in {model["id"] for model in listed["models"]}
    nameless, many = listed["passed_over"]
    assert nameless.startswith("2 model files have names that are no readable UTF-8")
    assert f"6001 model files; {MAX_DROPPED_IN} are taken" in many
    assert crowded.client.get("/api/health").json()["worker_restarts"] == 0
    assert '"model files are passed over"' in crowded.log


def test_list_of_the_command_says_it_too(crowded: RunningService) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PIXELMEND_")}
    listed = subprocess.run(
        [sys.executable, "-m", "pixelmend.cli", "models", "list"],
        env=kept | {"PIXELMEND_MODELS_DIR": str(crowded.folder / "models"), "PIXELMEND_PORT": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert listed.returncode == 0, listed.stderr
    assert "2 model files have names that are no readable UTF-8" in listed.stdout


def test_directory_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "models").touch()
    assert "cannot be read: Not a directory" in load_catalog(tmp_path / "models").passed_over[0]
    assert load_catalog(tmp_path / "nowhere").passed_over == ()


@pytest.mark.parametrize("count", [0, 1, 100, 101, 6000])
def test_messages_about_models_are_bounded(count: int) -> None:
    worst = ModelDescription("\x01" * 255, problem="\x01" * 300, architecture="a" * 100)
    codec = from_worker_codec()
    pages = list(pages_of([worst] * count))
    assert all(len(codec.encode(page)) < MAX_LINE_BYTES for page in pages)
    assert sum(len(page.models) for page in pages) == count
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
