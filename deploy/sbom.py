#!/usr/bin/env python3
"""Writes what is in an image as CycloneDX 1.6 (JSON): Python's and Debian's packages, and those of the page.

    python3 deploy/sbom.py ROOT [--lock frontend/package-lock.json] > pixelmend-image.cdx.json

ROOT: the image's file system, mounted or exported. The same image gives the same bytes. Needs Python 3.11.
"""

import argparse
import json
import re
import sys
import uuid
from collections.abc import Iterator
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path
from typing import Any
from urllib.parse import quote

Component = dict[str, Any]

PYTHON_PACKAGES = ("opt/pixelmend/lib/python3*/site-packages", "usr/local/lib/python3*/site-packages")
"""The service's, and the base image's. Debian's own Python packages count as Debian packages."""
OWN = "pixelmend"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("root", type=Path)
    parser.add_argument("--lock", type=Path, help="package-lock.json of the page that is in the image")
    arguments = parser.parse_args()
    found = [*python_packages(arguments.root), *interpreter(arguments.root), *debian_packages(arguments.root)]
    if arguments.lock is not None:
        found += npm_packages(arguments.lock)
    own = [each for each in found if each["name"] == OWN]
    if not own:
        sys.exit(f"sbom.py: Pixelmend is not installed below {arguments.root}")
    json.dump(document(own[0], [each for each in found if each["name"] != OWN]), sys.stdout, indent=1)
    print()


def document(own: Component, others: list[Component]) -> dict[str, Any]:
    """own: Pixelmend itself."""
    components = sorted({each["bom-ref"]: each for each in others}.values(), key=lambda each: each["bom-ref"])
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([own, components], sort_keys=True))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"component": own | {"type": "application"}},
        "components": components,
    }


def component(name: str, version: str, purl: str, **more: Any) -> Component:
    given = {key: value for key, value in more.items() if value}
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl, **given}


def python_packages(root: Path) -> Iterator[Component]:
    for pattern in PYTHON_PACKAGES:
        for info in sorted(root.glob(f"{pattern}/*.dist-info")):
            package = PathDistribution(info)
            name, version = package.metadata["Name"], package.version
            normal = re.sub(r"[-_.]+", "-", name).lower()
            purl = f"pkg:pypi/{normal}@{quote(version)}"
            yield component(name, version, purl, licenses=licenses_of(package))


def licenses_of(package: Distribution) -> list[dict[str, Any]]:
    """What the package says of itself: an expression, or the names of licences."""
    if expression := package.metadata.get("License-Expression"):
        return [{"expression": expression}]
    classifiers = package.metadata.get_all("Classifier") or []
    named = [text.rpartition(" :: ")[2] for text in classifiers if text.startswith("License :: ")]
    text = (package.metadata.get("License") or "").strip()
    if not named and text and "\n" not in text:  # some have the whole text of a licence there
        named = [text]
    return [{"license": {"name": name}} for name in named]


def interpreter(root: Path) -> Iterator[Component]:
    """Python itself, if it is not Debian's."""
    for header in root.glob("usr/local/include/python3*/patchlevel.h"):
        if told := re.search(r'^#define PY_VERSION\s+"([^"]+)"', header.read_text(), re.MULTILINE):
            yield component("python", told[1], f"pkg:generic/python@{told[1]}")


def debian_packages(root: Path) -> Iterator[Component]:
    status = root / "var/lib/dpkg/status"
    for paragraph in status.read_text(encoding="utf-8").split("\n\n") if status.is_file() else []:
        fields = dict(re.findall(r"^([A-Za-z-]+): (.*)$", paragraph, re.MULTILINE))
        if not fields.get("Status", "").endswith(" installed"):
            continue
        name, version, architecture = fields["Package"], fields["Version"], fields["Architecture"]
        purl = f"pkg:deb/debian/{quote(name)}@{quote(version)}?arch={architecture}"
        yield component(name, version, purl, supplier={"name": fields.get("Maintainer", "Debian")})


def npm_packages(lock: Path) -> Iterator[Component]:
    """What the page may be built of; its tools are not in the image."""
    for path, package in json.loads(lock.read_text(encoding="utf-8"))["packages"].items():
        if not path or package.get("dev") or package.get("link"):
            continue
        name = path.rpartition("node_modules/")[2]
        purl = f"pkg:npm/{quote(name, safe='/')}@{package['version']}"
        named = package.get("license")
        licenses = [{"expression": named}] if isinstance(named, str) else []
        yield component(name, package["version"], purl, licenses=licenses)


if __name__ == "__main__":
    main()
