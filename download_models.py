"""`python download_models.py [ID... | --all | --list]`: as `pixelmend models download` and `list`.

Without arguments it fetches the networks that most people want.
"""

import sys
from pathlib import Path

here = Path(__file__).resolve().parent
sys.path.append(str(here / "backend"))  # counts if the package is not installed

try:
    from pixelmend.cli.app import app
except ModuleNotFoundError as error:
    sys.exit(
        f"{error.name} is not installed for {sys.executable}. `make run` in {here} makes an environment "
        f"with all that is needed; then: {here / '.venv/bin/python'} {Path(__file__).name} "
        f"{' '.join(sys.argv[1:])}. "
        f"Or: {sys.executable} -m pip install -r {here / 'backend/requirements.txt'}"
    )

if __name__ == "__main__":
    arguments = sys.argv[1:]
    if "--list" in arguments:
        app(["models", "list"])
    names_some = any(not argument.startswith("-") for argument in arguments)
    asked = arguments if names_some or {"--all", "--help"} & set(arguments) else [*arguments, "--recommended"]
    app(["models", "download", *asked])
