"""An installation has a Python that the pinned packages are for, and they are the same on each."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """All that is on the path: a python3 that is too old. Its name has a space."""
    folder = tmp_path / "my programs"
    folder.mkdir()
    old = folder / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2 || exit 1\n')
    old.chmod(0o755)
    return folder


def chosen(folder: Path, *named: object) -> subprocess.CompletedProcess[str]:
    command = [str(part) for part in (ROOT / "requirements" / "python.sh", *named)]
    return subprocess.run(command, env={"PATH": str(folder)}, capture_output=True, text=True, check=False)


def test_a_python_that_is_named_is_taken(folder: Path) -> None:
    named = folder / "another"
    named.symlink_to(sys.executable)
    assert chosen(folder, named).stdout == f"{named}\n"


def test_if_the_systems_own_does_not_fit_another_one_is_looked_for(folder: Path) -> None:
    (folder / "python3.12").symlink_to(sys.executable)
    for nothing_named in ((), ("",)):
        assert chosen(folder, *nothing_named).stdout == "python3.12\n"


@pytest.mark.parametrize(
    ("named", "found"), [((), "3.9.2"), (("python3",), "3.9.2"), (("python9",), "not here")]
)
def test_without_one_that_fits_it_says_what_was_found(
    folder: Path, named: tuple[str, ...], found: str
) -> None:
    if named:
        (folder / "python3.12").symlink_to(sys.executable)  # is not taken in the place of what was named
    done = chosen(folder, *named)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"Pixelmend needs Python 3.11 to 3.14, and {named[0] if named else 'python3'} is {found};"
        " name another, as in PYTHON=python3.12\n"
    )


def test_make_says_so_before_it_makes_anything(folder: Path, tmp_path: Path) -> None:
    for name in ("Makefile", "requirements"):
        (tmp_path / name).symlink_to(ROOT / name)
    done = subprocess.run(
        ["make", ".venv/bin/uv", f"PYTHON={folder / 'python3'}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "python3 is 3.9.2" in done.stderr
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize("lock", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda lock: lock.stem)
def test_a_package_has_one_version_for_all_versions_of_python(lock: Path) -> None:
    """Tests run on one Python. With 3.12 another version of PyAV was installed, and no film could be read."""
    names = Counter(re.findall(r"^([A-Za-z0-9_.-]+)==", lock.read_text(), re.MULTILINE))
    assert [name for name, count in names.items() if count > 1] == []
