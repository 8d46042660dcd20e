"""What helm makes of deploy/helm/pixelmend, kept in tests/deploy/chart since helm is not everywhere.

python -m tests.deploy.chart_rendering HELM   renders it again, after a change of the chart
"""

import hashlib
import subprocess
import sys
from pathlib import Path

CHART = Path(__file__).parents[2] / "deploy" / "helm" / "pixelmend"
KEPT = Path(__file__).parent / "chart"
CASES = {"default": (), "all": ("-f", str(KEPT / "all.values.yaml"))}
"""By the names of the kept files: arguments of helm."""


def digest() -> str:
    """The sha256 of all that a rendering depends on."""
    files = [*sorted(path for path in CHART.rglob("*") if path.is_file()), KEPT / "all.values.yaml"]
    return hashlib.sha256(b"\0".join(path.name.encode() + path.read_bytes() for path in files)).hexdigest()


def rendered(helm: str, case: str) -> str:
    command = [helm, "template", "mine", str(CHART), "--namespace", "pictures", *CASES[case]]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def main(helm: str) -> None:
    version = subprocess.run([helm, "version", "--short"], capture_output=True, text=True, check=True).stdout
    for case in CASES:
        header = f"# Rendered from the chart with sha256 {digest()}, by helm {version.strip()}.\n"
        (KEPT / f"{case}.yaml").write_text(header + rendered(helm, case))


if __name__ == "__main__":
    main(sys.argv[1])
