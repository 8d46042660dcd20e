import os
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from pixelmend.core.config import SECRET_VARIABLES, Settings, settings_of_this_user
from pixelmend.core.errors import InvalidParameter
from pixelmend.core.own_folders import data_folder
from pixelmend.core.working_directory import unused_here

EXAMPLE = (Path(__file__).parents[2] / ".env.example").read_text()


def test_env_example_documents_every_setting_with_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    documented = dict(re.findall(r"^#PIXELMEND_([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))
    expected = {
        name.upper(): "" if field.default is None or field.default_factory else str(field.default)
        for name, field in Settings.model_fields.items()
    }
    assert documented == expected


def test_every_documented_line_is_taken_as_it_stands(tmp_path: Path) -> None:
    taken = re.sub(r"^#(PIXELMEND_[A-Z_]+=.+)$", r"\1", EXAMPLE, flags=re.MULTILINE)
    (tmp_path / "env").write_text(taken)
    from_file = Settings(_env_file=tmp_path / "env")
    assert from_file == Settings(_env_file=None)


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "65536"), ("DEVICE", "gpu"), ("TILE_PX", "8"), ("PRECISION", "int4")]
)
def test_unusable_setting_is_refused(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"PIXELMEND_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


# --- config.yaml ------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own, in which such a file is found by itself."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("PIXELMEND_CONFIG", raising=False)
    monkeypatch.delenv("PIXELMEND_ENV_FILE", raising=False)
    own = tmp_path / "pixelmend"
    own.mkdir()
    return own


def configured(folder: Path, text: str) -> Settings:
    (folder / "config.yaml").write_text(text)
    return Settings(_env_file=None)


def test_the_file_counts_where_the_environment_says_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "gpu:\n  idle_timeout_minutes: 5\n  cleanup_threshold_percent: 70\n"
    monkeypatch.setenv("PIXELMEND_CLEANUP_THRESHOLD_PERCENT", "60")
    settings = configured(folder, text)
    assert (settings.idle_timeout_minutes, settings.cleanup_threshold_percent) == (5, 60)
    assert configured(folder, "") == Settings(_env_file=folder / "absent")
    (folder / "other.yaml").write_text("gpu: {max_memory_usage_percent: 50}")
    monkeypatch.setenv("PIXELMEND_CONFIG", str(folder / "other.yaml"))
    assert Settings(_env_file=None).max_memory_usage_percent == 50
    monkeypatch.setenv("PIXELMEND_CONFIG", "")
    assert configured(folder, "no: [yaml").max_memory_usage_percent == 90


def test_the_example_in_the_documentation_is_taken(folder: Path) -> None:
    documentation = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
    example = documentation.split("```yaml\n")[1].split("```")[0]
    settings = configured(folder, example)
    assert settings.profiles["photos"].models == ("pixelmend-x4", "realesr-general-x4v3")
    assert settings.recovery.mps_error == ("retry", "other-device")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("gpu: {cleanup_treshold: 5}", "gpu.cleanup_treshold is not known"),
        ("gpus: {}", "gpus is not known; there are: gpu, profiles"),
        ("gpu: 5", "gpu is not a mapping"),
        ("- 5", "the file is not a mapping"),
        ("gpu: [", "is not YAML"),
    ],
)
def test_a_file_that_is_wrong_is_refused_by_name(folder: Path, text: str, named: str) -> None:
    with pytest.raises(InvalidParameter, match=named) as error:
        configured(folder, text)
    assert error.value.message.startswith(f"{folder / 'config.yaml'}: ")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("gpu: {cleanup_threshold_percent: 101}", "cleanup_threshold_percent"),
        ("gpu: {memory_monitoring_enabled: perhaps}", "memory_monitoring_enabled"),
        ("profiles: {p: {models: []}}", "profiles.p.models"),
        ("profiles: {p: {models: [m], prio: 1}}", "profiles.p.prio"),
        ("gpu: {recovery: {wrong_result: [pray]}}", "recovery.wrong_result.0"),
    ],
)
def test_a_wrong_value_in_it_is_refused_by_name(folder: Path, text: str, named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        configured(folder, text)


def test_a_file_that_was_named_and_is_not_there_is_an_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIXELMEND_CONFIG", "absent.yaml")
    with pytest.raises(InvalidParameter, match=r"absent\.yaml: cannot be read"):
        Settings(_env_file=None)


def test_files_of_a_foreign_working_directory_are_not_obeyed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = tmp_path / "unpacked"
    foreign.mkdir()
    (foreign / ".env").write_text("PIXELMEND_ALERT_WEBHOOK=https://evil.example\nPIXELMEND_HOST=0.0.0.0\n")
    (foreign / "config.yaml").write_text("gpu: {alert_webhook: 'https://evil.example'}")
    monkeypatch.chdir(foreign)
    assert settings_of_this_user() == Settings(_env_file=None)
    assert settings_of_this_user().host == "127.0.0.1"
    assert [*unused_here(settings_of_this_user())] == [".env", "config.yaml"]
    # The named ones, and the user's own, are.
    (folder / "pixelmend.env").write_text("PIXELMEND_PORT=1234\n")
    assert settings_of_this_user().port == 1234
    assert settings_of_this_user(port=99).port == 99
    monkeypatch.setenv("PIXELMEND_ENV_FILE", ".env")
    assert settings_of_this_user().host == "0.0.0.0"
    assert [*unused_here(settings_of_this_user())] == ["config.yaml"]
    monkeypatch.setenv("PIXELMEND_ENV_FILE", "")
    assert settings_of_this_user().port == 8000
    monkeypatch.setenv("PIXELMEND_ENV_FILE", "absent")
    with pytest.raises(InvalidParameter, match="absent: cannot be read"):
        settings_of_this_user()


def test_data_and_models_lie_in_the_same_place_wherever_the_command_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Settings(_env_file=None)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIXELMEND_DATA_DIR", "")
    assert Settings(_env_file=None) == before
    checkout = Path(__file__).parents[2]
    assert (before.data_dir, before.models_dir) == (checkout / "data", checkout / "models")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_folder("models", tmp_path) == tmp_path / ".local/share/pixelmend/models"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "own"))
    assert data_folder("models", tmp_path) == tmp_path / "own/pixelmend/models"


