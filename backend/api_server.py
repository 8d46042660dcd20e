"""`python api_server.py [--port 9000 ...]`: as `pixelmend serve`, from a checkout, installed or not.

`uvicorn api_server:app` works as well, without what `pixelmend serve` adds (pixelmend/api/asgi.py says what).
Like `make run`, both read the checkout's .env and config.yaml, and keep data and models in it.
"""

import os
import sys
from pathlib import Path

_BACKEND = Path(__file__).resolve().parent
_CHECKOUT = _BACKEND.parent

if sys.version_info < (3, 11):  # noqa: UP036 - this file may be tried with any
    sys.exit(f"Pixelmend needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}")
if str(_BACKEND) not in sys.path:  # imported from elsewhere, as `backend.api_server`
    sys.path.insert(0, str(_BACKEND))
# Workers are processes of their own, which have to find the package too.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(_BACKEND), os.environ.get("PYTHONPATH")]))
os.chdir(_CHECKOUT)
for _variable, _name in (("PIXELMEND_ENV_FILE", ".env"), ("PIXELMEND_CONFIG", "config.yaml")):
    if (_CHECKOUT / _name).is_file():
        os.environ.setdefault(_variable, _name)

try:
    from pixelmend.api.asgi import StandaloneApp
    from pixelmend.cli.app import app as command
except ModuleNotFoundError as error:
    sys.exit(
        f"{error.name} is not installed for {sys.executable}: "
        f"{sys.executable} -m pip install -r {_BACKEND / 'requirements.txt'}, or `make run` in {_CHECKOUT}"
    )

app = StandaloneApp()

if __name__ == "__main__":
    command(["serve", *sys.argv[1:]])
