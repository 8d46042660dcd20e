"""deploy/spaces/computing.py, without Gradio: how long a GPU is asked for, and failures as data."""

import importlib.util
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixelmend.core.errors import InternalError, ModelUnusable
from pixelmend.imaging.target import Target
from pixelmend.tasks.image import ImageTask
from pixelmend.tasks.options import ImageOptions, UpscaleOptions
from tests.pictures import encoded

SPACES = Path(__file__).parents[2] / "deploy" / "spaces"


@pytest.fixture(scope="module")
def computing() -> Any:
    spec = importlib.util.spec_from_file_location("computing", SPACES / "computing.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["computing"] = module  # by which its values are pickled
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIXELMEND_MODELS_DIR", str(tmp_path))
    with (tmp_path / "heavy.safetensors").open("wb") as heavy:
        heavy.truncate(67_000_000)


def task(folder: Path, side_px: int, model: str) -> ImageTask:
    source = folder / f"{side_px}.png"
    source.write_bytes(encoded(np.zeros((side_px, side_px, 3), np.uint8)))
    options = ImageOptions(UpscaleOptions(model, Target(2)))
    return ImageTask("1", source, folder / "out.png", options, ())


def test_seconds_grow_with_the_image_and_with_the_model(computing: Any, tmp_path: Path) -> None:
    small, large = (
        {side_px: computing.gpu_seconds(task(tmp_path, side_px, model)) for side_px in (100, 2000, 6000)}
        for model in ("pixelmend-x4", "heavy")
    )
    assert 10 <= small[100] < small[2000] < small[6000] <= computing.MAX_GPU_SECONDS
    assert small[100] == large[100]  # a small image takes hardly more than the start
    assert small[2000] < large[2000] < computing.MAX_GPU_SECONDS < large[6000]


def test_model_without_a_file_is_refused_before_any_second(computing: Any, tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match="RealESRGAN_x4plus"):
        computing.gpu_seconds(task(tmp_path, 100, "RealESRGAN_x4plus"))


def test_failure_keeps_its_words_between_processes(computing: Any) -> None:
    failure = pickle.loads(pickle.dumps(computing.Failure.of(ModelUnusable("model='a' has no file"))))
    assert str(failure) == f"{ModelUnusable.title}: model='a' has no file"
    assert not failure.is_bug
    assert computing.Failure.of(InternalError("a bug")).is_bug


@pytest.mark.full
def test_device_that_is_absent_is_a_failure_in_words(tmp_path: Path) -> None:
    looked = (
        "import computing; from pathlib import Path; from pixelmend.tasks.image import ImageTask; "
        "from pixelmend.tasks.options import ImageOptions; "
        "print(computing.run(ImageTask('1', Path('a'), Path('b'), ImageOptions(), ())))"
    )
    env = os.environ | {"PIXELMEND_DEVICE": "cuda:7", "PIXELMEND_DATA_DIR": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-c", looked], cwd=SPACES, env=env, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "device=cuda:7" in ran.stdout
