"""The Helm chart: as real helm rendered it, and what can be held against the image and the settings."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from pixelmend.core.config import Settings
from pixelmend.core.version import VERSION
from tests.deploy.chart_rendering import CASES, CHART, KEPT, digest, rendered

VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
DOCKERFILE = (CHART.parents[2] / "Dockerfile.gpu").read_text()


def objects(case: str) -> dict[str, Any]:
    """By their kinds; claims by their names as well."""
    found = [each for each in yaml.safe_load_all((KEPT / f"{case}.yaml").read_text()) if each]
    claims = {each["metadata"]["name"]: each for each in found if each["kind"] == "PersistentVolumeClaim"}
    return {each["kind"]: each for each in found} | claims


def pod(case: str) -> dict[str, Any]:
    spec: dict[str, Any] = objects(case)["Deployment"]["spec"]["template"]["spec"]
    return spec


def variables(case: str) -> dict[str, str]:
    return {each["name"]: each["value"] for each in pod(case)["containers"][0]["env"]}


def leaves(values: Any, path: str = "") -> list[str]:
    if isinstance(values, dict) and values:
        return [leaf for name, value in values.items() for leaf in leaves(value, f"{path}.{name}")]
    return [path.lstrip(".")]


@pytest.mark.parametrize("case", CASES)
def test_what_is_kept_was_rendered_of_this_chart(case: str) -> None:
    """Otherwise: python -m tests.deploy.chart_rendering HELM."""
    assert f"sha256 {digest()}," in (KEPT / f"{case}.yaml").read_text().splitlines()[0]


@pytest.mark.skipif(shutil.which("helm") is None, reason="compared with what helm rendered before, above")
@pytest.mark.parametrize("case", CASES)
def test_helm_renders_it_as_it_is_kept(case: str) -> None:
    assert rendered("helm", case) == (KEPT / f"{case}.yaml").read_text().split("\n", 1)[1]


def _validator() -> Any:
    """Of values, by the chart's schema. To import jsonschema takes a second, in every worker."""
    import jsonschema  # type: ignore[import-untyped]

    return jsonschema.Draft7Validator(SCHEMA)


def test_schema_takes_the_values_and_names_all_of_them() -> None:
    validator = _validator()
    validator.check_schema(SCHEMA)
    validator.validate(VALUES)
    validator.validate(yaml.safe_load((KEPT / "all.values.yaml").read_text()))
    assert set(SCHEMA["properties"]) - {"global"} == set(VALUES)


@pytest.mark.parametrize(
    "wrong",
    [
        {"typo": 1},
        {"gpu": {"count": 0}},
        {"env": {"PIXELMEND_MAX_UPLOAD_BYTES": 100000000}},  # which helm would write as 1e+08
        {"env": {"LD_PRELOAD": "x"}},
        {"service": {"port": 0}},
        {"data": {"size": "20"}},
    ],
)
def test_schema_refuses_what_would_not_work(wrong: dict[str, Any]) -> None:
    assert not _validator().is_valid(VALUES | wrong)


def test_every_value_is_used_and_every_used_one_is_there() -> None:
    text = "".join(path.read_text() for path in (CHART / "templates").iterdir())
    used = set(re.findall(r"\.Values((?:\.\w+)+)", text))
    # claims.yaml takes these by their names.
    used |= {f".{which}.{name}" for which in ("data", "models") for name in ("size", "storageClass")}
    known = set(leaves(VALUES))
    unused = {leaf for leaf in known if not any(f".{leaf}".startswith(each) for each in used)}
    assert unused == set()
    assert {each for each in used if not any(f".{leaf}".startswith(each) for leaf in known)} == set()


