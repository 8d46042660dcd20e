from collections.abc import Iterator

import pytest

from tests.inprocess import service_in_threads
from tests.service import ServiceClient


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="loops of kills as long as in `make test-full`")


@pytest.fixture(scope="session")
def kills(request: pytest.FixtureRequest) -> int:
    """How often a drill kills what it kills."""
    return 20 if request.config.getoption("--full") else 6


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceClient]:
    """One service for every test that leaves it as it was."""
    folder = tmp_path_factory.mktemp("service")
    with service_in_threads(folder, max_upload_bytes=2_000_000, max_input_pixels=1_000_000) as running:
        yield running
