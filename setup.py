"""Puts the built page into the wheel; everything else about the package is in pyproject.toml."""

import os
import shutil
import subprocess
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

FRONTEND = Path(__file__).parent / "frontend"
PAGE = FRONTEND / "dist"


class BuildWithPage(build_py):
    """Packs the page that is built; if there is none, it is built first, as `make web` does. Without Node.js
    the wheel has the API only, and the service says so.
    """

    def run(self) -> None:
        if self.editable_mode:  # the service finds the checkout's own page
            super().run()
            return
        # What an earlier build left there, modules that are gone among it, would be packed as well.
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()
        if not (PAGE / "index.html").is_file():
            _build_page()
        if (PAGE / "index.html").is_file():
            shutil.copytree(PAGE, Path(self.build_lib) / "pixelmend" / "webapp")
        else:
            self.warn("the page is not built, and so it is not in the wheel")


def _build_page() -> None:
    script = FRONTEND / "scripts" / "make.sh"
    if not script.is_file() or shutil.which("bash") is None:  # a container's stage, or Windows
        return
    # With CI set, it would fail without Node.js.
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    subprocess.run(["bash", script, "build"], env=environment, check=True)


setup(cmdclass={"build_py": BuildWithPage})
