"""What deploy/ray says, held against the command line, the settings and the application that it names."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from pixelmend.cli.app import load
from pixelmend.core.config import Settings

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "ray"
PIN = re.search(r"ray\[serve\]==([\d.]+)", (ROOT / "requirements/cluster.in").read_text())
RAY_OPTIONS = {
    "head",
    "block",
    "port",
    "address",
    "num-cpus",
    "num-gpus",
    "node-ip-address",
    "include-dashboard",
    "disable-usage-stats",
    "object-store-memory",
    "autoscaling-config",
}
"""Options of `ray start`, 2.60."""


def documents(name: str) -> list[Any]:
    return list(yaml.safe_load_all((FOLDER / name).read_text()))


def require_ray_options(words: list[str]) -> None:
    options = {word[2:].partition("=")[0] for word in words if word.startswith("--")}
    assert options <= RAY_OPTIONS


def require_settings(variables: set[str]) -> None:
    known = {f"PIXELMEND_{name.upper()}" for name in Settings.model_fields}
    assert {name for name in variables if name.startswith("PIXELMEND_")} <= known


def require_serve_options(words: list[str]) -> None:
    known = {option for parameter in load("serve").params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known
    address = words[words.index("--cluster") + 1]
    Settings(_env_file=None, cluster=address)


def test_compose_has_a_head_two_nodes_and_a_front_on_a_network_of_their_own() -> None:
    (compose,) = documents("compose.yml")
    services = compose["services"]
    assert set(services) == {"head", "node-0", "node-1", "front"}
    assert compose["networks"]["cluster"] == {"internal": True}
    for name, service in services.items():
        assert service["environment"]["RAY_AUTH_MODE"] == "token"
        assert service["environment"]["RAY_USAGE_STATS_ENABLED"] == "0"
        require_settings(set(service["environment"]))
        if name != "front":
            assert service["networks"] == ["cluster"]
            assert "ports" not in service
            require_ray_options([*service["entrypoint"][2:], *service["command"]])
    require_serve_options(services["front"]["command"])
    assert services["front"]["ports"] == ["127.0.0.1:8000:8000"]


def test_launcher_starts_a_head_without_a_dashboard_and_nodes_that_find_it() -> None:
    (cluster,) = documents("cluster.yaml")
    assert cluster["provider"]["type"] == "local"
    head, worker = cluster["head_start_ray_commands"][-1], cluster["worker_start_ray_commands"][-1]
    for command in (head, worker):
        assert "RAY_AUTH_MODE=token" in command
        require_ray_options(command.split())
    assert "--include-dashboard=false" in head
    assert "$RAY_HEAD_IP:6379" in worker


def test_ray_service_deploys_our_application_and_shuts_its_ports() -> None:
    service, front, claim, _, policy = documents("rayservice.yaml")
    assert (service["apiVersion"], service["kind"]) == ("ray.io/v1", "RayService")
    cluster = service["spec"]["rayClusterConfig"]
    assert PIN is not None
    assert cluster["rayVersion"] == PIN[1]
    assert cluster["authOptions"]["mode"] == "token"
    serve = yaml.safe_load(service["spec"]["serveConfigV2"])
    assert serve["proxy_location"] == "Disabled"
    (application,) = serve["applications"]
    assert application["name"] == Settings.model_fields["cluster_app"].default
    module, _, name = application["import_path"].partition(":")
    source = ROOT / "backend" / f"{module.replace('.', '/')}.py"
    assert name in {
        node.name for node in ast.parse(source.read_text()).body if isinstance(node, ast.FunctionDef)
    }
    pods = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    for pod in pods:
        (container,) = pod["template"]["spec"]["containers"]
        require_settings({each["name"] for each in container["env"]})
    (container,) = front["spec"]["template"]["spec"]["containers"]
    require_serve_options(container["command"])
    require_settings({each["name"] for each in container["env"]})
    secret = container["env"][1]["valueFrom"]["secretKeyRef"]["name"]
    assert secret == cluster["authOptions"]["secretName"]
    volumes = {each["name"]: each for each in front["spec"]["template"]["spec"]["volumes"]}
    assert volumes["data"]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert policy["kind"] == "NetworkPolicy"


@pytest.mark.parametrize("name", ["compose.yml", "cluster.yaml", "rayservice.yaml"])
def test_no_secret_is_written_down(name: str) -> None:
    assert not re.search(r"TOKEN[\"']?\s*[:=]\s*[\"']?[0-9a-f]{16}", (FOLDER / name).read_text())
