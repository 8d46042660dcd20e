"""What `pixelmend check` says of the packages that are installed."""

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError

from pixelmend.cli.check import packages


def without(*absent: str) -> Callable[[str], str]:
    def version_of(name: str) -> str:
        if name in absent:
            raise PackageNotFoundError(name)
        return "1.0"

    return version_of


def test_an_installation_without_pytorch_is_sound_and_what_adds_it_is_said() -> None:
    findings = packages(without("torch", "torchvision", "spandrel", "onnxruntime"))
    assert [each.ok for each in findings] == [None] * len(findings)
    assert "fastapi 1.0" in [each.what for each in findings]
    assert findings[-1].what.startswith("torch, torchvision, spandrel, onnxruntime: not installed")
    assert "make torch" in str(findings[-1].fix)


def test_a_package_that_is_needed_and_missing_is_a_fault() -> None:
    findings = packages(without("pyvips"))
    assert [each.what for each in findings if each.ok is False] == ["pyvips is missing"]
