"""The dashboard and the alerts ask for nothing that the service does not tell."""

import json
import re
import time
from pathlib import Path

import yaml

from tests.pictures import encoded, photo
from tests.service import RunningService

FOLDER = Path(__file__).parents[2] / "deploy" / "monitoring"
ONLY_GPUS_TELL = {"pixelmend_device_utilisation_percent", "pixelmend_device_temperature_celsius"}
ONLY_WHEN_RAISED = {"pixelmend_alert_raised"}
NAME = re.compile(r"pixelmend_[a-z_]+")


def names_in(expressions: list[str]) -> set[str]:
    return {name for expression in expressions for name in NAME.findall(expression)}


def test_dashboard_and_alerts_name_metrics_that_there_are(service: RunningService) -> None:
    service.client.post("/api/upscale", files={"file": b"no image"})
    service.client.post("/api/upscale", files={"file": encoded(photo(side_px=36))})
    dashboard = json.loads((FOLDER / "grafana-dashboard.json").read_text())
    panels = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    rules = yaml.safe_load((FOLDER / "pixelmend-rules.yml").read_text())["groups"][0]["rules"]
    asked = names_in(panels) | names_in([rule["expr"] for rule in rules])
    assert len(asked) > 15
    wanted = asked - ONLY_GPUS_TELL - ONLY_WHEN_RAISED
    deadline_s = time.monotonic() + 30  # the worker's memory is told every two seconds
    told: set[str] = set()
    while not wanted <= told and time.monotonic() < deadline_s:
        told = set(NAME.findall(service.client.get("/metrics").text))
        time.sleep(0.05)
    assert wanted - told == set()


def test_panels_do_not_overlap() -> None:
    dashboard = json.loads((FOLDER / "grafana-dashboard.json").read_text())
    places = [panel["gridPos"] for panel in dashboard["panels"]]
    cells = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