def test_a_user_without_a_home_has_no_files_and_names_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container may run as a user that its system does not know."""
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 2_000_123_456)
    assert settings_of_this_user(data_dir=tmp_path).data_dir == tmp_path
    with pytest.raises(InvalidParameter, match="no home directory: set HOME, or PIXELMEND_DATA_DIR"):
        data_folder("data", tmp_path)


def test_folders_that_earlier_versions_used_here_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("data/jobs.db", "models/own.pth"):
        Path(name).parent.mkdir()
        assert unused_here(settings_of_this_user()) == {}  # any program's folder may be called that
        Path(name).touch()
        found = unused_here(settings_of_this_user())
        variable = f"PIXELMEND_{Path(name).parent.name.upper()}_DIR"
        assert found == {Path(name).parent.name: variable}
        monkeypatch.setenv(variable, Path(name).parent.name)
        assert unused_here(settings_of_this_user()) == {}


def test_every_secret_is_known_as_one() -> None:
    assert {"PIXELMEND_API_KEYS", "PIXELMEND_ADMIN_KEYS", "PIXELMEND_ALERT_WEBHOOK"} <= SECRET_VARIABLES


def test_profiles_can_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIXELMEND_PROFILES", '{"p": {"models": ["m"], "preload": true}}')
    profile = Settings(_env_file=None).profiles["p"]
    assert (profile.models, profile.preload, profile.priority) == (("m",), True, 0)


@pytest.mark.parametrize(("value", "port"), [("tcp://10.43.12.9:8000", 8000), ("9000", 9000)])
def test_port_that_kubernetes_tells_of_a_service_is_no_setting(
    monkeypatch: pytest.MonkeyPatch, value: str, port: int
) -> None:
    monkeypatch.setenv("PIXELMEND_PORT", value)
    assert Settings(_env_file=None).port == port
