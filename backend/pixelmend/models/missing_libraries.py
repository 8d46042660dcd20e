"""Libraries that some models need and an installation may be made without, and what to do then."""

from collections.abc import Callable
from importlib.util import find_spec

ADDED_BY = "`make torch` adds it to a checkout, `pip install 'pixelmend[torch,onnx]'` to a package"

_LIBRARIES = {"LaMa": ("torch", "PyTorch"), "MI-GAN": ("onnxruntime", "ONNX Runtime")}
"""By architecture: the module, and what it is called."""


def library_missing(name: str, error: ImportError) -> str:
    """A sentence. name: of the file."""
    return f"{name}: a library that it needs cannot be loaded: {error}; {ADDED_BY}"


def is_installed(module: str) -> bool:
    """Imports nothing."""
    return find_spec(module) is not None


def foreseen_problem(architecture: str | None, finds: Callable[[str], bool] = is_installed) -> str | None:
    """A sentence about a library that models of this architecture need and that is not installed.

    None if none is missing, or if the architecture is not known before the file is read. finds: whether a
    module is installed.
    """
    module, name = _LIBRARIES.get(architecture or "", ("", ""))
    if not module or finds(module):
        return None
    return f"it needs {name}, which is not installed; {ADDED_BY}"
