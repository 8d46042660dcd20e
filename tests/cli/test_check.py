"""What `pixelmend check` says of the packages that are installed."""

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError

import pytest
from packaging.requirements import Requirement

from pixelmend.cli.check import needs_openvino, packages
from tests.engine.networks import ROOT


def without(*absent: str) -> Callable[[str], str]:
    def version_of(name: str) -> str:
        if name in absent:
            raise PackageNotFoundError(name)
        return "1.0"

    return version_of


def test_an_installation_without_pytorch_is_sound_and_what_adds_it_is_said() -> None:
    findings = packages(True, without("torch", "torchvision", "spandrel", "onnxruntime"))
    assert [each.ok for each in findings] == [None] * len(findings)
    assert "fastapi 1.0" in [each.what for each in findings]
    assert findings[-1].what.startswith("torch, torchvision, spandrel, onnxruntime: not installed")
    assert "make torch" in str(findings[-1].fix)


def test_a_package_that_is_needed_and_missing_is_a_fault() -> None:
    findings = packages(True, without("pyvips"))
    assert [each.what for each in findings if each.ok is False] == ["pyvips is missing"]


@pytest.mark.parametrize(
    ("machine", "system", "needed"),
    [
        ("x86_64", "linux", True),
        ("AMD64", "win32", True),
        ("x86_64", "darwin", False),
        ("arm64", "darwin", False),
        ("aarch64", "linux", False),
    ],
)
def test_openvino_is_needed_where_the_requirements_name_it(machine: str, system: str, needed: bool) -> None:
    """There are no wheels for Macs of Intel, nor for ARM with a C library before 2.35: installing failed."""
    lines = (ROOT / "requirements" / "base.in").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith("openvino;")]
    marker = Requirement(line).marker
    assert marker is not None
    assert marker.evaluate({"platform_machine": machine, "sys_platform": system}) == needed
    assert needs_openvino(machine, system) == needed
    findings = packages(needed, without("openvino"))
    assert [each.what for each in findings if each.ok is False] == ["openvino is missing"] * needed
