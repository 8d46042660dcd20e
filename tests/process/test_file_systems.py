"""A data directory on a file system that does not map files into memory, such as a pool of disks."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pictures import decoded, encoded, photo
from tests.service import running_service

pytestmark = pytest.mark.full


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Path]:
    """mergerfs of one disk, without its cache of files."""
    disk, mount = tmp_path / "disk", tmp_path / "pool"
    disk.mkdir()
    mount.mkdir()
    if shutil.which("mergerfs") is None or not os.access("/dev/fuse", os.W_OK):
        pytest.skip("needs mergerfs (apt-get install mergerfs), and a user who may mount")
    subprocess.run(["mergerfs", "-o", "cache.files=off", disk, mount], check=True)
    yield mount
    subprocess.run(["umount", mount], check=True)


def test_jobs_are_done_there_and_survive_a_kill(pool: Path) -> None:
    models = pool / "models"
    with running_service(pool, models_dir=models) as service:
        job = service.ended_job(service.post_job(encoded(photo())).json()["id"])
        assert job["state"] == "done", job
        before = service.client.get(f"/api/jobs/{job['id']}/result").content
        assert decoded(before).shape == (384, 384, 3)
        assert "does not share memory" in service.log
        service.kill()
    with running_service(pool, models_dir=models) as service:
        assert service.job(job["id"]) == job
        assert service.client.get(f"/api/jobs/{job['id']}/result").content == before
