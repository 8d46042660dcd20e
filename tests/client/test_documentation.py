"""The examples of docs/client.md run as they are printed, at this service's address."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

from PIL import Image

from tests.pictures import encoded, photo
from tests.service import ServiceClient

DOCUMENT = Path(__file__).parents[2] / "docs" / "client.md"


def test_examples_run(service: ServiceClient, tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 4
    here = "\n".join(blocks).replace("http://localhost:8000", service.base_url)
    image = photo(side_px=64)
    (tmp_path / "photo.jpg").write_bytes(encoded(image, "JPEG"))
    (tmp_path / "mask.png").write_bytes(encoded((image * 0 + 255 * (image > 240)).astype("uint8")))
    done = subprocess.run(
        [sys.executable, "-c", here], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("128x128 by pixelmend-")
    assert "done 100%" in lines
    assert any(line.startswith("invalid-parameter - scale='99'") for line in lines), lines
    assert [line.split()[0] for line in lines[-2:]] == ["128", "192"]
    with Image.open(tmp_path / "large.webp") as large:
        assert large.size == (192, 192)
    with zipfile.ZipFile(tmp_path / "results.zip") as results:
        assert len(results.namelist()) == 3
