import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from pixelmend.config import Settings

EXAMPLE = (Path(__file__).parents[1] / ".env.example").read_text()


def test_env_example_documents_every_setting_with_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    documented = dict(re.findall(r"^#PIXELMEND_([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))
    expected = {
        name.upper(): "" if field.default is None else str(field.default)
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
