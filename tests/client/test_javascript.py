"""clients/js against the real service: its example runs as it is printed."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from tests.inprocess import service_in_threads
from tests.pictures import encoded, photo
from tests.service import ServiceClient

CLIENT = Path(__file__).parents[2] / "clients" / "js"
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="Node.js is not here")


def node(*command: object, **environment: str) -> "subprocess.CompletedProcess[str]":
    assert NODE is not None
    return subprocess.run(
        [NODE, *map(str, command)], env=environment, capture_output=True, text=True, timeout=120, check=False
    )


@needs_node
def test_example_runs(service: ServiceClient, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(encoded(photo(side_px=50), "JPEG"))
    out = tmp_path / "large.png"
    done = node(CLIENT / "example.mjs", service.base_url, tmp_path / "photo.jpg", out)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[-4:-2] == ["done 100%", f"{out}: 100x100 by pixelmend-x2"]
    assert lines[-2].startswith("invalid-parameter: scale='99'")
    # So small a job may have ended before it is cancelled; its result is then thrown away.
    assert lines[-1] in ("then cancelled", "then expired")
    with Image.open(out) as large:
        assert large.size == (100, 100)


@needs_node
def test_batches_failures_and_keys(tmp_path: Path) -> None:
    code = f"""
    import {{ Pixelmend }} from '{(CLIENT / "pixelmend.js").as_uri()}';
    import {{ openAsBlob }} from 'node:fs';
    const [url, image] = process.argv.slice(1);
    const photo = await openAsBlob(image);
    await new Pixelmend(url).upload('upscale', photo).catch((error) => console.log(error.code));
    const service = new Pixelmend(url + '/', {{ key: 'secret' }});
    const batch = await service.upload('upscale-batch', [photo, photo], {{ fields: {{ scale: 2 }} }});
    const many = await service.wait(batch);
    const zip = await (await service.result(many)).blob();
    console.log(many.items.map((item) => item.state).join(), zip.type);
    const cut = photo.slice(0, photo.size / 2);
    const job = await service.upload('upscale', cut);
    await service.wait(job).catch((error) => console.log(error.code, error.problem.status));
    console.log((await service.job(job.id)).state, (await service.get('/api/info')).name);
    """
    (tmp_path / "photo.jpg").write_bytes(encoded(photo(side_px=64), "JPEG"))
    with service_in_threads(tmp_path, api_keys="secret") as keyed:
        done = node("--input-type=module", "-e", code, keyed.base_url, tmp_path / "photo.jpg")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "key-missing",
        "done,done application/zip",
        "corrupt-image 422",
        "failed pixelmend",
    ]


def test_wrapper_stays_small() -> None:
    text = (CLIENT / "pixelmend.js").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 200
    assert not re.search(r"\brequire\(|from '(?!\.)", text), "it has no dependencies"
