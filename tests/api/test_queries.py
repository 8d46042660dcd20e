"""What stands behind the question mark is read, or refused by its name."""

import pytest

from tests.service import ServiceClient


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/management?force=true"),
        ("POST", "/api/memory/free?force=true"),
        ("GET", "/api/instances?url=x"),
        ("POST", "/api/models/pixelmend-x2/pin?pinned=false"),
        ("POST", "/api/models/pixelmend-x2/download?mirror=x"),
        ("DELETE", "/api/models/pixelmend-x2/download?all=1"),
        ("GET", "/api/models?task=upscale"),
        ("POST", "/api/profiles/none/preload?now"),
        ("GET", "/api/memory/events?since=0"),
        ("GET", "/api/jobs?state=done"),
        ("DELETE", "/api/jobs/none?force=1"),
        ("POST", "/api/upscale?scale=2"),
        ("POST", "/api/inpaint-batch?scale=2"),
        ("POST", "/api/estimate?scale=2"),
    ],
)
def test_unknown_parameter_is_named(service: ServiceClient, method: str, path: str) -> None:
    answer = service.client.request(method, path)
    name = path.partition("?")[2].partition("=")[0]
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:pixelmend:problem:invalid-parameter")
    assert answer.json()["detail"] == (f"the query parameter {name!r} is not known; this address takes none")


def test_known_parameters_are_named_and_read(service: ServiceClient) -> None:
    assert service.client.get("/api/memory?points=1").status_code == 200
    answer = service.client.get("/api/memory?point=1")
    assert answer.status_code == 422
    assert answer.json()["detail"].endswith("there are: points, minutes")


@pytest.mark.parametrize(
    ("method", "path", "named"),
    [
        ("GET", "/api/memory?points=-1", "points='-1'"),
        ("GET", "/api/memory?minutes=0", "minutes='0'"),
        ("GET", "/api/memory?minutes=nan", "minutes='nan'"),
        ("POST", "/api/models/unload?force=perhaps", "force='perhaps'"),
        ("POST", "/api/models/pixelmend-x2/unload?force=", "force=''"),
    ],
)
def test_wrong_value_of_a_known_parameter_is_a_problem_that_names_it(
    service: ServiceClient, method: str, path: str, named: str
) -> None:
    answer = service.client.request(method, path)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:pixelmend:problem:invalid-parameter")
    assert answer.json()["detail"].startswith(named), answer.text