@pytest.mark.parametrize("case", CASES)
def test_pod_is_as_the_image_needs_it(case: str) -> None:
    spec, container = pod(case), pod(case)["containers"][0]
    assert (
        f"USER {spec['securityContext']['runAsUser']}:{spec['securityContext']['runAsGroup']}" in DOCKERFILE
    )
    assert spec["securityContext"]["fsGroup"] == spec["securityContext"]["runAsGroup"]
    (port,) = container["ports"]
    assert f"EXPOSE {port['containerPort']}\n" in DOCKERFILE
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    written = {each["mountPath"] for each in container["volumeMounts"]} - {"/etc/pixelmend"}
    assert written == {"/data", "/models", "/tmp", "/dev/shm"}
    volumes = {each["name"] for each in spec["volumes"]}
    assert {each["name"] for each in container["volumeMounts"]} == volumes
    assert container["livenessProbe"]["httpGet"] == {"path": "/livez", "port": port["name"]}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": port["name"]}
    drain_s = float(variables(case)["PIXELMEND_DRAIN_TIMEOUT_S"])
    assert spec["terminationGracePeriodSeconds"] >= drain_s + 10
    assert objects(case)["Deployment"]["spec"]["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize("case", CASES)
def test_variables_are_settings_and_are_taken(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = {name: value for name, value in variables(case).items() if name.startswith("PIXELMEND_")}
    ours.pop("PIXELMEND_CONFIG", None)
    assert {name.removeprefix("PIXELMEND_").lower() for name in ours} <= set(Settings.model_fields)
    for name, value in ours.items():
        monkeypatch.setenv(name, value)
    assert Settings(_env_file=None).device == variables(case)["PIXELMEND_DEVICE"]


def test_by_default_there_is_no_more_than_a_service_and_its_claims() -> None:
    found = objects("default")
    assert set(found) == {
        "Deployment", "Service", "PersistentVolumeClaim", "mine-pixelmend-data", "mine-pixelmend-models"
    }  # fmt: skip
    assert pod("default")["containers"][0]["image"] == f"pixelmend:{VERSION}"
    assert "nvidia.com/gpu" not in pod("default")["containers"][0]["resources"]["limits"]
    claims = {each["persistentVolumeClaim"]["claimName"] for each in pod("default")["volumes"][:2]}
    assert claims == set(found) - {"Deployment", "Service", "PersistentVolumeClaim"}


def test_all_that_is_optional_comes_with_its_values(tmp_path: Path) -> None:
    found, container = objects("all"), pod("all")["containers"][0]
    assert container["resources"]["limits"] == {"memory": "8Gi", "nvidia.com/gpu": 2}
    assert pod("all")["runtimeClassName"] == "nvidia"
    secret = found["Secret"]
    assert secret["stringData"] == {"PIXELMEND_API_KEYS": 'one,"two"'}
    named = [each["secretRef"]["name"] for each in container["envFrom"]]
    assert named == [secret["metadata"]["name"], "others"]
    (rule,) = found["Ingress"]["spec"]["rules"]
    assert rule["host"] in variables("all")["PIXELMEND_ALLOWED_HOSTS"].split(",")
    backend = rule["http"]["paths"][0]["backend"]["service"]
    assert backend["name"] == found["Service"]["metadata"]["name"]
    (port,) = found["Service"]["spec"]["ports"]
    assert (port["port"], backend["port"]["name"]) == (80, port["name"])
    (endpoint,) = found["ServiceMonitor"]["spec"]["endpoints"]
    assert (endpoint["path"], endpoint["port"]) == ("/metrics", port["name"])
    labels = found["Deployment"]["spec"]["template"]["metadata"]["labels"]
    for selector in (
        found["Service"]["spec"]["selector"],
        found["ServiceMonitor"]["spec"]["selector"]["matchLabels"],
        found["Deployment"]["spec"]["selector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()
    assert "mine-pixelmend-data" not in found  # it exists already
    written = tmp_path / "config.yaml"
    written.write_text(found["ConfigMap"]["data"]["config.yaml"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIXELMEND_CONFIG", str(written))
        settings = Settings(_env_file=None)
    assert settings.recipes == {"web-2x": {"scale": 2, "format": "webp"}}
    assert settings.profiles["large"].memory_limit_bytes == 4_000_000_000
