"""The data directory of a service: gone, or not to be written to."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pictures import encoded, photo
from tests.process.test_boundaries import as_a_user_would
from tests.service import running_service

pytestmark = pytest.mark.full


def test_spool_that_was_deleted_is_made_again(tmp_path: Path) -> None:
    image = encoded(photo(side_px=40))
    with running_service(tmp_path) as service:
        shutil.rmtree(service.spool)
        assert service.client.get("/readyz").status_code == 200
        assert service.client.post("/api/upscale", files={"file": image}).status_code == 200
        service.wait_until_spool_is_empty()  # of the upload, which the service removes itself
        shutil.rmtree(service.spool)
        batch = service.client.post("/api/upscale-batch", files=[("files", ("a.png", image))])
        assert batch.status_code == 200
        assert service.client.get("/api/health").json()["worker_restarts"] == 0


def test_directory_that_cannot_be_written_to_is_one_sentence(tmp_path: Path) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PIXELMEND_")}
    read_only = tmp_path / "read-only"
    read_only.mkdir(mode=0o555)
    no_folder = tmp_path / "file"
    no_folder.touch()
    for path, why in ((read_only, "Permission denied"), (no_folder, "Not a directory")):
        ended = subprocess.run(
            [sys.executable, "-m", "pixelmend.cli", "serve"],
            env=kept | {"PIXELMEND_DATA_DIR": str(path), "PIXELMEND_PORT": "0", "PIXELMEND_DEVICE": "cpu"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            preexec_fn=as_a_user_would,
        )
        assert ended.returncode == 2
        assert ended.stderr == (
            f"the data directory {path} cannot be written to ({why}); "
            "name another one by PIXELMEND_DATA_DIR\n"
        )
