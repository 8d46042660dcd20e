"""The examples of docs/python.md run as they are printed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.pictures import photo

DOCUMENT = Path(__file__).parents[2] / "docs" / "python.md"


@pytest.mark.full
def test_examples_run(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 4
    Image.fromarray(photo(side_px=128)).save(tmp_path / "photo.jpg")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PIXELMEND_")}
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks)],
        env=environment | {"PIXELMEND_DEVICE": "cpu"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("0%\n")
    assert "100%\npixelmend-x4 " in done.stdout
    with Image.open(tmp_path / "large.png") as large:
        assert large.size == (512, 512)
