"""Print the service's OpenAPI document. Nothing is started, and nothing is kept."""

import json
import sys
import tempfile
import warnings
from pathlib import Path

from pixelmend.api.app import create_app
from pixelmend.api.service import build_service
from pixelmend.core.config import Settings
from pixelmend.core.telemetry import Logger

with tempfile.TemporaryDirectory() as folder:
    settings = Settings(_env_file=None, data_dir=Path(folder), models_dir=Path(folder))
    with warnings.catch_warnings(action="ignore"):  # a path for GET and HEAD has one operation id for both
        document = create_app(build_service(settings, Logger())).openapi()
for path in document["paths"].values():
    path.pop("head", None)
    for operation in path.values():
        # Made from a set of methods, so it differs from run to run.
        operation.pop("operationId", None)
# It changes with each release, and the types do not.
document["info"]["version"] = ""
json.dump(document, sys.stdout, indent=1, sort_keys=True)
sys.stdout.write("\n")
