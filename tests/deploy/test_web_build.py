"""The web app's build: what chooses what it does, what gets into it, and what has it made again."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from pixelmend.api.frontend import api_origin
from pixelmend.core.config import SECRET_VARIABLES, Settings

ROOT = Path(__file__).parents[2]
FRONTEND = ROOT / "frontend"
CHOICES = ("VITE_UPSCALE_MODE", "VITE_API_URL")


def environment(**chosen: str) -> dict[str, str]:
    without = (*CHOICES, "PIXELMEND_CORS_ORIGINS", "MAKEFLAGS", "XDG_CONFIG_HOME")
    return {name: value for name, value in os.environ.items() if name not in without} | chosen


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The sources of the web app, with the packages of this checkout."""
    assert (FRONTEND / "node_modules" / ".stamp").exists(), "the web app's packages are missing: make check"
    copied = shutil.ignore_patterns("node_modules", "dist", "test-results", "playwright-report")
    shutil.copytree(FRONTEND, tmp_path / "frontend", ignore=copied)
    (tmp_path / "frontend" / "node_modules").mkdir()
    for package in (FRONTEND / "node_modules").iterdir():
        if package.name not in (".tmp", ".vite"):
            (tmp_path / "frontend" / "node_modules" / package.name).symlink_to(package)
    return tmp_path


def build(checkout: Path, **chosen: str) -> subprocess.CompletedProcess[str]:
    command = [str(checkout / "frontend" / "scripts" / "make.sh"), "build"]
    env = environment(CI="true", **chosen)
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def built_at(checkout: Path) -> int:
    return (checkout / "frontend" / "dist" / "index.html").stat().st_mtime_ns


@pytest.mark.full
def test_build_follows_the_root_env_file_and_has_no_secret_of_it(checkout: Path) -> None:
    secrets = {name: f"secret-of-{name.lower()}" for name in (*SECRET_VARIABLES, "PIXELMEND_DATA_DIR")}
    lines = [f"{name}={value}" for name, value in secrets.items()]
    env_file = checkout / ".env"
    env_file.write_text("\n".join([*lines, "VITE_API_URL=http://gpu-box:8000", ""]))
    made = build(checkout)
    assert made.returncode == 0, made.stderr
    dist = checkout / "frontend" / "dist"
    assert api_origin(dist) == "http://gpu-box:8000"
    contents = b"".join(path.read_bytes() for path in dist.rglob("*") if path.is_file())
    assert b"http://gpu-box:8000" in contents
    for name, value in secrets.items():
        assert name.encode() not in contents
        assert value.encode() not in contents

    first = built_at(checkout)
    assert build(checkout).returncode == 0
    assert built_at(checkout) == first  # nothing has changed
    assert build(checkout, VITE_API_URL="").returncode == 0
    assert built_at(checkout) > first
    assert api_origin(dist) == ""

    second = built_at(checkout)
    env_file.write_text("VITE_UPSCALE_MODE=brwser\n")
    wrong = build(checkout)
    assert wrong.returncode == 2
    assert "VITE_UPSCALE_MODE=brwser is neither server nor browser" in wrong.stderr
    assert built_at(checkout) == second


def test_env_example_names_both() -> None:
    text = (ROOT / ".env.example").read_text()
    assert re.findall(r"^#(VITE_\w+)=", text, re.MULTILINE) == list(CHOICES)


def test_images_are_built_with_them() -> None:
    stage = (ROOT / "Dockerfile.gpu").read_text().partition(" AS web\n")[2].partition("\nFROM ")[0]
    assert re.findall(r"^ARG (\w+)=$", stage.partition("npm run build")[0], re.MULTILINE) == list(CHOICES)
    compose = yaml.safe_load((ROOT / "docker-compose.gpu.yml").read_text())
    for name, service in compose["services"].items():
        arguments = service["build"]["args"]
        assert {choice: arguments[choice] for choice in CHOICES} == {c: f"${{{c}:-}}" for c in CHOICES}, name


@pytest.mark.parametrize(
    "api_url",
    [
        "",
        "http://gpu-box:8000",
        "https://gpu-box.example/pixelmend/",
        "http://127.0.0.1:1",
        'http://evil; } server { listen 1; "',
        "http://evil:x/",
        "ftp://a/",
    ],
)
def test_nginx_allows_what_the_service_allows(tmp_path: Path, api_url: str) -> None:
    conf = tmp_path / "api-origin.conf"
    shutil.copy(ROOT / "nginx" / "pixelmend" / "api-origin.conf", conf)
    for value in ("https://the.one.before", api_url):
        record = {"upscaleMode": "server", "apiUrl": value}
        (tmp_path / "build.json").write_text(json.dumps(record, separators=(",", ":")))
        subprocess.run(["sh", ROOT / "nginx" / "allow_api.sh", tmp_path, tmp_path], check=True)
    origin = api_origin(tmp_path)
    assert re.findall(r'^    default "(.*)";$', conf.read_text(), re.MULTILINE) == [origin and f" {origin}"]


# --- which origins may ask --------------------------------------------------------------------------------


def test_pages_of_the_stack_may_ask_its_service_directly() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.gpu.yml").read_text())
    for name, service in compose["services"].items():
        if not name.startswith("backend"):
            continue
        value = service["environment"]["PIXELMEND_CORS_ORIGINS"]
        default = re.sub(
            r"\$\{PIXELMEND_WEB_PORT:-(\d+)\}", r"\1", value.removeprefix("${PIXELMEND_CORS_ORIGINS-")[:-1]
        )
        assert default == "http://localhost:3332,http://127.0.0.1:3332"
        assert Settings(_env_file=None, cors_origins=default).cors_origins == default


def started_with(tmp_path: Path, **chosen: str) -> str:
    """What `make run` would start, in a home of its own."""
    asked = ["make", "--no-print-directory", "-n", "run"]
    named = {"PIXELMEND_ENV_FILE": str(tmp_path / "env"), "PIXELMEND_CONFIG": str(tmp_path / "config.yaml")}
    env = environment(HOME=str(tmp_path), **named, **chosen)
    ran = subprocess.run(asked, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    command = ran.stdout.splitlines()[-1].replace(
        ".venv/bin/pixelmend serve", 'echo "$PIXELMEND_CORS_ORIGINS"'
    )
    echoed = f"{command.rpartition(' echo ')[0]} sh -c 'echo \"$PIXELMEND_CORS_ORIGINS\"'"
    return subprocess.run(
        ["sh", "-c", echoed], env=env, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_page_of_the_development_server_may_ask_what_make_run_serves(tmp_path: Path) -> None:
    default = "http://localhost:5173,http://127.0.0.1:5173"
    (tmp_path / "env").write_text("# PIXELMEND_CORS_ORIGINS=https://no.example\n")
    assert started_with(tmp_path) == default
    assert Settings(_env_file=None, cors_origins=default).cors_origins == default


def test_make_run_leaves_origins_that_were_chosen(tmp_path: Path) -> None:
    own = "https://own.example"
    assert started_with(tmp_path, PIXELMEND_CORS_ORIGINS=own) == own
    assert started_with(tmp_path, PIXELMEND_CORS_ORIGINS="") == ""
    (tmp_path / "env").write_text(f"PIXELMEND_CORS_ORIGINS={own}\n")
    assert started_with(tmp_path) == ""  # it comes from the file
    (tmp_path / "env").unlink()
    (tmp_path / "config.yaml").write_text(f"cors_origins: {own}\n")
    assert started_with(tmp_path) == ""
