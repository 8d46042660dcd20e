"""Which objects are hooks, and that one which fails disturbs nothing."""

import sys
from pathlib import Path

import pytest

from pixelmend.core.errors import InvalidParameter
from pixelmend.core.telemetry import Logger
from pixelmend.models.hooks import Hooks, load_hooks
from pixelmend.models.memory import Alert

ALERT = Alert("temperature", "raised", 95.0, 90.0, 0.0, "it is hot")


def test_the_others_are_called_after_one_has_failed(caplog: pytest.LogCaptureFixture) -> None:
    told: list[Alert] = []

    class Fails:
        def on_alert(self, alert: Alert) -> None:
            raise ZeroDivisionError

    class Notes:
        def on_alert(self, alert: Alert) -> None:
            told.append(alert)

    hooks = Hooks([Fails(), Notes()], Logger.over("tests.hooks"))
    hooks.on_alert(ALERT)
    hooks.before_retry()  # none of them has it
    assert told == [ALERT]
    (record,) = caplog.records
    assert record.message == "a hook failed"
    assert "Fails" in str(vars(record)["hook"])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("own_code:missing", "hooks='own_code:missing' cannot be loaded: AttributeError"),
        ("own_code:number", "hooks='own_code:number' cannot be loaded: int is no object with any of"),
        ("own_code:fails", "hooks='own_code:fails' cannot be loaded"),
        ("no_such_code:hook", "hooks='no_such_code:hook' cannot be loaded: ModuleNotFoundError"),
    ],
)
def test_a_name_that_gives_no_hook_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, message: str
) -> None:
    code = "number = 7\ndef fails(): pass\nclass Good:\n    def on_alert(self, alert): pass\ngood = Good()\n"
    (tmp_path / "own_code.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_code", raising=False)
    assert len(load_hooks("own_code:Good,own_code:good", Logger())) == 2
    with pytest.raises(InvalidParameter, match=message):
        load_hooks(f"own_code:good,{name}", Logger())
