"""What an image is said to be made of, and that the document is what CycloneDX's schema asks for."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "frontend" / "package-lock.json"
ENVIRONMENT = Path(sys.prefix) / "lib"

DPKG = """\
Package: libc6
Status: install ok installed
Maintainer: GNU Libc Maintainers <debian-glibc@example.org>
Architecture: amd64
Version: 2.36-9+deb12u10
Description: a library
 Version: of something else

Package: gone
Status: deinstall ok config-files
Architecture: all
Version: 1:1.0
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A file system with this environment in it, a package of Debian's, and a Python that is not Debian's."""
    (tmp_path / "opt/pixelmend").mkdir(parents=True)
    (tmp_path / "opt/pixelmend/lib").symlink_to(ENVIRONMENT)
    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/status").write_text(DPKG)
    header = tmp_path / "usr/local/include/python3.12/patchlevel.h"
    header.parent.mkdir(parents=True)
    header.write_text('#define PY_MICRO_VERSION 13\n#define PY_VERSION           "3.12.13"\n')
    return tmp_path


def sbom(root: Path) -> str:
    command: list[str | Path] = [sys.executable, "-I", ROOT / "deploy/sbom.py", root, "--lock", LOCK]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_it_is_what_the_schema_asks_for_and_the_same_each_time(root: Path) -> None:
    from cyclonedx.schema import SchemaVersion  # with jsonschema a second, in every worker
    from cyclonedx.validation.json import JsonStrictValidator

    text = sbom(root)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert sbom(root) == text


def test_it_names_what_is_there_with_its_version(root: Path) -> None:
    document = json.loads(sbom(root))
    assert document["metadata"]["component"]["purl"].startswith("pkg:pypi/pixelmend@")
    parts: dict[str, dict[str, Any]] = {each["purl"]: each for each in document["components"]}
    assert len(parts) == len(document["components"])
    assert "pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64" in parts
    assert "pkg:generic/python@3.12.13" in parts
    assert not any("gone" in purl for purl in parts)
    pinned = (ROOT / "requirements" / "base.txt").read_text()
    (version,) = (line.split()[0] for line in pinned.splitlines() if line.startswith("fastapi=="))
    assert parts[f"pkg:pypi/fastapi@{version.removeprefix('fastapi==')}"]["licenses"] == [
        {"expression": "MIT"}
    ]
    lock = json.loads(LOCK.read_text())["packages"]
    react = lock["node_modules/react"]["version"]
    assert parts[f"pkg:npm/react@{react}"]["licenses"] == [{"expression": "MIT"}]
    assert f"pkg:npm/%40mantine/core@{lock['node_modules/@mantine/core']['version']}" in parts
    assert not any("pkg:npm/vitest@" in purl for purl in parts)  # a tool, and not in the page


def test_a_root_without_pixelmend_is_refused(root: Path) -> None:
    shutil.rmtree(root / "var")
    (root / "opt/pixelmend/lib").unlink()
    command: list[str | Path] = [sys.executable, ROOT / "deploy/sbom.py", root]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Pixelmend is not installed below" in done.stderr
