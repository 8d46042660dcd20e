"""What compose, systemd and the scripts say, held against the service and against their own parsers."""

import os
import re
import subprocess
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from pixelmend.api.same_site import Hosts
from pixelmend.api.server import GRACE_BEYOND_DRAIN_S
from pixelmend.core.config import Settings

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "deploy" / "systemd" / "pixelmend.service"
SCRIPTS = (
    ROOT / "deploy" / "systemd" / "install.sh",
    ROOT / "deploy" / "macos" / "run_mac.sh",
    ROOT / "deploy" / "install_requirements.sh",
    ROOT / "deploy" / "verify_image.sh",
    ROOT / "nginx" / "allow_api.sh",
    ROOT / "nginx" / "start.sh",
)
DRAIN_S = Settings.model_fields["drain_timeout_s"].default + GRACE_BEYOND_DRAIN_S
EXPOSURE_LIMIT = 20
"""In tenths, of systemd's own scale from 0 to 10; below 2 it says OK."""


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.gpu.yml").read_text())
    return content


def seconds(text: str) -> int:
    return int(text.removesuffix("s"))


# --- compose ----------------------------------------------------------------------------------------------


def test_every_container_is_confined_bounded_and_given_time_to_drain(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["logging"]["options"]["max-size"], name
        assert service["mem_limit"], name
        assert service["restart"] == "unless-stopped", name
        assert seconds(service["stop_grace_period"]) > DRAIN_S, name


def test_services_have_gpus_and_settings_that_there_are(compose: dict[str, Any]) -> None:
    known = {f"PIXELMEND_{name.upper()}" for name in Settings.model_fields}
    services = {name: s for name, s in compose["services"].items() if name.startswith("backend")}
    assert set(services) == {"backend", "backend-0", "backend-1", "backend-cpu"}
    for name, service in services.items():
        if name == "backend-cpu":
            assert "deploy" not in service
            assert service["environment"]["PIXELMEND_DEVICE"] == "cpu"
            assert service["build"]["args"]["TORCH_BACKEND"] == "${TORCH_BACKEND:-none}"
        else:
            (device,) = service["deploy"]["resources"]["reservations"]["devices"]
            assert device["capabilities"] == ["gpu"]
            assert service["environment"]["PIXELMEND_DEVICE"] == "${PIXELMEND_DEVICE:-cuda}"
        named = {name for name in service["environment"] if name.startswith("PIXELMEND_")}
        assert named <= known
        places = {volume.partition(":")[2] for volume in service["volumes"]}
        assert places == {service["environment"][f"PIXELMEND_{which}_DIR"] for which in ("DATA", "MODELS")}


def test_no_two_services_share_data_and_only_one_starts_by_itself(compose: dict[str, Any]) -> None:
    backends = [s for name, s in compose["services"].items() if name.startswith("backend")]
    data = [volume for service in backends for volume in service["volumes"] if volume.endswith(":/data")]
    assert len(set(data)) == len(backends)
    plain = [name for name, service in compose["services"].items() if "profiles" not in service]
    assert plain == ["backend", "frontend"]


def test_proxy_knows_every_instance_and_is_believed_alone(compose: dict[str, Any]) -> None:
    services = compose["services"]
    text = (ROOT / "nginx" / "pixelmend" / "upstream-multi-gpu.conf").read_text()
    named = dict(re.findall(r"upstream pixelmend-(\w+) \{\s+server (\S+):8000;", text))
    configured = {
        service["environment"]["PIXELMEND_INSTANCE"]: name
        for name, service in services.items()
        if "PIXELMEND_INSTANCE" in service.get("environment", {})
    }
    assert named == configured
    visible = [services[name]["environment"]["CUDA_VISIBLE_DEVICES"] for name in configured.values()]
    assert len(set(visible)) == len(visible)
    for frontend in (each for name, each in services.items() if name.startswith("frontend")):
        address = frontend["networks"]["pixelmend"]["ipv4_address"]
        for name in frontend["depends_on"]:
            assert services[name]["environment"]["PIXELMEND_TRUSTED_PROXIES"] == address


def test_proxy_finds_the_service_that_it_waits_for(compose: dict[str, Any]) -> None:
    text = (ROOT / "nginx" / "pixelmend" / "upstream.conf").read_text()
    (name,) = re.findall(r"^\s+server (\S+):8000", text, re.MULTILINE)
    services = compose["services"]
    for frontend in ("frontend", "frontend-cpu"):
        (waits_for,) = services[frontend]["depends_on"]
        networks = services[waits_for]["networks"]
        aliases = networks["pixelmend"]["aliases"] if isinstance(networks, dict) else []
        assert name in [waits_for, *aliases]


def test_network_of_the_stack_can_be_another_one(compose: dict[str, Any]) -> None:
    """By one variable. It is not that of AWS' default VPC (172.31.0.0/16), in which many GPU hosts are."""
    (subnet,) = (each["subnet"] for each in compose["networks"]["pixelmend"]["ipam"]["config"])
    chosen = re.fullmatch(r"(\$\{PIXELMEND_NETWORK:-([\d.]+)\})\.0/24", subnet)
    assert chosen
    assert ip_network(f"{chosen[2]}.0/24").is_private
    assert not ip_network(f"{chosen[2]}.0/24").overlaps(ip_network("172.16.0.0/12"))
    addresses = [
        networks["pixelmend"]["ipv4_address"]
        for service in compose["services"].values()
        if isinstance(networks := service["networks"], dict) and "ipv4_address" in networks["pixelmend"]
    ]
    assert set(addresses) == {f"{chosen[1]}.2"}


def test_only_the_proxy_is_published_beyond_this_machine(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:") == name.startswith("backend"), (name, port)


def test_services_know_the_names_by_which_they_are_scraped(compose: dict[str, Any]) -> None:
    scraped = yaml.safe_load((ROOT / "deploy" / "monitoring" / "prometheus.yml").read_text())
    targets = [
        target
        for job in scraped["scrape_configs"]
        for static in job["static_configs"]
        for target in static["targets"]
    ]
    assert targets
    for name, service in compose["services"].items():
        if name.startswith("backend"):
            hosts = Hosts(service["environment"]["PIXELMEND_ALLOWED_HOSTS"].partition("$")[0])
            assert all(hosts.has(target) for target in [*targets, f"{name}:8000"])


def test_images_are_built_from_targets_that_there_are(compose: dict[str, Any]) -> None:
    stages = re.findall(r"^FROM \S+ AS (\w+)", (ROOT / "Dockerfile.gpu").read_text(), re.MULTILINE)
    assert stages[-1] == "service"  # which is what is built if no target is named
    for service in compose["services"].values():
        assert (ROOT / service["build"]["dockerfile"]).is_file()
        assert service["build"].get("target", "service") in stages


def test_base_images_are_named_by_digest() -> None:
    """And by a whole version, so that a reader sees how old they are."""
    bases = re.findall(r"^ARG \w+_IMAGE=(\S+)$", (ROOT / "Dockerfile.gpu").read_text(), re.MULTILINE)
    assert len(bases) == 3
    for base in bases:
        assert re.fullmatch(r"\w+:\d+\.\d+\.\d+(-[\w-]+)?@sha256:[0-9a-f]{64}", base)


def test_packages_of_the_web_app_are_not_installed_as_root() -> None:
    text = (ROOT / "deploy" / "systemd" / "install.sh").read_text()
    assert "unprivileged=(runuser -u pixelmend --)" in text
    for line in text.splitlines():
        if "npm ci" in line or "npm run" in line:
            assert '"${unprivileged[@]}"' in line


def test_flavour_of_torch_with_hashes_is_installed_by_them(tmp_path: Path) -> None:
    """And without them it says so."""
    folder = tmp_path / "requirements"
    folder.mkdir()
    (folder / "runtime.txt").write_text(
        "torch==2.0.0 \\\n    --hash=sha256:aa\ntorchvision==1.0.0\nnumpy==1.0\n"
    )
    uv = tmp_path / "uv"
    uv.write_text('#!/bin/sh\necho "$@"\n')
    uv.chmod(0o755)
    command = ["sh", str(ROOT / "deploy" / "install_requirements.sh"), str(uv), "env", "cpu"]
    without = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "--torch-backend cpu torch==2.0.0 torchvision==1.0.0" in without.stdout
    assert "without hashes: run make lock-torch BACKEND=cpu" in without.stderr
    (folder / "torch-cpu.txt").touch()
    hashed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "--torch-backend cpu --require-hashes -r requirements/torch-cpu.txt" in hashed.stdout
    assert hashed.stderr == ""


def test_dockerfile_copies_what_is_there_and_not_ignored() -> None:
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    text = (ROOT / "Dockerfile.gpu").read_text()
    sources = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert len(sources) >= 8
    for source in sources:
        path = source.rstrip("/")
        assert any(path == name or path.startswith(f"{name}/") for name in kept), source
        assert (ROOT / path).exists() or path.startswith("frontend"), source


# --- systemd ----------------------------------------------------------------------------------------------


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


def test_unit_is_understood_by_systemd(tmp_path: Path) -> None:
    unit = tmp_path / "pixelmend.service"
    text = UNIT.read_text()
    command = "/opt/pixelmend/venv/bin/pixelmend serve"
    assert text.count(command) == 1
    unit.write_text(text.replace(command, "/bin/true"))  # verify wants it to be there
    verified = analyze("verify", str(unit))
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")


def test_unit_is_hardened_without_hiding_the_gpu() -> None:
    rated = analyze("security", "--offline=yes", f"--threshold={EXPOSURE_LIMIT}", str(UNIT))
    assert rated.returncode == 0, rated.stdout[-300:]
    text = UNIT.read_text()
    assert not re.search(r"^PrivateDevices", text, re.MULTILINE)
    assert re.search(r"^DeviceAllow=char-nvidia rw$", text, re.MULTILINE)
    (stop_s,) = re.findall(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)
    assert int(stop_s) > DRAIN_S


# --- scripts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_scripts_are_sound_and_can_be_started(script: Path) -> None:
    shell = script.read_text().splitlines()[0].removeprefix("#!").removeprefix("/usr/bin/env ")
    checked = subprocess.run([shell, "-n", script], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_script_for_macs_says_where_it_belongs() -> None:
    if os.uname().sysname == "Darwin":
        return
    ran = subprocess.run([SCRIPTS[1]], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (1, "run_mac.sh: this is for macOS; elsewhere it is: make run\n")


def test_other_flavours_of_torch_keep_every_other_pin(tmp_path: Path) -> None:
    """`uv` is a script that writes down what it was asked."""
    uv = tmp_path / "uv"
    uv.write_text(
        '#!/bin/sh\necho "$*" >> calls\nfor last; do :; done\ncase $last in /*) cp "$last" rest.txt ;; esac\n'
    )
    uv.chmod(0o755)
    (tmp_path / "requirements").symlink_to(ROOT / "requirements")
    script = ROOT / "deploy" / "install_requirements.sh"
    subprocess.run(["sh", script, uv, "/env", "cu126"], cwd=tmp_path, check=True)
    first, second = (tmp_path / "calls").read_text().splitlines()
    whole = (ROOT / "requirements" / "runtime.txt").read_text()
    pins = dict(re.findall(r"^([a-z0-9-]+)==([^\s;]+)", whole, re.MULTILINE))
    assert first.endswith(f"--torch-backend cu126 torch=={pins['torch']} torchvision=={pins['torchvision']}")
    assert "--no-deps --require-hashes -r" in second
    rest = dict(re.findall(r"^([a-z0-9-]+)==([^\s;]+)", (tmp_path / "rest.txt").read_text(), re.MULTILINE))
    gone = pins.keys() - rest.keys()
    assert {"torch", "torchvision", "triton", "nvidia-cublas"} <= gone
    assert all(re.match(r"torch|triton|cuda-|nvidia-", name) for name in gone)
    assert "nvidia-ml-py" in rest
    assert rest == {name: version for name, version in pins.items() if name not in gone}
    hashes = (tmp_path / "rest.txt").read_text().count("--hash")
    assert 0 < hashes < whole.count("--hash")


@pytest.mark.parametrize("extra", ["s3", "otel"])
def test_extras_of_an_image_are_pinned_in_the_versions_that_are_tested(
    extra: str, compose: dict[str, Any]
) -> None:
    assert f'"{extra}"' in (ROOT / "Dockerfile.gpu").read_text()
    assert compose["services"]["backend"]["build"]["args"]["EXTRAS"] == "${EXTRAS:-}"
    pins = [
        set(re.findall(r"^([a-z0-9-]+==\S+)", (ROOT / "requirements" / name).read_text(), re.MULTILINE))
        for name in (f"{extra}.txt", "dev.txt")
    ]
    assert pins[0]
    assert pins[0] <= pins[1]
