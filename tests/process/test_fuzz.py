"""Damaged files of every format, as images, masks and in ZIPs, by HTTP, by the command and watched:
documented statuses and exit codes, and nothing else.
"""

import io
import random
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.imaging import samples
from tests.pictures import encoded, photo
from tests.process.test_boundaries import pixelmend
from tests.service import RunningService

pytestmark = pytest.mark.full

GOOD = encoded(photo(side_px=40), "JPEG")
PER_FORMAT = 4


def mutants(seed: str) -> dict[str, bytes]:
    chance = random.Random(seed)
    return {
        f"{name}-{n}.{name}": samples.mutated(data, chance)
        for name, data in samples.one_of_each().items()
        for n in range(PER_FORMAT)
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    source = tmp_path / "in"
    source.mkdir()
    (source / "good.jpg").write_bytes(GOOD)
    for name, data in mutants("of a folder").items():
        (source / name).write_bytes(data)
    return source


def no_restart(service: RunningService) -> int:
    return int(service.client.get("/api/health").json()["worker_restarts"])


@pytest.mark.drill("damaged masks over HTTP", times=1)
def test_masks_by_http(service: RunningService) -> None:
    seen: Counter[int] = Counter()
    restarts = no_restart(service)
    for name, data in mutants("of masks").items():
        answer = service.client.post("/api/inpaint", files={"file": GOOD, "mask": (name, data)})
        seen[answer.status_code] += 1
        assert answer.status_code in {200, 415, 422}, answer.text
    assert seen[422] + seen[415] > PER_FORMAT
    assert no_restart(service) == restarts


@pytest.mark.drill("damaged ZIPs over HTTP", times=1)
def test_zips_by_http(service: RunningService) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.jpg", GOOD)
        archive.writestr("deep/b.jpg", GOOD, zipfile.ZIP_DEFLATED)
        archive.writestr("\u00e4.txt", "no image")
    whole, chance = packed.getvalue(), random.Random("of zips")
    # The lists at the end are what matters; the images would hardly ever be spared otherwise.
    tail = len(whole) - 400
    seen: Counter[int] = Counter()
    for _ in range(40):
        data = whole[:tail] + samples.mutated(whole[tail:], chance)
        files: list[tuple[str, Any]] = [("files", ("a.zip", data))]
        answer = service.client.post("/api/upscale-batch", files=files, data={"scale": "1"})
        seen[answer.status_code] += 1
        assert answer.status_code in {200, 400, 413, 415, 422}, answer.text
        if answer.status_code == 200:
            with zipfile.ZipFile(io.BytesIO(answer.content)) as results:
                assert results.testzip() is None
    assert set(seen) >= {200, 400}
    service.wait_until_spool_is_empty()


def check_outcome(status: int, stdout: str, stderr: str, folder: Path, out: Path) -> None:
    assert status == 1, stdout + stderr
    assert "Traceback" not in stdout + stderr
    assert "unexpected" not in stdout
    sources = [path.name for path in folder.iterdir()]
    # A result, or a line that names the file.
    results = {path.name for path in out.glob("[!.]*")}
    assert "good.png" in results
    for name in sources:
        has_result = f"{Path(name).stem}.png" in results or f"{name}.png" in results
        assert has_result != (f"{folder / name}: " in stdout), name


@pytest.mark.drill("a folder of damaged images", times=1)
def test_folder_by_the_command(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = pixelmend("upscale", folder, "-o", out, "--scale", 1, "--first-frame")
    check_outcome(done.returncode, done.stdout, done.stderr, folder, out)


@pytest.mark.drill("a watched folder of damaged images", times=1)
def test_watched_folder(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = pixelmend("watch", folder, out, "--once", "--interval", 0.2, "--scale", 1)
    check_outcome(done.returncode, done.stdout, done.stderr, folder, out)
