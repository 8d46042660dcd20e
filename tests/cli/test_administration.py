"""`pixelmend gpu` and the commands that have a running service load, unload and free."""

import io
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import safetensors.torch
from rich.console import Console
from typer.testing import CliRunner, Result

from pixelmend.cli.gpu import as_json, show_devices
from pixelmend.cli.models import models_app
from pixelmend.cli.running import RunningService
from pixelmend.core.config import Settings
from tests.engine.networks import compact_state
from tests.inprocess import service_in_threads
from tests.pictures import encoded, photo
from tests.service import ServiceClient


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceClient]:
    folder = tmp_path_factory.mktemp("administration")
    (folder / "models").mkdir()
    for name in ("small", "other"):
        safetensors.torch.save_file(compact_state(seed=len(name)), folder / "models" / f"{name}.safetensors")
    with service_in_threads(folder, instance="night", memory_monitoring_enabled="false") as running:
        yield running


def settings_of(service: ServiceClient) -> Settings:
    host, port = service.base_url.removeprefix("http://").split(":")
    return Settings(_env_file=None, host=host, port=int(port), models_dir=service.folder / "models")


def run(service: ServiceClient, *arguments: str) -> Result:
    app = models_app(lambda: settings_of(service))
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, arguments)


@pytest.mark.full
def test_models_are_loaded_on_a_device_freed_and_unloaded(own: ServiceClient) -> None:
    loaded = run(own, "load", "--device", "cpu", "small", "other")
    assert (loaded.exit_code, loaded.output.count("loaded in")) == (0, 2), loaded.output
    wrong = run(own, "load", "--device", "cuda:4", "small")
    assert (wrong.exit_code, "there are: 0 (cpu)" in wrong.output) == (1, True)
    assert run(own, "pin", "other").exit_code == 0
    freed = run(own, "free")
    assert freed.exit_code == 0, freed.output
    lines = freed.output.splitlines()
    assert any(line.startswith("cpu: ") and "freed: " in line and "small" in line for line in lines)
    assert "cpu: other stays: a pin" in lines
    refused = run(own, "unload", "other")
    assert (refused.exit_code, "is pinned" in refused.output) == (1, True)
    assert "other stays: a pin" in run(own, "unload", "--all").output
    assert "other: not loaded" in run(own, "unload", "--force", "other").output
    assert run(own, "pin", "small").exit_code == 0
    everything = run(own, "unload", "--all", "--force")
    assert (everything.exit_code, "freed: small" in everything.output) == (0, True), everything.output


def test_a_model_that_cannot_be_used_is_named_below_the_list(own: ServiceClient) -> None:
    (own.folder / "models" / "[red]bad.safetensors").write_bytes(b"no weights")
    refused = run(own, "load", "[red]bad")
    assert (refused.exit_code, "[red]bad: " in refused.output) == (1, True)
    lines = run(own, "list").output.splitlines()
    listed = next(line.split() for line in lines if line.startswith(" [red]bad "))
    assert (listed[1], listed[-1]) == ("upscale", "dropped-in")
    assert any(line.startswith("[red]bad: ") and "[red]bad.safetensors" in line for line in lines)


@pytest.mark.parametrize("arguments", [("unload",), ("unload", "--all", "small")])
def test_what_makes_no_sense_is_refused(own: ServiceClient, arguments: tuple[str, ...]) -> None:
    refused = run(own, *arguments)
    assert (refused.exit_code, "name the models to unload, or --all" in refused.output) == (2, True)


def test_without_a_service_nothing_is_freed(tmp_path: Path) -> None:
    nothing = Settings(_env_file=None, port=1, models_dir=tmp_path)
    for arguments in (("free",), ("unload", "--all")):
        result = CliRunner().invoke(models_app(lambda: nothing), arguments)
        assert (result.exit_code, "no Pixelmend service answers" in result.output) == (1, True)


def shown(service: RunningService) -> str:
    text = io.StringIO()
    show_devices(service, Console(file=text, width=200))
    return text.getvalue()


def test_gpu_says_how_the_service_manages_its_memory(own: ServiceClient) -> None:
    service = RunningService(settings_of(own))
    assert own.client.post("/api/models/small/load").status_code == 200
    facts = dict(line.strip().split("  ", 1) for line in shown(service).splitlines() if "  " in line.strip())
    found = {name.strip(): text.strip() for name, text in facts.items()}
    assert found["service"] == f"{service.url} (night)"
    assert found["initialised"] == "yes"
    assert found["models loaded"].startswith(("1 of ", "2 of "))
    assert found["clean-up"] == "on, above 85 % of the memory"
    assert found["monitor"] == "off"
    assert found["life cycle"] == "unused models are unloaded after 30 min"
    assert "small (" in shown(service)
    changes = {"memory_monitoring_enabled": True, "idle_timeout_minutes": 0, "auto_cleanup_enabled": False}
    assert own.client.patch("/api/management", json=changes).status_code == 200
    while not own.client.get("/api/memory").json()["devices"][0]["now"]:
        time.sleep(0.05)
    file = {"file": encoded(photo(side_px=40))}
    mixed = {"model": "pixelmend-x4", "denoise": 0.5, "detail": 0.25}
    assert own.client.post("/api/upscale", files=file, data=mixed).status_code == 200
    text = shown(service)
    while "pixelmend-x4, denoise 0.5, detail 0.25" not in text:
        text = shown(service)
    for expected in ("on, every 2 s", "unused models stay", "clean-up       off", "% busy"):
        assert expected in text
    values = as_json(service)
    assert values["service"]["management"]["idle_timeout_minutes"] == 0
    assert values["service"]["models"]["loaded"] >= 1
    assert values["service"]["initialised"] is True
    assert values["devices"][-1]["name"].startswith("CPU")
    assert as_json(RunningService(Settings(_env_file=None, port=1)))["service"] is None
