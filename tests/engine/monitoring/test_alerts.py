"""An operator is told once when something begins and once when it is over."""

from hypothesis import given
from hypothesis import strategies as st

from pixelmend.core.config import Settings
from pixelmend.engine.monitoring.alerts import AlertRule, AlertTracker, rules_for

RULE = AlertRule("temperature", 90, "°C", hysteresis=5)


def told(*values: float | None) -> list[str]:
    book = AlertTracker([RULE])
    return [alert.state for value in values for alert in book.update({"temperature": value}, 0.0)]


def test_a_value_that_trembles_around_the_threshold_is_one_alert() -> None:
    assert told(89.9, 90, 89, 91, 86, 90) == ["raised"]
    assert told(90, 85) == ["raised", "cleared"]
    assert told(90, 85, 90) == ["raised", "cleared", "raised"]


def test_an_unknown_value_changes_nothing() -> None:
    assert told(95, None, 95, None, 10) == ["raised", "cleared"]
    assert AlertTracker([RULE]).update({}, 0.0) == []


@given(st.lists(st.floats(0, 120)))
def test_raised_and_cleared_alternate_and_are_true(values: list[float]) -> None:
    book = AlertTracker([RULE])
    up = False
    for value in values:
        for alert in book.update({"temperature": value}, 0.0):
            assert (alert.state == "raised") is not up
            up = not up
        assert up or value < 90
        assert not up or value > 85


def test_the_operators_thresholds_count_and_the_message_names_them() -> None:
    settings = Settings(_env_file=None, cleanup_threshold_percent=50, max_memory_usage_percent=60)
    book = AlertTracker(rules_for(settings))
    (alert,) = book.update({"device-memory": 55.0, "device-memory-limit": 55.0, "sensors-lost": 0.0}, 7.0)
    assert (alert.kind, alert.threshold, alert.time_s) == ("device-memory", 50, 7.0)
    assert alert.message == "55 % of the device's memory is in use; the alert is raised at 50"
    (lost,) = book.update({"sensors-lost": 1.0}, 8.0)
    assert lost.kind == "sensors-lost"
    (found,) = book.update({"sensors-lost": 0.0}, 9.0)
    assert found.state == "cleared"
