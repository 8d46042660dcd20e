"""An installation without PyTorch: what it holds, and that everything that ships works in it."""

import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.engine.networks import official_path
from tests.pictures import decoded, encoded, photo

ROOT = Path(__file__).parents[2]
LARGEST_BYTES = 700_000_000
OTHERS = ("PIXELMEND_", "PYTHON")
REQUIREMENTS = ROOT / "requirements"


def pinned(name: str) -> dict[str, str]:
    text = (REQUIREMENTS / f"{name}.txt").read_text()
    return dict(re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)", text, re.MULTILINE))


def test_base_is_a_part_of_runtime_and_has_no_pytorch_and_no_cuda() -> None:
    base, runtime = pinned("base"), pinned("runtime")
    assert base.items() <= runtime.items()
    heavy = {
        name for name in base if re.match(r"torch|nvidia-c|nvidia-n[a-l,n-z]|triton|spandrel|onnx", name)
    }
    assert heavy == set()
    assert {"torch", "torchvision", "spandrel", "onnxruntime"} <= runtime.keys()


@pytest.mark.parametrize(("torch", "flavour"), [("1", "runtime"), ("0", "base")])
def test_the_flavour_is_as_asked(torch: str, flavour: str) -> None:
    environment = {**os.environ, "TORCH": torch}
    command = [str(REQUIREMENTS / "flavour.sh")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"{flavour}\n"


def test_a_flavour_that_makes_no_sense_is_refused() -> None:
    done = subprocess.run(
        [str(REQUIREMENTS / "flavour.sh")],
        env={**os.environ, "TORCH": "yes"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "TORCH=yes is neither 1 nor 0\n")


@pytest.mark.full
@pytest.mark.timeout(900)
def test_what_ships_works_without_pytorch_and_the_rest_says_what_adds_it(tmp_path: Path) -> None:
    uv = ROOT / ".venv/bin/uv"
    slim = tmp_path / "slim"
    python = slim / "bin/python"
    subprocess.run([uv, "venv", "--quiet", "--python", ROOT / ".venv/bin/python", slim], check=True)
    installs: list[list[str | Path]] = [
        ["--require-hashes", "-r", REQUIREMENTS / "uv.txt"],
        ["--require-hashes", "-r", REQUIREMENTS / "base.txt"],
        ["--no-deps", "--no-build-isolation", ROOT],
    ]
    for arguments in installs:
        subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *arguments], check=True)
    size_bytes = sum(path.lstat().st_size for path in slim.rglob("*") if path.is_file())
    print(f"{size_bytes / 1e6:.0f} MB")
    assert size_bytes <= LARGEST_BYTES

    source = tmp_path / "in.png"
    source.write_bytes(encoded(photo(side_px=48)))
    (tmp_path / "models").mkdir()
    deep = official_path().parent / "RealESRGAN_x4plus_anime_6B.safetensors"
    if deep.is_file():
        (tmp_path / "models" / deep.name).write_bytes(deep.read_bytes())
    from safetensors.torch import save_file
    from spandrel.architectures.SPAN import SPAN

    other = SPAN(num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=2).state_dict()
    save_file(other, tmp_path / "models" / "span.safetensors")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(OTHERS)},
        "PIXELMEND_DATA_DIR": str(tmp_path / "data"),
        "PIXELMEND_MODELS_DIR": str(tmp_path / "models"),
    }

    def pixelmend(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [str(slim / "bin/pixelmend"), *map(str, arguments)]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path
        )

    done = pixelmend("upscale", source, "-o", tmp_path / "out.png", "--device", "cpu")
    assert done.returncode == 0, done.stdout + done.stderr
    assert decoded((tmp_path / "out.png").read_bytes()).shape == (192, 192, 3)
    checked = pixelmend("check")
    assert checked.returncode == 0, checked.stdout
    assert "networks other than Compact and RRDBNet need them" in checked.stdout
    listed = pixelmend("models", "list")
    assert "big-lama: it needs PyTorch, which is not installed; `make torch` adds it" in listed.stdout
    assert re.findall(r"(.*): it needs", listed.stdout) == ["big-lama", "migan_pipeline_v2"]
    mask = tmp_path / "mask.png"
    hole = np.zeros((48, 48), np.uint8)
    hole[20:28, 20:28] = 255
    mask.write_bytes(encoded(hole))
    assert pixelmend("inpaint", source, mask, "-o", tmp_path / "filled.png").returncode == 0
    if deep.is_file():
        done = pixelmend("upscale", source, "-o", tmp_path / "deep.png", "--model", deep.stem)
        assert done.returncode == 0, done.stdout + done.stderr
        assert decoded((tmp_path / "deep.png").read_bytes()).shape == (192, 192, 3)
    refused = pixelmend("upscale", source, "-o", tmp_path / "other.png", "--model", "span")
    assert refused.returncode == 1
    assert "`make torch` adds it to a checkout" in refused.stdout


@pytest.mark.full
@pytest.mark.parametrize(
    "platform", ["aarch64-manylinux_2_36", "x86_64-manylinux_2_36", "aarch64-apple-darwin"]
)
def test_there_are_wheels_for_other_machines(tmp_path: Path, platform: str) -> None:
    command: list[str | Path] = [ROOT / ".venv/bin/uv", "pip", "install", "--dry-run", "--target", tmp_path]
    command += ["--python-platform", platform, "--python-version", "3.12", "--require-hashes"]
    # pyvips has no wheels: it is Python alone, and what it binds to is in pyvips-binary.
    command += ["--only-binary", ":all:", "--no-binary", "pyvips", "-r", REQUIREMENTS / "base.txt"]
    # docs/operations.md asks for macOS 14 or newer; without the variable, uv resolves for 13.
    environment = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": "14.0"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
