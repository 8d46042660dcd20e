"""Without Ray, as here, `pixelmend serve --cluster` says so before anything starts."""

import subprocess
import sys
from pathlib import Path

SERVE = [sys.executable, "-m", "pixelmend.cli", "serve", "--port", "0"]


def serve(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SERVE, *options],
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "PIXELMEND_DATA_DIR": str(folder / "data")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_the_extra_the_command_that_adds_it_is_told(tmp_path: Path) -> None:
    ended = serve(tmp_path, "--cluster", "local")
    assert ended.returncode == 2
    assert "cluster=local needs the extra [cluster]: pip install 'pixelmend[cluster]'" in ended.stderr


def test_what_is_no_address_is_refused_by_its_name(tmp_path: Path) -> None:
    ended = serve(tmp_path, "--cluster", "ray://head")
    assert ended.returncode == 2
    assert "cluster" in ended.stderr


def test_ray_is_imported_by_no_module_of_a_service_without_a_cluster() -> None:
    text = "import pixelmend.api.server, pixelmend.worker.cluster.pool, sys; sys.exit('ray' in sys.modules)"
    # A module of that name would be taken if any import asked for it.
    assert subprocess.run([sys.executable, "-c", text], check=False, timeout=60).returncode == 0
